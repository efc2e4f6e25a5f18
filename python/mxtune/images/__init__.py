"""Images: from whatever the user has to an audited `ImageSet`.

=============== ==================================================================================
``source.py``   what the user has, as one list (``folder.py``, ``parts.py``, ``archive.py``, ``table.py``,
                ``paths.py``, ``fileobject.py``, ``arrays.py``)
``labels.py``   what the labels mean: task, codes, levels
``audit.py``    `mximages`: looks at every image once, names what is wrong (``findings.py``)
``picture.py``  one image: bytes of any kind to upright 8-bit RGB or grey (``sniff.py``, ``openers.py``, ``deep.py``)
``scale.py``    what is black and what is white in numbers beyond 8 bits, one range for a set
``pixels.py``   the pixels behind a set, and the few that are kept decoded
``imageset.py`` `ImageSet`, what the user holds (``split.py``, ``sheet.py``, ``show.py``)
``decode.py``   many images at once, in threads
=============== ==================================================================================
"""

from __future__ import annotations

from .audit import mximages
from .decode import decode, decode_or_none
from .imageset import BadPicture, ImageSet

__all__ = ["BadPicture", "ImageSet", "decode", "decode_or_none", "mximages"]
