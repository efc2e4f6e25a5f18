"""What pyproject.toml can't say: a wheel carries the example images, kept once for both languages."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithPictures(build_py):
    """Copies ``inst/extdata`` to ``mxtune/extdata``; an editable install finds it where it lies."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "mxtune" / "extdata"
            shutil.copytree("inst/extdata", target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithPictures})
