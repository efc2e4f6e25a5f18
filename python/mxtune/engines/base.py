"""The contract of an engine: what it runs, and what it returns. Plain data and NumPy arrays cross."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Optional, Protocol, Union

import numpy as np
from numpy.typing import NDArray

from ..errors import EngineError
from ..words import shape_text
from .parallel.team import Start

if TYPE_CHECKING:
    from ..graph import Graph
    from ..network import Network
    from ..tasks.losses import Loss
    from .devices import Choice, Device, DeviceReport

Array = NDArray[Any]
Params = Mapping[str, NDArray[np.float32]]
Batch = Union[Array, Mapping[str, Array]]
INT8 = "int8"
_NOTHING = np.empty(0, np.float32)
ROWS = 32
"""How many rows a batch has that is only predicted, where nobody says how many."""
Ranges = Mapping[str, tuple[float, float]]
"""For some layers and inputs, by name, the least and the greatest value that they take."""


@dataclass(frozen=True)
class InputSpec:
    """What a batch holds for one input of a graph.

    Parameters
    ----------
    shape
        Of one row, without the batch: (H, W, C) of images; of anything else as the graph takes it.
    mean, std
        For images (N, H, W, C) uint8, what is subtracted, then divided by, a number for each channel: the graph
        sees (N, C, H, W) float32. Without them a batch is float32 features, as the graph takes them.

    Examples
    --------
    >>> spec = InputSpec((2, 4, 3), mean=(127, 127, 127), std=(128, 128, 128))
    >>> spec.row
    (3, 2, 4)
    >>> out = np.empty((1, 3, 2, 4), "float32")
    >>> spec.prepare(np.zeros((1, 2, 4, 3), "uint8"), out)
    >>> out[0, 0, 0].tolist()
    [-0.9921875, -0.9921875, -0.9921875, -0.9921875]
    """

    shape: tuple[int, ...]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def row(self) -> tuple[int, ...]:
        """The shape of one row as the graph sees it."""
        if not self.mean:
            return self.shape
        height, width, channels = self.shape
        return channels, height, width

    def checked(self, name: str, batch: Array) -> Array:
        """The batch, which fits.

        Raises
        ------
        EngineError
            It is empty, or of another shape or type.
        """
        array = np.asarray(batch)
        wanted = "uint8" if self.mean else "float32"
        if array.ndim == 0 or len(array) == 0:
            raise EngineError("There is nothing to run the network on.", [f"{name}: nothing"])
        if array.shape[1:] != self.shape or array.dtype != wanted:
            raise EngineError(
                f"The network takes {wanted} of N x {shape_text(self.shape)} as {name}.",
                [f"it is {array.dtype} of {shape_text(array.shape)}"],
            )
        return array

    def prepare(self, batch: Array, out: NDArray[np.float32]) -> None:
        """Write a batch to ``out``, (N, *row), as the graph takes it: images normalised."""
        if not self.mean:
            out[...] = batch
            return
        from ..images.preprocess import normalise  # late: mxinfo() must work where Pillow is missing

        normalise(batch, self.mean, self.std, out)


@dataclass(frozen=True)
class AdamW:
    """The optimiser (Loshchilov & Hutter, 2019).

    Parameters
    ----------
    lr_multipliers
        For some parameters, a factor on the learning rate.
    weight_decay
        Of weights; biases and BatchNorm have none.
    """

    lr_multipliers: Mapping[str, float] = field(default_factory=dict)
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8


@dataclass(frozen=True, eq=False)
class Program:
    """What to run.

    Parameters
    ----------
    graph
        Its heads are what comes out; the first one is what a loss is computed from.
    params
        An array for every variable that is no input.
    inputs
        For every other variable, what a batch holds.
    trainable
        Parameters, and BatchNorm's moving statistics, that a step changes. Statistics that are not among them are
        used in training too.
    seed
        Of dropout.
    deterministic
        Whether it must give the same bytes each time on a GPU, too, where it is slower. On CPUs it always does.
    ranges
        What int8 needs to know, see `mxtune.engines.ranges`; nothing else looks at them.
    """

    graph: Graph
    params: Params
    inputs: Mapping[str, InputSpec]
    trainable: frozenset[str] = frozenset()
    optimiser: AdamW = AdamW()
    seed: int = 0
    deterministic: bool = False
    ranges: Ranges = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        network: Network,
        trainable: frozenset[str] = frozenset(),
        optimiser: AdamW = AdamW(),
        seed: int = 0,
    ) -> Program:
        """The program that runs a network on images (N, H, W, C) uint8 of the size of its preprocessing."""
        return cls(network.graph, network.params, {network.input: picture_input(network)}, trainable, optimiser, seed)


def picture_input(network: Network) -> InputSpec:
    """What a network takes: images of the size of its preprocessing."""
    spec = network.preprocess
    return InputSpec((*spec.size, spec.channels), spec.mean, spec.std)


def named_rows(inputs: Mapping[str, InputSpec], batch: Batch) -> dict[str, Array]:
    """The rows of every input of a batch, checked."""
    named = batch if isinstance(batch, Mapping) else dict.fromkeys(list(inputs)[:1], batch)
    rows = {name: spec.checked(name, named.get(name, _NOTHING)) for name, spec in inputs.items()}
    if len({len(array) for array in rows.values()}) > 1:
        raise EngineError(
            "The inputs of a batch have different numbers of rows.",
            [f"{name}: {len(array)}" for name, array in rows.items()],
        )
    return rows


class LostProcessError(EngineError):
    """A process of an executor has ended, or hangs; `Executor.restore` starts all of them anew."""


class Executor(Protocol):
    """A program bound to devices, ready to run."""

    def predict(self, batch: Batch) -> Any:
        """The heads for a batch: (N, ...) float32, or a list of them where the graph has several.

        Parameters
        ----------
        batch
            An array for the only input, or one by name; see `InputSpec`.

        Raises
        ------
        EngineError
            The batch does not fit, the engine failed, or this process was forked from one that had loaded it.
        """

    def rows(self, asked: int) -> int:
        """How many rows had best be predicted at once, where a user asked for so many.

        As many; but of `ROWS` more, once a GPU was seen to have the memory for them.
        """

    def expect(self, rows: int) -> None:
        """So many rows are to come: of steps, or of predictions where nothing is trainable.

        An engine may take long to start being faster where much is to come. Results don't depend on it, but for the
        last bits on a GPU.
        """

    def step(self, batch: Batch, targets: Array, counts: Array, loss: Loss, lr: float) -> float:
        """Train on a batch and return its loss; where that is not finite, nothing was changed.

        Parameters
        ----------
        batch
            As for `predict`.
        targets
            (N,) codes of classes, or (N, K); as the loss takes them.
        counts
            (N,): the weight of each row; 0 for one that only fills the batch.
        lr
            The learning rate of this step.
        """

    def gradient(self, batch: Batch, weights: Array) -> dict[str, NDArray[np.float32]]:
        """The gradient of ``sum(weights * first head)`` with respect to each input of floats, (N, *row), by its name.

        Of the function that `predict` computes: dropout does nothing, and BatchNorm uses its stored statistics.

        Parameters
        ----------
        batch
            As for `predict`.
        weights
            (N, ...), of the shape of the first head.

        Raises
        ------
        EngineError
            All inputs are images (N, H, W, C) uint8; ``weights`` have another shape; or as for `predict`.
        """

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """What is trainable, by its name and in its shape in the program; passes are undone."""

    def state(self) -> dict[str, Array]:
        """All that the next step depends on, for a checkpoint."""

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from what `state` gave."""


