"""Passes: functions from a graph and its parameters to a graph that computes the same, faster."""
