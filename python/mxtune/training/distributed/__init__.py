"""Features by several processes, of this machine or of a Ray cluster: each is dealt ranges of images from one queue."""

from .crew import Crew
from .dealing import LostError

__all__ = ["Crew", "LostError"]