class Engine(Protocol):
    """What runs programs: one folder below ``engines/``."""

    @property
    def name(self) -> str:
        """Its name in settings and messages."""

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions it computes in on this machine, that of its CPU first."""

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes that `bind` applies, in their order."""

    def installed(self) -> bool:
        """Whether its package is installed; it may still be broken."""

    def version(self) -> Optional[str]:
        """The version of its package; None if it is not installed."""

    def load(self) -> Any:
        """Its package, imported.

        Raises
        ------
        EngineError
            It is missing or can't be loaded; the hint holds the one command that fixes it.
        """

    def devices(self) -> tuple[DeviceReport, ...]:
        """The CPU, then each GPU: whether it can be used, why not, and what would help.

        Where there is no GPU, ``gpu:0`` stands for those that might be. The package is imported only where there is
        one; where it is not installed, the report is what it could use.
        """

    def default_precision(self, devices: Sequence[Device]) -> str:
        """What ``"auto"`` stands for on these devices."""

    def bind(
        self, program: Program, devices: Sequence[Device], precision: str = "float32", passes: bool = True
    ) -> Executor:
        """The program, ready to run; with several devices each takes its share of every batch.

        Parameters
        ----------
        passes
            Whether the program is rewritten to a faster equivalent; False for comparison.

        Raises
        ------
        EngineError
            The engine is missing or can't be loaded; the hint holds the one command that fixes it. Or it can't give
            the same bytes each time on these devices, and the program asks for it.
        """

    def replicate(
        self,
        program: Program,
        devices: Sequence[Device],
        precision: str,
        passes: bool,
        start: Optional[Start] = None,
    ) -> Executor:
        """The program in processes of this machine, one for each device, which may be the same CPU many times.

        Each has its share of every batch, and all take the same step: that of one process, in another order of sums.
        BatchNorms in training see a share each. ``start`` starts others: of several machines, each with these devices.

        Raises
        ------
        EngineError
            The processes can't be started.
        """

    def replica(self, told: Any, place: int) -> Any:
        """What such a process computes with: an executor that also takes the commands of the engine's `Replicas`.

        ``told`` is a `mxtune.engines.parallel.told.Told`, and ``place`` says which of the processes it is.
        """


