"""``python -m mxtune.cli`` is the command ``mxtune``."""

from . import main

main()
