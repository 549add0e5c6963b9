"""A gateway on the real server, and receivers to speak to."""

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

import pytest
from livekit import api

from mouthpiece.segments import Segment, Source, new_segment_id
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.journal import MemoryJournal
from mouthpiece_sender.livekit_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.livekit_server import LiveKit
from mouthpiece_sender.livekit_target import LiveKitTarget
from mouthpiece_sender.target import SpeakRequest
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
        async with Gateway(target, MemoryJournal(), max_queue=max_queue) as gateway:
            yield gateway


async def say(gateway: Gateway, room: str, seconds: float, **options: Any) -> Segment:
    """Accepts a tone."""
    request = SpeakRequest(room, Tone(seconds), Source("file", "tone"), new_segment_id(), **options)
    return await gateway.speak(request)


@dataclass
class StockReceiver:
    """``stock_receiver.py``, running."""

    process: asyncio.subprocess.Process

    async def line(self, timeout: float = 10) -> dict[str, Any]:
        """The next thing it says."""
        assert self.process.stdout is not None
        async with asyncio.timeout(timeout):
            line = await self.process.stdout.readline()
        assert line, "the receiver ended"
        value = json.loads(line)
        assert isinstance(value, dict)
        return value


StartReceiver = Callable[..., AbstractAsyncContextManager[StockReceiver]]


@pytest.fixture
def stock_receiver(livekit: LiveKit) -> StartReceiver:
    """Starts livekit-agents' receiver as an avatar in a room, in a process of its own."""

    @contextlib.asynccontextmanager
    async def start(
        room: str, *, identity: str = "avatar-stock", on_behalf_of: str | None = None, sender: str | None = None
    ) -> AsyncIterator[StockReceiver]:
        token = (
            api.AccessToken(livekit.api_key, livekit.api_secret)
            .with_kind("agent")
            .with_identity(identity)
            .with_grants(api.VideoGrants(room_join=True, room=room))
        )
        if on_behalf_of:
            token = token.with_attributes({"lk.publish_on_behalf": on_behalf_of})
        script = Path(__file__).with_name("stock_receiver.py")
        arguments = [livekit.url, token.to_jwt(), *([sender] if sender else [])]
        process = await asyncio.create_subprocess_exec(
            sys.executable, script, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            receiver = StockReceiver(process)
            assert await receiver.line() == {"ready": True}
            yield receiver
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()

    return start
