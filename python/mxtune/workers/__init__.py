"""What a worker of a cluster does: rows that hold images in, the model's answers out. `mxtune.ray` and `mxtune.spark`
bring it there.
"""

from .answering import Answering, Question, use_cpus
from .columns import images_of, names_of

__all__ = ["Answering", "Question", "images_of", "names_of", "use_cpus"]
