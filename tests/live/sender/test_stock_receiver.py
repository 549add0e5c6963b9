"""Against livekit-agents' own receiver, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit import api, rtc

from mouthpiece.audio.pcm import Pcm
from mouthpiece.segments import Receipt, Source, State, new_segment_id
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from mouthpiece_sender.target import SpeakRequest
from tests.live.sender.conftest import StartReceiver, running_gateway, say
from tests.sounds import Tone


async def test_the_first_segment_of_every_sender_arrives_whole(
    access: LiveKitAccess, stock_receiver: StartReceiver, room_name: str
) -> None:
    for trial in range(4):
        room = f"{room_name}-{trial}"
        async with stock_receiver(room) as receiver, running_gateway(access) as gateway:
            segment = await say(gateway, room, 0.5)
            assert await receiver.line() == {"seconds": 0.5, "interrupted": False}
            ended = await gateway.wait(segment.id, "finished", 5)
            assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.CONFIRMED)


async def test_ten_segments_in_a_row_arrive_in_order_and_whole(
    access: LiveKitAccess, stock_receiver: StartReceiver, room_name: str
) -> None:
    lengths = [0.3 + 0.1 * number for number in range(10)]
    async with stock_receiver(room_name) as receiver, running_gateway(access) as gateway:
        segments = [await say(gateway, room_name, length) for length in lengths]
        heard = [(await receiver.line())["seconds"] for _ in lengths]
        assert heard == pytest.approx(lengths)
        ends = [await gateway.wait(segment.id, "finished", 5) for segment in segments]
        assert {end.state for end in ends} == {State.FINISHED}


async def test_it_still_listens_after_a_sender_that_left_in_mid_segment(
    access: LiveKitAccess, stock_receiver: StartReceiver, room_name: str
) -> None:
    async with stock_receiver(room_name) as receiver:
        async with running_gateway(access, identity="external-audio-sender-1") as gateway:
            segment = await say(gateway, room_name, 20)
            await gateway.wait(segment.id, "playing", 5)
            await asyncio.sleep(0.5)
        assert (await receiver.line())["interrupted"] is True
        async with running_gateway(access, identity="external-audio-sender-1") as gateway:
            await say(gateway, room_name, 0.5)
            assert await receiver.line() == {"seconds": 0.5, "interrupted": False}


async def test_an_interrupt_stops_it_and_the_next_one_is_heard(
    access: LiveKitAccess, stock_receiver: StartReceiver, room_name: str
) -> None:
    async with stock_receiver(room_name) as receiver, running_gateway(access) as gateway:
        for _ in range(3):
            segment = await say(gateway, room_name, 10)
            await gateway.wait(segment.id, "playing", 5)
            await asyncio.sleep(0.7)
            (ended,) = await gateway.interrupt(room_name)
            assert (ended.state, ended.receipt) == (State.INTERRUPTED, Receipt.CONFIRMED)
            line = await receiver.line()
            assert line["interrupted"] is True
            assert ended.position == pytest.approx(line["seconds"], abs=0.6)
        await say(gateway, room_name, 0.5)
        assert await receiver.line() == {"seconds": 0.5, "interrupted": False}


async def test_one_that_is_bound_to_its_agent_is_reported_and_nothing_counts_as_played(
    access: LiveKitAccess, livekit: LiveKit, stock_receiver: StartReceiver, room_name: str
) -> None:
    agent = rtc.Room()
    token = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_kind("agent")
        .with_identity("agent-7")
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
    )
    await agent.connect(livekit.url, token.to_jwt())
    try:
        async with (
            stock_receiver(room_name, identity="simli-avatar-agent", on_behalf_of="agent-7", sender="agent-7"),
            running_gateway(access) as gateway,
        ):
            segment = await say(gateway, room_name, 1)
            ended = await gateway.wait(segment.id, "finished", 5)
        assert ended.state is State.FAILED
        assert ended.position == 0
        assert ended.error is not None
        assert ended.error.type == "avatar-bound-elsewhere"
        assert "agent-7" in ended.error.detail
    finally:
        await agent.disconnect()


async def test_no_avatar_in_time_is_a_failure_that_says_so(access: LiveKitAccess, room_name: str) -> None:
    async with running_gateway(access, avatar_timeout=1.0) as gateway:
        segment = await say(gateway, room_name, 1)
        ended = await gateway.wait(segment.id, "finished", 5)
        assert ended.state is State.FAILED
        assert ended.error is not None
        assert ended.error.type == "avatar-timeout"


class Pausing(Tone):
    """A text that somebody types: half a second of sound, twelve of nothing, and half a second more."""

    @asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        async def blocks() -> AsyncIterator[Pcm]:
            yield Pcm(self.samples[:8_000], 16_000)
            await asyncio.sleep(12)
            yield Pcm(self.samples[:8_000], 16_000)

        yield blocks()


async def test_a_source_that_pauses_for_longer_than_a_receiver_waits_is_heard_to_its_end(
    access: LiveKitAccess, stock_receiver: StartReceiver, room_name: str
) -> None:
    async with stock_receiver(room_name) as receiver, running_gateway(access) as gateway:
        request = SpeakRequest(room_name, Pausing(1.0), Source("text"), new_segment_id())
        segment = await gateway.speak(request)
        ended = await gateway.wait(segment.id, "finished", 25)
        assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.CONFIRMED)
        heard = await receiver.line()
        assert heard["interrupted"] is False
        assert heard["seconds"] == pytest.approx(1.0, abs=0.1)
