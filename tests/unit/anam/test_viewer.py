"""The window's process: its input and its end. A fake stands in for the window."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from mouthpiece_sender.anam.viewer import Viewer


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


async def test_the_window_knows_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hidden = (
        *("ANAM_API_KEY", "LIVEKIT_API_SECRET", "HF_TOKEN", "DB_PASSWORD", "DATABASE_URL", "AWS_SESSION_TOKEN"),
        *("MOUTHPIECE_API_KEYS", "PATHS", "MY_DISPLAY"),
    )
    given = ("DISPLAY", "LC_ALL", "PYTHONPATH", "XDG_RUNTIME_DIR", "PULSE_SERVER", "QT_SCALE_FACTOR", "XAUTHORITY")
    for name in (*hidden, *given):
        monkeypatch.setenv(name, "value")
    stand_in(monkeypatch, tmp_path, f"env > {tmp_path}/env; echo quit")
    quitted = asyncio.Event()
    viewer = Viewer(print)
    viewer.on_quit = quitted.set
    async with viewer:
        await quitted.wait()
    known = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert known >= {*given, "PATH"}
    assert not known & {*hidden}


@pytest.mark.parametrize("later", [0.0, 0.2], ids=["at once", "while it waits"])
async def test_a_stop_while_the_window_ends_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, later: float
) -> None:
    stand_in(monkeypatch, tmp_path, "exec sleep 60")
    viewer = Viewer(print)
    leaving = asyncio.Event()

    async def show() -> None:
        async with viewer:
            leaving.set()

    showing = asyncio.create_task(show())
    await leaving.wait()
    await asyncio.sleep(later)
    showing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await showing
    assert viewer._process.returncode == -9


async def test_a_window_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mouthpiece_sender.anam.viewer.END_TIMEOUT", 0.1)
    stand_in(monkeypatch, tmp_path, "exec sleep 60")
    async with Viewer(print) as viewer:
        pass
    assert viewer._process.returncode == -9
