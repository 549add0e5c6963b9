"""How long ago the process before this one served."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from mouthpiece_sender.storage import alive
from mouthpiece_sender.storage.alive import AliveMark


async def test_without_an_earlier_process_nothing_is_known(tmp_path: Path) -> None:
    async with AliveMark(tmp_path / "alive") as mark:
        assert mark.earlier is None


async def test_the_last_mark_of_an_earlier_process_says_when_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    path.touch()
    os.utime(path, (time.time() - 30, time.time() - 30))
    async with AliveMark(path) as mark:
        assert mark.earlier == pytest.approx(30, abs=5)


async def test_it_is_marked_while_the_process_serves_also_after_the_folder_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alive, "INTERVAL", 0.01)
    folder = tmp_path / "data"
    async with AliveMark(folder / "alive"):
        folder.mkdir()
        while not (folder / "alive").exists():  # noqa: ASYNC110 (a file has no event)
            await asyncio.sleep(0.01)
        assert (folder / "alive").stat().st_mode & 0o777 == 0o600
