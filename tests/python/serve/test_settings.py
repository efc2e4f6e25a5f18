"""What a service is told: its keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxtune.serve.settings import keys_in

KEY = "a key of more than sixteen letters"


@pytest.mark.parametrize("content", [f"\ufeff{KEY}\r\n", f"  # ours\n\n {KEY} \n", f"{KEY}"])
def test_a_key_is_what_stands_in_its_line(content: str, tmp_path: Path) -> None:
    file, plain = tmp_path / "keys.txt", tmp_path / "plain.txt"
    file.write_bytes(content.encode())
    plain.write_text(KEY)
    assert keys_in(file) == keys_in(plain)
