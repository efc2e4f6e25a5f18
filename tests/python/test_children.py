import subprocess
import sys
from pathlib import Path

from mxtune.children import command, environment


def test_nothing_is_imported_from_the_folder_that_the_user_is_in(tmp_path: Path) -> None:
    for name in ("queue", "numpy", "pandas", "mxtune"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)")
    plain = subprocess.run([sys.executable, "-c", "import queue"], cwd=tmp_path, check=False)
    ours = subprocess.run(command("mxtune.mxzoo"), cwd=tmp_path, env=environment(), check=False)
    assert (plain.returncode, ours.returncode) == (3, 0)
