"""A real livekit-server and an avatar server for the whole run; their own ports, so that runs beside each other do no
harm."""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import AvatarServer


@pytest.fixture(scope="session")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKit]:
    """A running server; skipped (an error in CI) where none can be had."""
    binary = livekit_server.find_binary()
    if binary is None:
        reason = "no livekit-server on PATH or in the cache: `make livekit-server` builds one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running_server(binary, tmp_path_factory.mktemp("livekit") / "livekit.log") as server:
        yield server


@pytest.fixture(scope="session")
def avatar_server(livekit: LiveKit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AvatarServer]:
    """One for all tests that leave it running, or kill it and start it again."""
    with AvatarServer(livekit, tmp_path_factory.mktemp("avatar")) as server:
        yield server


@pytest.fixture
def room_name() -> str:
    return f"test-{uuid.uuid4().hex[:10]}"


class running_server:
    """``run_server`` on a loop in a thread: the fixture outlives the loops of single tests."""

    def __init__(self, binary: Path, log: Path) -> None:
        self._binary, self._log = binary, log
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> LiveKit:
        self._thread.start()
        self._context = livekit_server.run_server(self._binary, log=self._log)
        return asyncio.run_coroutine_threadsafe(self._context.__aenter__(), self._loop).result(30)

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._context.__aexit__(None, None, None), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
