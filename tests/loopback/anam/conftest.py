"""The command as a process, against the emulated engine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import soundfile
from blockbuster import BlockBuster

from tests.loopback.anam.emulator import KEY, Engine

LINGER = 0.3
"""Seconds; the default is five."""
NOT_OURS = ("LIVEKIT_", "MOUTHPIECE_", "ANAM_", "ELEVENLABS_", "DISPLAY")

Sound: TypeAlias = Callable[..., Path]


@asynccontextmanager
async def play(
    engine: Engine | None,
    cwd: Path,
    *arguments: str,
    command: str = "play",
    via: tuple[str, ...] = ("--via", "anam"),
    **environment: str,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``mouthpiece play … --via anam`` in a folder without settings; kill it if it still runs after the block."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    if engine is not None:
        known |= {"ANAM_API_KEY": KEY, "ANAM_API_URL": engine.url, "MOUTHPIECE_ANAM_LINGER": str(LINGER)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mouthpiece_sender", command, *arguments, *via),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=known | environment,
        cwd=cwd,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def outcome(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    """Wait for the end; return exit code, standard output and standard error, and check that it has no traceback."""
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def sound(tmp_path: Path) -> Sound:
    """Write WAV files of 440 Hz. ``beeps``: seconds at which a tone of 200 ms begins; without any, one long tone."""

    def make(seconds: float = 1.0, *, rate: int = 24_000, channels: int = 1, beeps: tuple[float, ...] = ()) -> Path:
        time = np.arange(round(seconds * rate)) / rate
        tone = np.rint(12_000 * np.cos(2 * np.pi * 440 * time)).astype(np.int16)
        if beeps:
            tone[~np.any([(time >= at) & (time < at + 0.2) for at in beeps], axis=0)] = 0
        path = tmp_path / "tone.wav"
        soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)
        return path

    return make


@dataclass(frozen=True)
class Proxy:
    """An HTTPS proxy that refuses every connection."""

    environment: dict[str, str]
    asked: list[str] = field(default_factory=list)
    """Host and port of every connection that was requested."""

    async def refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode().split()
        self.asked.append(asked[1])
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    made = Proxy({"no_proxy": "127.0.0.1"})
    async with await asyncio.start_server(made.refuse, "127.0.0.1", 0) as server:
        made.environment["https_proxy"] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made


@pytest.fixture(autouse=True)
def aiortc_may_wait_for_its_decoder(nothing_blocks_the_loop: BlockBuster) -> None:
    """At the close of a peer connection it joins its decoder thread, and would not close if that were forbidden."""
    nothing_blocks_the_loop.functions["threading.Lock.acquire"].can_block_in("aiortc/rtcrtpreceiver.py", {"stop"})
