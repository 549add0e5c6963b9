"""LiveKit, the avatar or the data channel is away for a while: what was queued is heard whole, once and in order."""

from __future__ import annotations

import asyncio

import pytest

from mouthpiece.playback.receiver import AWAY_LIMIT
from mouthpiece.segments import AttemptState, EndedBy, Receipt, Segment, State
from mouthpiece_sender.livekit.connection import Disconnected
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.ten_ways.harness import OURS, STOCK, all_ends, gateway, heard, say, speaking
from tests.virtual_time import in_virtual_time, now


def heard_whole_and_in_order(room: FakeRoom, segments: list[Segment], seconds: float) -> None:
    assert [heard(room, segment) for segment in segments] == [pytest.approx(seconds, abs=0.02)] * len(segments)
    order = [segment.id for segment in segments]
    said = [order.index(stream.header.segment or "") for stream, position in room.heard if position > 0]
    assert said == sorted(said)


@in_virtual_time
async def test_our_avatar_is_asked_and_never_probed_with_a_clear() -> None:
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        segment = await say(running, 1.0)
        assert (await running.wait(segment.id, "finished", 10)).state is State.FINISHED
        room.lose_line()
        await asyncio.sleep(3)
        room.restore_line()
        segment = await say(running, 1.0)
        assert (await running.wait(segment.id, "finished", 10)).state is State.FINISHED
    assert room.clears == 0


@in_virtual_time
async def test_streams_carry_the_number_of_their_attempt() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 3.0, 3.0) as (running, [first, second]):
        await asyncio.sleep(1.5)
        await running.cancel(first.id)
        await running.wait(second.id, "finished", 20)
    attempts = [stream.header.attempt for stream in room.streams if stream.header.segment == second.id]
    assert attempts == list(range(1, len(attempts) + 1))


@pytest.mark.parametrize("seconds", [0.5, 5.0, 20.0, 60.0])
def test_after_an_absence_of_livekit_the_playing_one_goes_on_and_the_queue_after_it(seconds: float) -> None:
    @in_virtual_time
    async def goes_on() -> None:
        room = FakeRoom(OURS)
        async with speaking(room, 4.0, 4.0, 4.0) as (running, segments):
            await asyncio.sleep(1.0)
            room.lose_line()
            await asyncio.sleep(seconds)
            segments.append(await say(running, 4.0))
            room.restore_line()
            ends = await all_ends(running, segments)
            assert [end.state for end in ends] == [State.FINISHED] * 4
            heard_whole_and_in_order(room, segments, 4.0)

    goes_on()


@in_virtual_time
async def test_a_disconnection_is_an_absence_too() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 4.0, 4.0, 4.0) as (running, segments):
        await asyncio.sleep(1.0)
        room.connections[0].disconnect("SERVER_SHUTDOWN")
        ends = await all_ends(running, segments)
        assert [end.state for end in ends] == [State.FINISHED] * 3
        heard_whole_and_in_order(room, segments, 4.0)
        assert len(room.connections) == 2
        first = ends[0].attempts
        assert [attempt.number for attempt in first] == [1, 2]
        assert first[0].state is AttemptState.INTERRUPTED
        assert first[1].offset == pytest.approx(first[0].position)


@in_virtual_time
async def test_a_channel_that_stays_dead_is_made_anew() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 4.0, 4.0, 4.0) as (running, segments):
        await asyncio.sleep(1.0)
        room.stall()
        back = now()
        await running.wait(segments[0].id, "finished", 60)
        assert now() - back < 15
        ends = await all_ends(running, segments)
        assert [end.state for end in ends] == [State.FINISHED] * 3
        heard_whole_and_in_order(room, segments, 4.0)
        assert len(room.connections) == 2


@in_virtual_time
async def test_a_channel_that_dies_without_a_word_is_made_anew_and_nothing_is_lost() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0) as (running, segments):
        for connection in room.connections:
            connection.dead = True
        ends = await all_ends(running, segments)
        assert [end.state for end in ends] == [State.FINISHED] * 8
        heard_whole_and_in_order(room, segments, 1.0)


@in_virtual_time
async def test_an_abandoned_connection_of_ours_that_comes_back_does_not_end_us() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 4.0, 4.0) as (running, segments):
        room.stall()
        while len(room.connections) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        room.connections[-1].disconnect("DUPLICATE_IDENTITY")
        ends = await all_ends(running, segments)
        assert [end.state for end in ends] == [State.FINISHED] * 2
        heard_whole_and_in_order(room, segments, 4.0)
        assert len(room.connections) == 3


@in_virtual_time
async def test_a_reconnection_that_takes_long_is_given_up_for_a_new_connection() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 4.0) as (running, [segment]):
        room.lose_line()
        await asyncio.sleep(8)
        room.line_is_up = True  # and the SDK does not say so
        assert (await running.wait(segment.id, "finished", 15)).state is State.FINISHED
        assert len(room.connections) == 2


@in_virtual_time
async def test_an_avatar_that_never_answers_does_not_make_us_join_for_ever() -> None:
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        room.deaf = True
        segment = await say(running, 1.0)
        ended = await running.wait(segment.id, "finished", 300)
        assert ended.state is State.FAILED
        assert ended.ended_by is EndedBy.AVATAR
        assert len(room.connections) <= 5


