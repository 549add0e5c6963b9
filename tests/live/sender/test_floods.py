"""A participant of the room floods it with data: it is stopped, and what is said is heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from livekit import api, rtc

from mouthpiece.data_rate import DEFAULT_LIMIT
from mouthpiece.segments import Receipt, State
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.live.sender.conftest import running_gateway, say
from tests.live.viewer import Viewer

SECONDS = 3.0


@contextlib.asynccontextmanager
async def joined(livekit: LiveKit, room: str, kind: api.AccessToken.ParticipantKind) -> AsyncIterator[rtc.Room]:
    """A participant that may publish data and looks at nothing."""
    token = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_kind(kind)
        .with_identity("loud")
        .with_grants(api.VideoGrants(room_join=True, room=room))
    )
    there = rtc.Room()
    await there.connect(livekit.url, token.to_jwt(), rtc.RoomOptions(auto_subscribe=False))
    try:
        yield there
    finally:
        await there.disconnect()


async def flood(room: rtc.Room, destinations: list[str]) -> None:
    """Until it is cancelled; several packets at a time, so that it is one on a busy machine too."""

    async def packet() -> None:
        with contextlib.suppress(rtc.participant.PublishDataError):
            await room.local_participant.publish_data(bytes(10_000), topic="chat", destination_identities=destinations)

    while True:
        await asyncio.gather(*(packet() for _ in range(8)))
        await asyncio.sleep(0.02)


def may_publish(room: rtc.Room) -> bool:
    permissions = room.local_participant.permissions
    return permissions is None or permissions.can_publish_data


async def silenced(room: rtc.Room) -> None:
    while may_publish(room):  # noqa: ASYNC110 (the SDK says so by an event that may have come before)
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def limited_gateway(access: LiveKitAccess) -> AsyncIterator[Gateway]:
    async with running_gateway(access, data_limit=DEFAULT_LIMIT) as gateway:
        yield gateway


@pytest.mark.parametrize("destinations", [[], ["avatar-mia"]], ids=["everybody", "the avatar alone"])
async def test_it_loses_its_right_to_publish_data_and_what_is_said_after_that_is_heard_whole(
    livekit: LiveKit, access: LiveKitAccess, viewer: Viewer, room_name: str, destinations: list[str]
) -> None:
    async with limited_gateway(access) as gateway, joined(livekit, room_name, "standard") as loud:
        first = await say(gateway, room_name, 0.5)
        await gateway.wait(first.id, "finished", 20)
        flooding = asyncio.create_task(flood(loud, destinations))
        try:
            async with asyncio.timeout(20):
                await silenced(loud)
            segment = await say(gateway, room_name, SECONDS)
            ended = await gateway.wait(segment.id, "finished", 20)
        finally:
            flooding.cancel()
            await asyncio.wait([flooding])
        assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.CONFIRMED)
        assert ended.position == pytest.approx(SECONDS, abs=0.05)


async def test_an_agent_may_send_what_it_likes(
    livekit: LiveKit, access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    async with limited_gateway(access) as gateway, joined(livekit, room_name, "agent") as loud:
        first = await say(gateway, room_name, 0.5)
        await gateway.wait(first.id, "finished", 20)
        for _ in range(150):
            await loud.local_participant.publish_data(bytes(10_000), topic="chat")
        await asyncio.sleep(0.5)
        assert may_publish(loud)


async def test_what_people_write_to_each_other_is_no_flood(
    livekit: LiveKit, access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    async with limited_gateway(access) as gateway, joined(livekit, room_name, "standard") as loud:
        segment = await say(gateway, room_name, 2.0)
        for _ in range(60):
            await loud.local_participant.publish_data(bytes(1_000), topic="chat")
            await asyncio.sleep(0.02)
        ended = await gateway.wait(segment.id, "finished", 20)
        assert ended.state is State.FINISHED
        assert may_publish(loud)
