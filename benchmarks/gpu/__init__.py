"""Checks of PyTorch's engine on a GPU: `make gpu-check`."""
