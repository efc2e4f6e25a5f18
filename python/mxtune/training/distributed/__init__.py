"""Features by several processes, of this machine or of a Ray cluster: each is dealt ranges of images from one queue.

And layers by the machines of a cluster, which take each step together: `layers_on_ray`.
"""

from .crew import Crew
from .dealing import LostError

__all__ = ["Crew", "LostError"]
