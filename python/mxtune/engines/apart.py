"""What training takes in processes that somebody else starts, on other machines."""

from .parallel.seat import Seat
from .parallel.team import LOST, NOT_STARTED, Start, refuse_forked
from .parallel.told import Told, share

__all__ = ["LOST", "NOT_STARTED", "Seat", "Start", "Told", "refuse_forked", "share"]