@dataclass(frozen=True)
class Target:
    """Where programs run: an engine, its devices, a precision.

    Parameters
    ----------
    ranges
        Of the layers, for programs in int8.
    why
        The reason for the engine, a few words.
    unused
        Why no GPU was chosen where one might have been.
    deterministic
        Whether programs give the same bytes each time on a GPU, too.
    processes
        How many share each batch, on a CPU.
    start
        What starts processes of several machines, which then share each batch.
    """

    engine: Engine
    devices: tuple[Device, ...]
    precision: str
    why: str = field(default="it is installed", compare=False)
    unused: Optional[Choice] = field(default=None, compare=False)
    deterministic: bool = False
    ranges: Ranges = field(default_factory=dict, compare=False)
    processes: int = 1
    start: Optional[Start] = field(default=None, compare=False)

    def bind(self, program: Program, passes: bool = True) -> Executor:
        """The program, ready to run here."""
        fixed = self.deterministic or program.deterministic
        program = replace(program, deterministic=fixed, ranges=self.ranges or program.ranges)
        if self.start is not None:
            return self.engine.replicate(program, self.devices, self.precision, passes, self.start)
        if self.processes > 1:
            return self.engine.replicate(program, self.devices * self.processes, self.precision, passes)
        return self.engine.bind(program, self.devices, self.precision, passes)

    @property
    def exact(self) -> Target:
        """The same place in float32, where it is one for int8: for what is measured, or has gradients."""
        return replace(self, precision="float32", ranges={}) if self.precision == INT8 else self

    @property
    def arithmetic(self) -> str:
        """What determines the last bits of an output: engine, precision and passes, and that it is no CPU."""
        kinds = sorted({device.kind for device in self.devices} - {"cpu"})
        fixed = ["deterministic"] if kinds and self.deterministic else []  # on a GPU by other algorithms
        ranges = [hashlib.sha256(repr(sorted(self.ranges.items())).encode()).hexdigest()] if self.ranges else []
        return " ".join((self.engine.name, self.precision, *self.engine.passes, *kinds, *fixed, *ranges))

    def __str__(self) -> str:
        return f"{self.engine.name}, {', '.join(map(str, self.devices))}, {self.precision}"
