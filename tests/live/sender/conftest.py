"""A gateway on the real server, and avatars and receivers to speak to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from livekit import api

from mouthpiece.segments import Segment, Source, new_segment_id
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.livekit.target import LiveKitTarget
from mouthpiece_sender.places import Quotas
from mouthpiece_sender.speaker import Speaker
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from mouthpiece_sender.target import SpeakRequest
from tests.live.agents.services import AvatarServer
from tests.live.viewer import Viewer, viewer_token
from tests.sounds import Tone


@pytest.fixture
def access(livekit: LiveKit) -> LiveKitAccess:
    return LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)


@contextlib.asynccontextmanager
async def running_gateway(access: LiveKitAccess, **options: Any) -> AsyncIterator[Gateway]:
    """A gateway of an identity of its own."""
    max_queue = options.pop("max_queue", 100)
    async with LiveKitApi(access) as server:
        target = LiveKitTarget(access, server, instance=secrets.token_hex(3), **options)
        async with Gateway(target, MemoryJournal(), quotas=Quotas(room_segments=max_queue)) as gateway:
            yield gateway


async def say(gateway: Gateway, room: str, seconds: float, **options: Any) -> Segment:
    """Accepts a tone."""
    request = SpeakRequest(room, Tone(seconds), Source("file", "tone"), new_segment_id(), **options)
    return await gateway.speak(request)


async def start_avatar(livekit: LiveKit, server: AvatarServer, room: str) -> None:
    """As the worker does it."""
    token = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_kind("agent")
        .with_identity("avatar-mia")
        .with_name("avatar-mia")
        .with_attributes({"lk.publish_on_behalf": "agent-1"})
        .with_grants(api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True))
    )
    body = {
        "livekit_url": livekit.url,
        "livekit_token": token.to_jwt(),
        "avaluma_key": "any",
        "avaluma_avatar_id": "mia",
    }
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(f"{server.url}/v1/livekit/start-avatar", headers={"api-secret": "any"}, json=body)
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def viewer(livekit: LiveKit, avatar_server: AvatarServer, room_name: str) -> AsyncIterator[Viewer]:
    await start_avatar(livekit, avatar_server, room_name)
    async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
        await viewer.ready()
        yield viewer


@pytest.fixture
async def speaker(access: LiveKitAccess, room_name: str) -> AsyncIterator[Speaker]:
    async with Speaker(room_name, url=access.url, api_key=access.api_key, api_secret=access.api_secret) as speaker:
        yield speaker


PLAYING = {"playing": True}
"""What the stock receiver says when a segment begins."""


@dataclass
class StockReceiver:
    """``stock_receiver.py``, running."""

    process: asyncio.subprocess.Process

    async def line(self, timeout: float = 10) -> dict[str, Any]:
        """The next thing it says, but for the beginnings of segments."""
        async with asyncio.timeout(timeout):
            while (value := await self._line()) == PLAYING:
                pass
        return value

    async def playing(self, timeout: float = 30) -> None:
        """Return when the next segment begins."""
        async with asyncio.timeout(timeout):
            assert await self._line() == PLAYING

    async def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the receiver ended"
        value = json.loads(line)
        assert isinstance(value, dict)
        return value


StartReceiver = Callable[..., AbstractAsyncContextManager[StockReceiver]]


@pytest.fixture
def stock_receiver(livekit: LiveKit) -> StartReceiver:
    """Starts livekit-agents' receiver as an avatar in a room, in a process of its own."""
    return stock_receivers(livekit)


def stock_receivers(livekit: LiveKit) -> StartReceiver:
    """As the fixture, on any server."""

    @contextlib.asynccontextmanager
    async def start(
        room: str,
        *,
        identity: str = "avatar-stock",
        on_behalf_of: str | None = None,
        sender: str | None = None,
        script: str = "stock_receiver.py",
    ) -> AsyncIterator[StockReceiver]:
        token = (
            api.AccessToken(livekit.api_key, livekit.api_secret)
            .with_kind("agent")
            .with_identity(identity)
            .with_grants(api.VideoGrants(room_join=True, room=room))
        )
        if on_behalf_of:
            token = token.with_attributes({"lk.publish_on_behalf": on_behalf_of})
        program = Path(__file__).with_name(script)
        arguments = [livekit.url, token.to_jwt(), *([sender] if sender else [])]
        process = await asyncio.create_subprocess_exec(
            sys.executable, program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            receiver = StockReceiver(process)
            assert await receiver.line(30) == {"ready": True}  # it imports for seconds
            yield receiver
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()

    return start
