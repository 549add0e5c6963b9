"""``MOUTHPIECE_LOG_FORMAT=json``: all that each of the three services writes is JSON, an object a line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.loopback.serving import KEPT

SECRET = "a-secret-of-thirty-two-characters"
ENVIRONMENT = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",  # discard: nobody is there
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": SECRET,
    "MOUTHPIECE_LOG_FORMAT": "json",
    "MOUTHPIECE_MIN_FREE_MB": "0",
}


@pytest.mark.parametrize(
    "arguments",
    [
        ("mouthpiece_sender", "serve", "--port", "0"),
        ("mouthpiece_avatar", "--port", "0"),
        ("mouthpiece_agents", "start", "--port", "0"),
    ],
    ids=["sender", "avatar", "agents"],
)
async def test_a_service_writes_nothing_but_json(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    inherited = {name: value for name in KEPT if (value := os.environ.get(name))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        cwd=tmp_path,
        env=inherited | ENVIRONMENT | {"MOUTHPIECE_DATA": str(tmp_path / "data")},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            written = await process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            written += await process.stderr.read()
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = [json.loads(line) for line in written.decode().splitlines()]
    assert lines
    assert all(line.keys() >= {"time", "level", "logger", "message"} for line in lines)
    assert SECRET not in written.decode()
