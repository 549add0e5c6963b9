"""An app on a real LiveKit takes from everybody who joins the right to publish data: that is named, and at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from livekit import api

from mouthpiece.segments import Receipt, State
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.live.sender.conftest import running_gateway, say
from tests.live.viewer import Viewer


@contextlib.asynccontextmanager
async def server_api(livekit: LiveKit) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        yield server


async def take_the_right(server: api.LiveKitAPI, room: str) -> str:
    """As soon as the sender is there; return its identity."""
    while True:
        listed = await server.room.list_participants(api.ListParticipantsRequest(room=room))
        for participant in listed.participants:
            if participant.identity.startswith("external-audio-sender"):
                allowed = api.ParticipantPermission(can_subscribe=True, can_publish=True, can_publish_data=False)
                change = api.UpdateParticipantRequest(room=room, identity=participant.identity, permission=allowed)
                await server.room.update_participant(change)
                return participant.identity
        await asyncio.sleep(0.01)


async def test_as_it_joins(livekit: LiveKit, access: LiveKitAccess, viewer: Viewer, room_name: str) -> None:
    async with server_api(livekit) as server, running_gateway(access) as gateway:
        app = asyncio.create_task(take_the_right(server, room_name))
        accepted = await say(gateway, room_name, 20.0)
        await app
        async with asyncio.timeout(10):
            ended = await gateway.wait(accepted.id, "finished", 30)
    assert ended.state in (State.FAILED, State.UNKNOWN)
    assert ended.error is not None
    assert "canPublishData" in ended.error.detail


async def test_in_mid_speech(livekit: LiveKit, access: LiveKitAccess, viewer: Viewer, room_name: str) -> None:
    async with server_api(livekit) as server, running_gateway(access) as gateway:
        playing, waiting = await say(gateway, room_name, 30.0), await say(gateway, room_name, 1.0)
        assert (await gateway.wait(playing.id, "playing", 20)).state is State.PLAYING
        await take_the_right(server, room_name)
        for segment in (playing, waiting):
            async with asyncio.timeout(10):
                ended = await gateway.wait(segment.id, "finished", 30)
            assert ended.state.terminal
            assert ended.error is not None
            assert "canPublishData" in ended.error.detail


async def test_what_is_said_after_it_was_given_back_is_heard(
    livekit: LiveKit, access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    async with server_api(livekit) as server, running_gateway(access) as gateway:
        playing = await say(gateway, room_name, 30.0)
        await gateway.wait(playing.id, "playing", 20)
        await take_the_right(server, room_name)
        await gateway.wait(playing.id, "finished", 30)
        segment = await say(gateway, room_name, 1.0)  # the app leaves the sender alone this time
        ended = await gateway.wait(segment.id, "finished", 30)
    assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.CONFIRMED)