@in_virtual_time
async def test_the_time_without_livekit_is_no_time_without_an_avatar() -> None:
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        segment = await say(running, 1.0)
        await running.wait(segment.id, "finished", 10)
        room.lose_line()
        waiting = await say(running, 1.0, avatar=OURS.identity)
        await asyncio.sleep(300)
        assert (await running.segment(waiting.id)).state is State.QUEUED
        room.line_is_up = True
        assert (await running.wait(waiting.id, "finished", 15)).state is State.FINISHED


@in_virtual_time
async def test_livekit_that_does_not_come_back_leaves_what_played_unknown_and_what_waits_waiting() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 6.0, 6.0, 6.0) as (running, [segment, behind, waiting]):
        await asyncio.sleep(1)
        room.lose_line()
        away = now()
        lost = await running.wait(segment.id, "finished", 600)
        assert now() - away == pytest.approx(AWAY_LIMIT, abs=2)
        assert (lost.state, lost.receipt, lost.ended_by, lost.error and lost.error.type) == (
            State.UNKNOWN,
            Receipt.UNKNOWN,
            EndedBy.CONNECTION,
            "livekit-unavailable",
        )
        assert lost.position == pytest.approx(1.0, abs=0.1)
        await asyncio.sleep(600)
        assert [(await running.segment(one.id)).state for one in (behind, waiting)] == [State.QUEUED] * 2
        room.avatar_comes(sid="PA_2", session="another")
        room.line_is_up = True
        ends = await all_ends(running, [behind, waiting])
        assert [end.state for end in ends] == [State.FINISHED] * 2
        heard_whole_and_in_order(room, [behind, waiting], 6.0)


@in_virtual_time
async def test_a_stock_receiver_loses_what_played_and_is_probed_before_the_next() -> None:
    room = FakeRoom(STOCK)
    async with speaking(room, 5.0, 1.0) as (running, [first, second]):
        clears = room.clears
        room.lose_line()
        lost = await running.wait(first.id, "finished", 5)
        assert (lost.state, lost.receipt, lost.ended_by) == (State.UNKNOWN, Receipt.UNKNOWN, EndedBy.CONNECTION)
        assert lost.attempts[0].state is AttemptState.LOST
        assert (await running.segment(second.id)).state is State.QUEUED
        await asyncio.sleep(1)
        room.restore_line()
        assert (await running.wait(second.id, "finished", 10)).state is State.FINISHED
        assert room.clears > clears


@pytest.mark.parametrize(
    ("reason", "by"),
    [("ROOM_CLOSED", EndedBy.ROOM), ("ROOM_DELETED", EndedBy.ROOM), ("DUPLICATE_IDENTITY", EndedBy.CONNECTION)],
)
def test_what_cannot_be_asked_for_any_more_is_unknown_and_says_why(reason: str, by: EndedBy) -> None:
    @in_virtual_time
    async def ends() -> None:
        room = FakeRoom(OURS)
        async with speaking(room, 5.0) as (running, [segment]):
            room.connections[0].listener(Disconnected(reason))
            ended = await running.wait(segment.id, "finished", 2)
            assert (ended.state, ended.ended_by) == (State.UNKNOWN, by)

    ends()


@in_virtual_time
async def test_an_avatar_that_left_by_itself_does_not_come_back() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 5.0, 1.0) as (running, [first, second]):
        room.avatar_leaves()
        lost = await running.wait(first.id, "finished", 2)
        assert (lost.state, lost.ended_by) == (State.UNKNOWN, EndedBy.AVATAR)
        room.avatar_comes(sid="PA_2", session="another")
        assert (await running.wait(second.id, "finished", 10)).state is State.FINISHED


@in_virtual_time
async def test_an_avatar_that_livekit_lost_comes_back_and_says_what_it_played() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 4.0, 4.0) as (running, segments):
        await asyncio.sleep(1)
        room.avatar_comes(sid="PA_1", session="one")  # known by name now
        room.avatar_leaves(by_itself=False)
        await asyncio.sleep(3)
        room.avatar_comes(sid="PA_2")
        ends = await all_ends(running, segments)
        assert [end.state for end in ends][1] is State.FINISHED
        assert heard(room, segments[1]) == pytest.approx(4.0, abs=0.02)


@in_virtual_time
async def test_an_avatar_that_livekit_lost_for_good_leaves_what_it_played_unknown() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 5.0) as (running, [segment]):
        room.avatar_leaves(by_itself=False)
        await asyncio.sleep(5)
        assert (await running.segment(segment.id)).state is State.PLAYING
        lost = await running.wait(segment.id, "finished", 15)
        assert (lost.state, lost.ended_by, lost.error and lost.error.type) == (
            State.UNKNOWN,
            EndedBy.AVATAR,
            "avatar-left",
        )


@in_virtual_time
async def test_an_avatar_of_an_earlier_version_is_spoken_to_as_before() -> None:
    room = FakeRoom(OURS, answers_status=False)
    async with gateway(room) as running:
        segment = await say(running, 1.0)
        ended = await running.wait(segment.id, "finished", 10)
        assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.CONFIRMED)
        assert room.clears == 1
