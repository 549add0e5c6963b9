"""A process ends, asked or killed, and the next one goes on with what it left."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from mouthpiece.errors import SenderStopping, SoundNotKept
from mouthpiece.segments import AttemptState, EndedBy, OnLoss, Receipt, Segment, State
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from tests.unit.sender.fake_connection import FakeConnection, FakeRoom
from tests.unit.sender.ten_ways.harness import OURS, STOCK, Silence, gateway, heard, say, target
from tests.virtual_time import in_virtual_time, now


class Killable(Gateway):
    """Ends as a process that is killed: nothing of what it still does reaches the room or the journal."""

    journal: MemoryJournal
    room: FakeRoom
    killed = False

    def kill(self) -> MemoryJournal:
        """Returns what is stored."""
        self.killed = True
        for connection in self.room.connections:
            connection.dead, connection.connected = True, False
        return copy.deepcopy(self.journal)

    def connect(self, *args: Any) -> FakeConnection:
        connection = self.room.connect(*args)
        connection.dead = self.killed
        return connection


async def silence_again(segment: Segment) -> Sound:
    return Silence(segment.audio.duration or 0.0)


async def not_kept(segment: Segment) -> Sound:
    raise SoundNotKept("It is gone.")


@asynccontextmanager
async def process(
    room: FakeRoom, journal: MemoryJournal, sound: Callable[[Segment], Awaitable[Sound]] = silence_again
) -> AsyncIterator[Killable]:
    livekit = target(room)
    running = Killable(replace(livekit, connect=lambda *args: running.connect(*args)), journal, clock=now)
    running.journal, running.room = journal, room
    async with running:
        await running.take_over(sound)
        yield running


@pytest.mark.parametrize("after", [0.1, 0.5, 1.0, 2.0, 3.1, 4.5, 7.0])
@pytest.mark.parametrize("away", [0.1, 5.0])
def test_after_a_kill_everything_that_was_accepted_is_heard_whole_and_once(after: float, away: float) -> None:
    @in_virtual_time
    async def goes_on() -> None:
        room = FakeRoom(OURS)
        async with process(room, MemoryJournal()) as first:
            segments = [await say(first, 3.0) for _ in range(3)]
            await asyncio.sleep(after)
            stored = first.kill()
            await asyncio.sleep(away)
            async with process(room, stored) as second:
                ends = [await second.wait(segment.id, "finished", 60) for segment in segments]
        assert [end.state for end in ends] == [State.FINISHED] * 3
        assert [heard(room, segment) for segment in segments] == [pytest.approx(3.0, abs=0.02)] * 3

    goes_on()


@in_virtual_time
async def test_an_attempt_is_stored_before_its_stream_opens() -> None:
    class Slow(MemoryJournal):
        async def record(self, *args, **options):  # type: ignore[no-untyped-def]
            await asyncio.sleep(2.0)
            return await super().record(*args, **options)

    room, journal = FakeRoom(OURS), Slow()
    async with process(room, journal) as running:
        segment = await say(running, 0.5)
        while not room.streams:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        ((_, attempts),) = await journal.unfinished()
        assert [(attempt.number, attempt.state) for attempt in attempts] == [(1, AttemptState.OPEN)]
        assert (attempts[0].avatar, attempts[0].profile) == (OURS.identity, "mouthpiece")
        assert attempts[0].session
        await running.wait(segment.id, "finished", 30)


@in_virtual_time
async def test_towards_a_stock_receiver_a_kill_costs_the_playing_one_and_a_clear_comes_first() -> None:
    room = FakeRoom(STOCK)
    async with process(room, MemoryJournal()) as first:
        segments = [await say(first, 3.0), await say(first, 3.0, on_loss=OnLoss.REPLAY), await say(first, 1.0)]
        await first.wait(segments[0].id, "playing", 10)
        await asyncio.sleep(1)
        stored, clears = first.kill(), room.clears
        async with process(room, stored) as second:
            ends = [await second.wait(segment.id, "finished", 60) for segment in segments]
    assert [(end.state, end.ended_by) for end in ends] == [
        (State.UNKNOWN, EndedBy.RESTART),
        (State.FINISHED, None),
        (State.FINISHED, None),
    ]
    assert ends[0].receipt is Receipt.UNKNOWN
    assert ends[0].error is not None
    assert ends[0].error.type == "restarted"
    assert room.clears > clears


@in_virtual_time
async def test_what_is_addressed_to_an_avatar_waits_for_that_one_after_a_restart() -> None:
    room, journal = FakeRoom(OURS), MemoryJournal()
    async with process(room, journal) as first:
        other = await say(first, 1.0, avatar="avatar-other")
        await asyncio.sleep(1)
        stored = first.kill()
        async with process(room, stored) as second:
            ended = await second.wait(other.id, "finished", 60)
    assert (ended.state, ended.error and ended.error.type) == (State.FAILED, "avatar-timeout")
    assert room.streams == []


@pytest.mark.parametrize("addressed", [False, True])
def test_the_rest_of_a_segment_is_said_by_another_avatar_unless_the_caller_named_the_one_that_is_gone(
    addressed: bool,
) -> None:
    @in_virtual_time
    async def rest() -> None:
        room, journal = FakeRoom(OURS), MemoryJournal()
        named = OURS.identity if addressed else None
        async with process(room, journal) as first:
            begun, waiting = await say(first, 60.0, avatar=named), await say(first, 1.0)
            await first.wait(begun.id, "playing", 10)
            await asyncio.sleep(5.0)
            await first.stop(0.0)
        before = heard(room, begun)
        room.avatar_leaves()
        room.avatar_comes(sid="PA_2", session="another", identity="avatar-other")
        async with process(room, journal) as second:
            ends = [await second.wait(segment.id, "finished", 90) for segment in (begun, waiting)]
        assert ends[1].state is State.FINISHED
        if addressed:
            assert (ends[0].state, heard(room, begun)) == (State.UNKNOWN, before)
        else:
            assert (ends[0].state, ends[0].avatar) == (State.FINISHED, "avatar-other")
            assert [attempt.avatar for attempt in ends[0].attempts] == [OURS.identity, "avatar-other"]
            assert heard(room, begun) == pytest.approx(60.0, abs=0.02)
            assert [stream.header.segment for stream in room.streams[-2:]] == [begun.id, waiting.id], "in order"

    rest()


@pytest.mark.parametrize("on_loss", OnLoss)
def test_after_a_kill_what_a_gone_avatar_may_have_said_is_said_by_another_only_with_replay(on_loss: OnLoss) -> None:
    @in_virtual_time
    async def rest() -> None:
        room = FakeRoom(OURS)
        async with process(room, MemoryJournal()) as first:
            segment = await say(first, 5.0, on_loss=on_loss)
            await first.wait(segment.id, "playing", 10)
            await asyncio.sleep(2.0)
            stored = first.kill()
            room.avatar_leaves()
            room.avatar_comes(sid="PA_2", session="another", identity="avatar-other")
            async with process(room, stored) as second:
                ended = await second.wait(segment.id, "finished", 25)
        if on_loss is OnLoss.DROP:
            assert (ended.state, ended.receipt) == (State.UNKNOWN, Receipt.UNKNOWN)
            assert [stream.header.attempt for stream in room.streams] == [1]
        else:
            assert (ended.state, ended.avatar, room.heard_of(segment.id)[-1]) == (
                State.FINISHED,
                "avatar-other",
                (2, pytest.approx(5.0, abs=0.02)),
            )

    rest()


@in_virtual_time
async def test_what_waited_too_long_meanwhile_has_expired() -> None:
    room = FakeRoom(OURS, present=False)
    async with process(room, MemoryJournal()) as first:
        segment = await say(first, 1.0, expires_in=5.0)
        await asyncio.sleep(1)
        stored = first.kill()
        shown = await stored.get(segment.id)
        assert shown.expires_at is not None
        past = replace(shown, expires_at=shown.created_at)
        stored._segments[segment.id] = past
        async with process(room, stored) as second:
            assert (await second.wait(segment.id, "finished", 1)).state is State.EXPIRED


@in_virtual_time
async def test_a_sound_that_is_gone_fails_and_says_so_and_the_rest_goes_on() -> None:
    async def some(segment: Segment) -> Sound:
        return await (not_kept(segment) if segment.id == lost.id else silence_again(segment))

    room = FakeRoom(OURS)
    async with process(room, MemoryJournal()) as first:
        playing = await say(first, 3.0)
        lost, kept = await say(first, 1.0), await say(first, 1.0)
        await first.wait(playing.id, "playing", 10)
        stored = first.kill()
        async with process(room, stored, some) as second:
            ended = await second.wait(lost.id, "finished", 1)
            assert (ended.state, ended.ended_by, ended.error and ended.error.type) == (
                State.FAILED,
                EndedBy.SOURCE,
                "sound-not-kept",
            )
            assert (await second.wait(kept.id, "finished", 20)).state is State.FINISHED


@in_virtual_time
async def test_what_the_avatar_played_to_its_end_has_finished_though_its_sound_is_gone() -> None:
    room = FakeRoom(OURS)
    async with process(room, MemoryJournal()) as first:
        segment = await say(first, 1.5)
        await first.wait(segment.id, "playing", 10)
        await asyncio.sleep(1.0)
        stored = first.kill()
        await asyncio.sleep(3)
        async with process(room, stored, not_kept) as second:
            ended = await second.wait(segment.id, "finished", 10)
    assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.CONFIRMED)


@in_virtual_time
async def test_a_stop_plays_out_what_fits_refuses_what_comes_and_leaves_what_waits() -> None:
    room, journal = FakeRoom(OURS), MemoryJournal()
    async with process(room, journal) as running:
        playing, waiting = await say(running, 5.0), await say(running, 5.0)
        await running.wait(playing.id, "playing", 10)
        began = now()
        stopping = asyncio.create_task(running.stop(20.0))
        await asyncio.sleep(0.1)
        with pytest.raises(SenderStopping):
            await say(running, 1.0)
        await stopping
        assert 3 < now() - began < 12
    assert (await journal.get(playing.id)).state is State.FINISHED
    end = await journal.get(waiting.id)
    assert (end.state, heard(room, waiting)) in ((State.QUEUED, 0.0), (State.FINISHED, pytest.approx(5.0)))
    assert room.cut_off == []


@in_virtual_time
async def test_a_stop_cuts_what_does_not_fit_and_the_next_process_goes_on_at_the_very_position() -> None:
    room, journal = FakeRoom(OURS), MemoryJournal()
    async with process(room, journal) as first:
        long, after = await say(first, 60.0), await say(first, 1.0)
        await first.wait(long.id, "playing", 10)
        await asyncio.sleep(5.0)
        began = now()
        await first.stop(20.0)
        assert now() - began < 3, "it does not play on what cannot end in time"
    cut = await journal.get(long.id)
    assert (cut.state, cut.attempts[0].state) == (State.PLAYING, AttemptState.INTERRUPTED)
    assert cut.attempts[0].position == pytest.approx(heard(room, long), abs=0.01)
    await asyncio.sleep(3)
    async with process(room, journal) as second:
        ends = [await second.wait(segment.id, "finished", 80) for segment in (long, after)]
    assert [end.state for end in ends] == [State.FINISHED] * 2
    assert heard(room, long) == pytest.approx(60.0, abs=0.02)
    assert ends[0].attempts[1].offset == pytest.approx(ends[0].attempts[0].position)


@in_virtual_time
async def test_a_stop_interrupts_a_stock_receiver_and_says_that_it_was_the_restart() -> None:
    room, journal = FakeRoom(STOCK), MemoryJournal()
    async with process(room, journal) as running:
        playing, waiting = await say(running, 60.0), await say(running, 1.0)
        await running.wait(playing.id, "playing", 10)
        await asyncio.sleep(2)
        await running.stop(1.0)
    cut = await journal.get(playing.id)
    assert (cut.state, cut.ended_by) == (State.INTERRUPTED, EndedBy.RESTART)
    assert (await journal.get(waiting.id)).state is State.QUEUED
    assert room.cut_off == []


@in_virtual_time
async def test_a_speaker_still_interrupts_and_drops_when_it_ends() -> None:
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        playing, waiting = await say(running, 30.0), await say(running, 1.0)
        await running.wait(playing.id, "playing", 10)
        began = now()
    assert now() - began < 3
    assert (await running.segment(playing.id)).state is State.INTERRUPTED
    assert (await running.segment(waiting.id)).state is State.CANCELLED
