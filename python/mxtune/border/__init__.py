"""The border between Python and R, which two ways cross: ``reticulate``, where R hosts Python, and ``rpy2``, where
Python hosts R (`mxtune.rhost`). Both carry `Vector`; what becomes what is decided in `to_r` and `from_r` alone.

What becomes what:

======================================== ========================================= ===================================
Python                                   R                                         and back
======================================== ========================================= ===================================
``None``                                 ``NULL``                                  ``None``
``bool``, ``int``, ``float``,            a vector of length one (a whole number    the same
``complex``, ``str``                     beyond 32 bits is a double, beyond 2^53
                                         ``integer64``)
``pandas.NA``                            ``NA``                                    ``pandas.NA``; of doubles NaN
a list of strings                        character vector (``None``: ``NA``)       a list
a list or array of numbers, of booleans  vector                                    ``numpy.ndarray``; with ``NA`` an
                                                                                   array of pandas
``numpy.ndarray``                        array, the same order of axes             ``numpy.ndarray``
``pandas.Categorical``                   factor, the same order of levels          ``pandas.Categorical``; a level that
                                                                                   is ``NA`` itself is missing
``pandas.DataFrame``                     data frame; an index that does not just    ``pandas.DataFrame``
                                         count: row names
a name of several levels                 ``mpg.mean``                              the same column by this name: R's
                                                                                   column that is a data frame or matrix
``pandas.Series``, index of strings      a vector with names                       ``pandas.Series``
a frame, a series                        matrix, table with names                  ``pandas.DataFrame``, ``Series``
``datetime.date``, ``datetime64[D]``     ``Date``                                  the same
``datetime``, ``Timestamp``              ``POSIXct``; without time zone, or with    ``Timestamp``, ``DatetimeIndex``
                                         several: in UTC
``timedelta``                            ``difftime``                              ``Timedelta``, ``timedelta64``
an array of ``int64`` beyond 2^53        ``integer64`` of bit64                    ``int64``
``bytes``                                raw vector                                ``bytes``
``pathlib.Path``                         character vector                          ``str``
``PIL.Image``                            array of height x width x 3, 0 to 1       ``numpy.ndarray``
a dict; another list                     list, with names; list                    dict; list
a function                               function                                  a callable
``Model``, ``ImageSet``, ``Network``     ``mxmodel``, ``mximages``, ``mxnetwork``  the same object, no copy
anything else of Python                  a Python object of reticulate             the same object
======================================== ========================================= ===================================

Text that is none in its encoding crosses as R prints it: ``caf\\xe9``. What R or Python has no room for (a NUL in text,
a whole number beyond 64 bits, an index with a name twice) is one `mxtune.errors.RHostError` that names its column.

Where R is the guest, anything else from R is an `RObject`. Where R is the host, the rest is refused, and arguments mean
what a user of R means by them: see `mxtune.border.reticulate.arguments`.
"""

from __future__ import annotations

OURS = {"Model": "mxmodel", "ImageSet": "mximages", "Network": "mxnetwork"}  # the same objects in both languages
