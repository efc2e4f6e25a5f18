"""What a service is told: its keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxtune.errors import ArgumentError
from mxtune.serve.settings import keys_in

KEY = "a key of more than sixteen letters"


@pytest.mark.parametrize("content", [f"\ufeff{KEY}\r\n", f"  # ours\n\n {KEY} \n", f"{KEY}"])
def test_a_key_is_what_stands_in_its_line(content: str, tmp_path: Path) -> None:
    file, plain = tmp_path / "keys.txt", tmp_path / "plain.txt"
    file.write_bytes(content.encode())
    plain.write_text(KEY)
    assert keys_in(file) == keys_in(plain)


def test_a_key_that_clients_send_in_several_ways_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text(f"{KEY}\nschl\u00fcssel-f\u00fcr-alle-h\u00e4user\n", encoding="utf-8")
    with pytest.raises(ArgumentError, match="key 2 has others"):
        keys_in(tmp_path / "keys.txt")
