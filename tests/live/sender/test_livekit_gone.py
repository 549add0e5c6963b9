"""LiveKit itself goes away in mid-segment, and comes back."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from mouthpiece.segments import EndedBy, Receipt, State
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
async def test_another_avatar_leaves_what_played_unknown_and_says_what_waited(
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
        await asyncio.sleep(10)
        assert (await gateway.segment(first.id)).state is State.PLAYING, "its avatar may come back and say"
        assert (await gateway.segment(second.id)).state is State.QUEUED
        used = time.process_time()
        await asyncio.sleep(3)
        assert time.process_time() - used < 1.5, "it spins while LiveKit is away"
        async with livekit_server.run_server(binary, port=port) as livekit:
            await start_avatar(livekit, avatars, room_name)
            lost = await gateway.wait(first.id, "finished", 40)
            assert (lost.state, lost.receipt, lost.ended_by) == (State.UNKNOWN, Receipt.UNKNOWN, EndedBy.AVATAR)
            heard = await gateway.wait(second.id, "finished", 40)
            assert (heard.state, heard.receipt) == (State.FINISHED, Receipt.CONFIRMED)
            await gateway_context.__aexit__(None, None, None)
    finally:
        await asyncio.to_thread(avatars.__exit__, None, None, None)
