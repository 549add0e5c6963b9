"""LiveKit itself goes away in mid-segment, and comes back."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from mouthpiece.segments import Receipt, State
from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.live.agents.services import AvatarServer
from tests.live.sender.conftest import running_gateway, say, start_avatar


@pytest.fixture
def binary() -> Path:
    found = livekit_server.find_binary()
    if found is None:
        reason = "no livekit-server on PATH or in the cache: `make livekit-server` builds one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.mark.timeout(180)
async def test_what_played_is_unknown_and_what_waited_is_said_when_it_is_back(
    binary: Path, room_name: str, tmp_path: Path
) -> None:
    port = livekit_server.free_port()
    async with livekit_server.run_server(binary, port=port) as livekit:
        avatars = await asyncio.to_thread(lambda: AvatarServer(livekit, tmp_path))
        access = LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)
        await start_avatar(livekit, avatars, room_name)
        gateway_context = running_gateway(access, avatar_timeout=60.0)
        gateway = await gateway_context.__aenter__()
        first = await say(gateway, room_name, 30.0)
        second = await say(gateway, room_name, 0.5)
        assert (await gateway.wait(first.id, "playing", 10)).state is State.PLAYING
        await asyncio.sleep(1)
    try:
        gone = time.monotonic()
        lost = await gateway.wait(first.id, "finished", 20)
        assert time.monotonic() - gone < 10
        assert (lost.state, lost.receipt) == (State.UNKNOWN, Receipt.UNKNOWN)
        assert lost.error is not None
        assert lost.error.type in ("livekit-unavailable", "room-closed", "avatar-left")
        assert (await gateway.segment(second.id)).state is State.QUEUED
        used = time.process_time()
        await asyncio.sleep(3)
        assert time.process_time() - used < 1.5, "it spins while LiveKit is away"
        async with livekit_server.run_server(binary, port=port) as livekit:
            await start_avatar(livekit, avatars, room_name)
            heard = await gateway.wait(second.id, "finished", 40)
            assert (heard.state, heard.receipt) == (State.FINISHED, Receipt.CONFIRMED)
            await gateway_context.__aexit__(None, None, None)
    finally:
        await asyncio.to_thread(avatars.__exit__, None, None, None)
