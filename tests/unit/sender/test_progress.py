"""The bar on a terminal: also while the length is not known, as of a text that is still being spoken."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import Any

import pytest

from mouthpiece_sender.cli.progress import watch


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Ends:
    """A segment that ends after a few looks; its length becomes known on the way."""

    def __init__(self) -> None:
        self.looks = 0
        self.seen = asyncio.Event()

    async def now(self) -> dict[str, Any]:
        self.looks += 1
        if self.looks == 4:
            self.seen.set()
        duration = None if self.looks < 3 else 2.0
        return {"state": "playing", "position": self.looks / 2, "audio": {"duration": duration}}

    async def finished(self) -> dict[str, Any]:
        await self.seen.wait()
        return {"state": "finished"}


async def test_it_is_drawn_before_and_after_the_length_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("mouthpiece_sender.cli.progress.INTERVAL", 0.001)
    assert await watch(Ends(), quiet=False) == {"state": "finished"}
    assert "playing" in terminal.getvalue()
    assert "of 2.0 s" in terminal.getvalue()


async def test_nothing_is_drawn_for_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    ends = Ends()
    ends.seen.set()
    assert await watch(ends, quiet=True) == {"state": "finished"}
    assert terminal.getvalue() == ""
