"""What training takes in processes that somebody else starts, on other machines."""

from .parallel.seat import Seat
from .parallel.team import Start
from .parallel.told import Told, share

__all__ = ["Seat", "Start", "Told", "share"]
