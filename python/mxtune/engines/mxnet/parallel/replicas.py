"""A program in several processes, by MXNet."""

from __future__ import annotations

from ...parallel.replicas import Replicas


class MXNetReplicas(Replicas):
    """See `Replicas`: each part of a step is a command."""

    engine = "mxnet"
