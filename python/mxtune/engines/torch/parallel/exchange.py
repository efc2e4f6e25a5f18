"""What the processes of a training add up in a step: gradients, as soon as they are known, and what else moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

BUCKET = 25_000_000
"""Bytes of gradients that are sent at once, as PyTorch's DistributedDataParallel does."""
_LOSS, _PARTS, _SHORT, _FAILED, _STATISTICS = range(5)


class Exchange:
    """Sums over all processes, in which each takes part in the same order, whatever happens to it.

    A process that fails in the middle of a backward pass sends what it has, which nobody uses: others would wait for it
    for ever, and all learn at the end that it failed.

    Parameters
    ----------
    learned
        What has gradients, in the order of the forward pass.
    statistics
        What moves without.
    device
        Where they are.
    """

    def __init__(self, learned: Sequence[Tensor], statistics: Sequence[Tensor], device: torch.device) -> None:
        self._statistics = statistics
        self._buckets: list[Tensor] = []
        self._members: list[int] = []  # how many gradients a bucket has
        self._bucket_of: dict[int, int] = {}
        self.gradients: list[Tensor] = [torch.empty(0)] * len(learned)
        for places in _groups(learned):
            tensors = [learned[place] for place in places]
            bucket = torch.zeros(sum(map(torch.numel, tensors)), device=device)
            start = 0
            for place, tensor in zip(places, tensors):
                # in the layout of the parameter, as an optimiser's step is fast then
                self.gradients[place] = bucket.as_strided(tensor.shape, tensor.stride(), start)
                self._bucket_of[place] = len(self._buckets)
                start += tensor.numel()
            self._buckets.append(bucket)
            self._members.append(len(places))
        size = _STATISTICS + sum(map(torch.numel, statistics))
        self._figures = torch.zeros(size, dtype=torch.float64, device=device)
        self._moved = [
            part.view(tensor.shape)
            for part, tensor in zip(self._figures[_STATISTICS:].split([t.numel() for t in statistics]), statistics)
        ]
        self._open = self._last = False
        self.broken = False  # whether the others could not be reached
        self._works: list[Any] = []
        self._missing: list[int] = []
        for place, tensor in enumerate(learned):
            tensor.register_hook(partial(self._came, place))

    def begin(self) -> None:
        """A step begins."""
        for tensor in (*self._buckets, self._figures):
            tensor.zero_()
        self._works, self._missing = [], [*self._members]
        self._open, self._last = True, False

    def last_part(self) -> None:
        """The next backward pass of this process is the last one of the step: its gradients are sent."""
        self._last = True

    def add(self, loss: Tensor, moved: Sequence[tuple[Tensor, Tensor]]) -> None:
        """The loss of a part of the batch, and what it moves."""
        new = {id(to): value for to, value in moved}
        self._figures[_LOSS] += loss
        self._figures[_PARTS] += 1
        for total, tensor in zip(self._moved, self._statistics):
            total.add_(new.get(id(tensor), tensor))

    def end(self, short: bool, failed: bool) -> tuple[float, bool, bool]:
        """Wait for the sums: the loss, and whether any process had too little memory, or failed otherwise."""
        self._open = False
        self._missing = [0] * len(self._buckets)
        self._send()
        self._figures[_SHORT] = float(short)
        self._figures[_FAILED] = float(failed)
        self._sum(self._figures)
        for work in self._works:
            work.wait()
        loss, _, any_short, any_failed = self._figures[:_STATISTICS].tolist()
        return loss, any_short > 0, any_failed > 0

    def move(self) -> None:
        """Statistics become the mean of what the parts of the batch moved them to."""
        for total, tensor in zip(self._moved, self._statistics):
            tensor.copy_(total / self._figures[_PARTS])

    def _came(self, place: int, gradient: Tensor) -> None:
        """The backward pass has found a gradient."""
        if not self._open:
            return
        self.gradients[place].add_(gradient)
        if self._last:
            self._missing[self._bucket_of[place]] -= 1
            self._send()

    def _send(self) -> None:
        """Begin with the sums of buckets that are full, in the order that all processes keep."""
        while len(self._works) < len(self._buckets) and self._missing[len(self._works)] == 0:
            self._sum(self._buckets[len(self._works)])

    def _sum(self, tensor: Tensor) -> None:
        self.broken = True  # if the next line fails
        self._works.append(dist.all_reduce(tensor, async_op=True))
        self.broken = False


def _groups(learned: Sequence[Tensor]) -> list[list[int]]:
    """Places of what is sent together: the last layers first, whose gradients come first."""
    groups: list[list[int]] = []
    room = 0
    for place in reversed(range(len(learned))):
        size = learned[place].numel() * learned[place].element_size()
        if not groups or size > room:
            groups.append([])
            room = BUCKET
        groups[-1].append(place)
        room -= size
    return groups
