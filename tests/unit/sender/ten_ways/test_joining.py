"""docs/wire.md, ways 1, 2, 3, 8 and 9: the sender as a participant."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from livekit import api
from livekit.api.access_token import Claims

from mouthpiece import wire
from mouthpiece.segments import State
from mouthpiece.wire import PlaybackReceipt, StreamHeader
from mouthpiece_sender.livekit.connection import ClearAnswer, ReceiptArrived
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.fake_rtc import FakeRtcRoom, joined
from tests.unit.sender.ten_ways.harness import ACCESS, OURS, STOCK, gateway, say
from tests.virtual_time import in_virtual_time, now


@in_virtual_time
async def test_way_1_the_sender_is_visible_before_it_speaks() -> None:
    room = FakeRtcRoom()
    async with joined(room, lambda event: None) as connection:
        stream = await connection.open_stream("avatar-x", StreamHeader(16_000, 1))
        await stream.write(b"the first segment")
        await stream.aclose()
    assert room.arrived == b"the first segment"


@in_virtual_time
async def test_way_2_nothing_is_sent_before_the_avatar_listens() -> None:
    room = FakeRoom(STOCK, [ClearAnswer.UNSUPPORTED, ClearAnswer.NONE, ClearAnswer.UNSUPPORTED])
    async with gateway(room) as running:
        segment = await say(running, 1.0)
        while room.clear_answers:
            assert room.streams == []
            await asyncio.sleep(0.05)
        assert (await running.wait(segment.id, "finished", 10)).state is State.FINISHED


@in_virtual_time
async def test_way_2_an_avatar_that_listens_to_another_sender_is_named_within_a_second() -> None:
    room = FakeRoom(STOCK, [ClearAnswer.REJECT])
    async with gateway(room) as running:
        ended = await running.wait((await say(running, 1.0)).id, "finished", 1)
        assert ended.error is not None
        assert (ended.state, ended.error.type, room.streams) == (State.FAILED, "avatar-bound-elsewhere", [])
        assert "agent-1" in ended.error.detail


@in_virtual_time
async def test_way_2_nothing_is_sent_before_our_avatar_answers_the_question_where_streams_are() -> None:
    room = FakeRoom(OURS, deaf=True)
    async with gateway(room) as running:
        segment = await say(running, 1.0)
        await asyncio.sleep(10)
        assert room.connections
        assert room.streams == []
        room.deaf = False
        assert (await running.wait(segment.id, "finished", 10)).state is State.FINISHED


FINISHED = json.dumps({"playback_position": 1.5, "interrupted": False})
NAMED = PlaybackReceipt("seg_1", "finished", 1.5, False, attempt=2)
RECEIPTS = [
    (wire.RPC_PLAYBACK_STARTED, "", [ReceiptArrived("avatar-x", PlaybackReceipt(None, "started", 0.0, False))]),
    (
        wire.RPC_PLAYBACK_FINISHED,
        FINISHED,
        [ReceiptArrived("avatar-x", PlaybackReceipt(None, "finished", 1.5, False))],
    ),
    (wire.RPC_PLAYBACK_FINISHED, "no JSON", []),
    (wire.RPC_PLAYBACK, NAMED.dumps(), [ReceiptArrived("avatar-x", NAMED)]),
    (wire.RPC_PLAYBACK, "{}", []),
]


@pytest.mark.parametrize(("method", "payload", "events"), RECEIPTS)
def test_way_3_every_receipt_is_answered(method: str, payload: str, events: list[Any]) -> None:
    @in_virtual_time
    async def answers() -> None:
        room = FakeRtcRoom()
        received: list[Any] = []
        async with joined(room, received.append):
            assert room.call(method, payload) == "ok"
        assert received == events

    answers()


@in_virtual_time
async def test_way_3_the_answer_leaves_before_the_sender_does() -> None:
    room = FakeRtcRoom()
    async with joined(room, lambda event: None):
        room.call(wire.RPC_PLAYBACK_FINISHED, FINISHED)
        received_at = now()
    assert room.left_at is not None
    assert room.left_at - received_at >= 0.3


@in_virtual_time
async def test_streams_of_an_agents_session_are_taken_and_closed() -> None:
    """Without a handler, the SDK logs each of them."""
    room = FakeRtcRoom()
    async with joined(room, lambda event: None):
        assert wire.SESSION_TOPIC in room.byte_topics
        assert {"lk.transcription", "lk.chat"} <= room.text_topics


def claims(token: str) -> Claims:
    return api.TokenVerifier(ACCESS.api_key, ACCESS.api_secret).verify(token)


@in_virtual_time
async def test_way_8_the_sender_is_neither_the_agent_nor_the_avatar() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room) as running:
        await running.wait((await say(running, 0.5)).id, "finished", 10)
    (connection,) = room.connections
    said = claims(connection.token)
    assert said.kind == "agent"
    assert (said.attributes or {}).get("lk.publish_on_behalf") == said.identity
    assert said.identity not in ("agent-1", STOCK.identity)


@in_virtual_time
async def test_way_9_the_sender_has_an_identity_of_its_own_in_each_room() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room, names=("one", "two")) as running:
        for name in ("one", "two"):
            await running.wait((await say(running, 0.5, room=name)).id, "finished", 10)
    identities = {claims(connection.token).identity for connection in room.connections}
    assert len(identities) == len(room.connections) == 2


@in_virtual_time
async def test_way_9_a_receipt_counts_in_the_room_that_it_came_from() -> None:
    """The SDK's own sender keeps its handlers in the class, so that two rooms share them."""
    here, there = FakeRtcRoom(), FakeRtcRoom()
    received: list[str] = []
    async with (
        joined(here, lambda event: received.append("here")),
        joined(there, lambda event: received.append("there")),
    ):
        here.call(wire.RPC_PLAYBACK_STARTED)
        there.call(wire.RPC_PLAYBACK_STARTED)
    assert received == ["here", "there"]


@in_virtual_time
async def test_way_9_after_a_second_join_under_its_identity_the_sender_stays_out() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room) as running:
        playing, waiting = await say(running, 30.0), await say(running, 1.0)
        await running.wait(playing.id, "playing", 10)
        room.connections[0].disconnect("DUPLICATE_IDENTITY")
        ends = [await running.wait(segment.id, "finished", 1) for segment in (playing, waiting)]
        assert [end.state for end in ends] == [State.UNKNOWN, State.FAILED]
        assert {end.error.type for end in ends if end.error} == {"duplicate-identity"}
        await asyncio.sleep(120)
        assert len(room.connections) == 1
