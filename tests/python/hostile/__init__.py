"""Files of anyone's making: small valid ones of every format, and what damage and malice make of them.

``samples``: the valid ones.  ``damage``: bytes of any file.  ``zips``, ``trees``, ``pickles``: what has a structure.
``session``: opens some thousands in this process and watches it.  ``python -m hostile 10000`` prints the counts.
"""
