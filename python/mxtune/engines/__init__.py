"""Engines: what runs a network. One folder an engine; above it there are NumPy arrays and plain data."""
