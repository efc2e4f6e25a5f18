"""A download tells the one who waits how far it is, and ends when that one is interrupted: in R at an event alone."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from mxtune import progress
from mxtune.errors import HubError
from mxtune.hub.transfer import Bar, Transfer


class Heard:
    def __init__(self, interrupted_at: int = 1 << 60) -> None:
        self.bytes, self.kinds, self.threads = 0, [], set()
        self.interrupted_at = interrupted_at

    def event(self, kind: str, **info: Any) -> None:
        self.kinds.append(kind)
        self.threads.add(threading.get_ident())
        self.bytes += info.get("n", 0)
        if self.bytes >= self.interrupted_at:
            self.interrupted_at = 1 << 60
            raise KeyboardInterrupt


def bring(transfer: Transfer, parts: list[int], ended: list[str], pause: float = 0.0) -> str:
    bar = Bar(transfer, total=sum(parts), desc="file", unit="B")
    try:
        with bar:
            for part in parts:
                bar.update(part)
                bar.refresh()
                time.sleep(pause)
    finally:
        ended.append("ended")
    return "file"


def test_each_byte_is_told_once_by_the_thread_that_waits() -> None:
    transfer, heard = Transfer("it", 1000), Heard()
    with progress.using(heard):
        assert transfer.of(lambda: bring(transfer, [100, 200, -300, 100, 200, 400], []), 700) == "file"
    assert heard.bytes == 700 and heard.kinds[0] == "start" and heard.kinds.count("start") == 1
    assert heard.threads == {threading.get_ident()}


def test_an_interrupt_at_an_event_ends_the_download_first() -> None:
    transfer, ended = Transfer("it", 1 << 30), []
    with progress.using(Heard(interrupted_at=1)), pytest.raises(KeyboardInterrupt):
        transfer.of(lambda: bring(transfer, [1] * 1000, ended, pause=0.01), 1000)
    assert ended == ["ended"]


@pytest.mark.parametrize(
    ("parts", "told"), [([60, 60], "it is longer than the hub says"), ([9, -9] * 9, "connection broke while it was")]
)
def test_a_hub_that_goes_on_for_ever_is_left(parts: list[int], told: str) -> None:
    transfer = Transfer("it", 100)
    with pytest.raises(HubError, match=told):
        transfer.of(lambda: bring(transfer, parts, []), 100)


def test_what_the_hubs_package_raises_arrives() -> None:
    def fail() -> str:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        Transfer("it", 1).of(fail, 1)
