"""The real service on a free port, over a LiveKit that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from mouthpiece.process.sockets import listen
from mouthpiece_sender import service
from mouthpiece_sender.api.dependencies import Dependencies
from mouthpiece_sender.settings import Settings
from tests.loopback.sender.fakes import FakeLiveKitApi

PAGE = "<!doctype html><title>the page</title>"


@dataclass(frozen=True)
class Running:
    """A service that answers, and a client of it."""

    url: str
    client: httpx.AsyncClient
    livekit: FakeLiveKitApi
    dependencies: Dependencies
    data: Path

    async def speak(self, room: str, sound: bytes, /, **query: Any) -> dict[str, Any]:
        """Hands over a sound; the segment."""
        answer = await self.client.post(f"/v1/rooms/{room}/segments", content=sound, params=query)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def stored(self) -> list[str]:
        """The sounds that lie on disk."""
        return sorted(file.name for file in (self.data / "sounds").iterdir())


Start: TypeAlias = Callable[..., AbstractAsyncContextManager[Running]]


@asynccontextmanager
async def running(folder: Path, **changes: Any) -> AsyncIterator[Running]:
    """``changes`` are settings, by their field's name."""
    given: dict[str, Any] = {
        "livekit_url": "ws://livekit.example:7880",
        "livekit_api_key": "key",
        "livekit_api_secret": "a-secret-of-thirty-two-characters",
        "data": folder / "data",
        "web": folder / "page",
        "min_free": 0,
    }
    settings = Settings(**(given | changes))
    page = folder / "page"
    (page / "assets").mkdir(parents=True, exist_ok=True)
    (page / "index.html").write_text(PAGE)
    (page / "icon.svg").write_text("<svg/>")
    (page / "assets" / "main-abc123.js").write_text("run()")
    stopping = asyncio.Event()
    with listen("127.0.0.1", 0) as listening:
        async with service.open_dependencies(settings, stopping, FakeLiveKitApi) as dependencies:
            assert dependencies.livekit is not None
            livekit = dependencies.livekit.api
            assert isinstance(livekit, FakeLiveKitApi)
            serving = asyncio.create_task(service.serve(dependencies, listening))
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
                yield Running(url, client, livekit, dependencies, folder / "data")
            stopping.set()
            await serving


@pytest.fixture
async def sender(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """For services with settings of their own."""
    return lambda **changes: running(tmp_path, **changes)
