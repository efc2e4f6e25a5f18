"""Workers that are actors of a Ray cluster (extra ``ray``)."""

from __future__ import annotations

import socket
from typing import Any

from ..._version import __version__
from ...calls import option
from ...errors import MxtuneError
from ...machine import share
from .dealing import LostError, Piece
from .job import Job

_PATIENCE = 5.0  # seconds, for a machine that does not answer


def connected(address: str) -> Any:
    """Ray, connected to a cluster: the one that this program uses already, or the one at the address.

    Raises
    ------
    MxtuneError
        Ray is not installed, there is no cluster, its machines lack mxtune, or this program uses another one.
    """
    try:
        import ray
    except ImportError as error:
        text = "Workers of a cluster need Ray."
        raise MxtuneError(text, [str(error)], "Run: pip install 'ray[client,data]>=2.51'") from error
    if not ray.is_initialized():
        hint = "`workers` are a number for processes of this machine."
        try:
            _knock(address)
            hint = "Compare the port, mostly 10001 for ray://, and the token (RAY_AUTH_TOKEN): something answers there."
            ray.init(address=address, log_to_driver=False)
        except (OSError, OverflowError, RuntimeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or last_line(error)
            raise MxtuneError(f"There is no Ray cluster at {address}.", [reason], hint) from error
    elif _is_other(ray, address):
        hint = f"Use {option('workers', 'auto')} for that one; or leave it first: ray.shutdown()."
        raise MxtuneError(f"This program uses another Ray cluster than {address} already.", hint=hint)
    refuse_without_mxtune(ray)
    return ray


def refuse_without_mxtune(ray: Any) -> None:
    """Refuse a cluster that can't import this package, whose workers would be started again and again; or has another.

    Raises
    ------
    MxtuneError
        It can't, or its version is another one.
    """

    def version() -> str:  # the code of a function in a function travels
        from mxtune._version import __version__

        return __version__

    try:
        there = ray.get(ray.remote(num_cpus=0)(version).remote())
    except ray.exceptions.RayTaskError as error:
        if not isinstance(error.cause, ImportError):
            raise
        text = "The machines of the Ray cluster can't import mxtune."
        hint = "Install it there as here, or start Ray from an environment that has it."
        raise MxtuneError(text, [last_line(error)], hint) from error
    if there != __version__:
        versions = f"it has version {there}, and this program {__version__}"
        raise MxtuneError("The Ray cluster has another mxtune.", [versions], "Install the same one on all machines.")


def last_line(error: Exception) -> str:
    """Of what Ray says: the reason stands behind where it was met."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _knock(address: str) -> None:
    """Connect, and no more: where nobody answers Ray itself tries for half a minute, or for many."""
    scheme, _, place = address.rpartition("://")
    host, _, port = place.partition("/")[0].rpartition(":")
    if scheme in ("", "ray") and host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()


def _is_other(ray: Any, address: str) -> bool:
    """Whether an address is not of the cluster that this program uses, as far as its form and its port tell."""
    if address == "auto":
        return False
    from_outside = bool(ray.util.client.ray.is_connected())
    if from_outside or address.startswith("ray://"):
        return from_outside != address.startswith("ray://")
    there: str = ray.get_runtime_context().gcs_address
    return address.rpartition(":")[2] != there.rpartition(":")[2]


class Actor:
    """A worker that is an actor, with a CPU of its own, or a GPU.

    Parameters
    ----------
    ray
        Ray, connected.
    job
        A reference to the `Job`, which all workers share.
    gpus
        How many it reserves.
    """

    def __init__(self, ray: Any, job: Any, gpus: int) -> None:
        self._ray = ray
        self._actor = ray.remote(Served).options(num_cpus=1, num_gpus=gpus, max_restarts=0).remote(job)

    def compute(self, piece: Piece) -> Any:
        """The features of a range of images.

        Raises
        ------
        LostError
            The actor, or its machine, is gone.
        """
        try:
            outcome = self._ray.get(self._actor.features.remote(piece))
        except self._ray.exceptions.RayActorError as error:
            broken = getattr(error, "actor_init_failed", False)
            raise LostError(last_line(error) if broken else str(error).split("\n")[0]) from error
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def end(self) -> None:
        """End it at once."""
        self._ray.kill(self._actor)


class Served:
    """What runs in the actor."""

    def __init__(self, job: Job) -> None:
        share(1)
        self._job = job

    def features(self, piece: Piece) -> Any:
        """The features, or the error that names what can't be read."""
        try:
            return self._job.features(piece)
        except MxtuneError as error:
            return error
