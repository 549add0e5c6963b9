"""A room that is paused: what plays is cut and goes on at that position, what waits waits."""

from __future__ import annotations

import asyncio

import pytest

from mouthpiece.segments import EndedBy, Mode, State
from mouthpiece_sender.playout.pauses import Pauses
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.ten_ways.harness import OURS, STOCK, gateway, heard, say, speaking
from tests.unit.sender.test_stop_and_restart import process
from tests.virtual_time import in_virtual_time


@pytest.mark.parametrize("avatar", [None, OURS.identity])
def test_a_pause_cuts_at_once_and_resumes_at_the_very_position(avatar: str | None) -> None:
    @in_virtual_time
    async def pauses() -> None:
        room = FakeRoom(OURS)
        async with speaking(room, 6.0, 1.0) as (running, [first, second]):
            await asyncio.sleep(2)
            stopped = await running.pause("demo", avatar=avatar)
            assert [(segment.id, segment.state) for segment in stopped if segment.id == first.id] == [
                (first.id, State.PAUSED)
            ]
            before = heard(room, first)
            assert stopped[0].position == pytest.approx(before, abs=0.01)
            assert running.is_paused("demo")
            assert running.activity()["demo"].paused
            late = await say(running, 1.0)
            await asyncio.sleep(30)
            assert heard(room, first) == before
            assert (await running.segment(late.id)).state is State.QUEUED
            await running.resume("demo", avatar=avatar)
            assert not running.is_paused("demo")
            ends = [await running.wait(segment.id, "finished", 30) for segment in (first, second, late)]
            assert [end.state for end in ends] == [State.FINISHED] * 3
            assert heard(room, first) == pytest.approx(6.0, abs=0.02)

    pauses()


@in_virtual_time
async def test_a_paused_room_is_left_when_it_has_been_quiet_and_comes_back_with_resume() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 6.0) as (running, [segment]):
        await running.pause("demo")
        await asyncio.sleep(100)
        assert not running.activity()["demo"].connected
        await asyncio.sleep(500)
        assert (await running.segment(segment.id)).state is State.PAUSED
        await running.resume("demo")
        assert (await running.wait(segment.id, "finished", 30)).state is State.FINISHED
        assert heard(room, segment) == pytest.approx(6.0, abs=0.02)


@in_virtual_time
async def test_a_pause_survives_a_restart_and_the_loss_of_the_avatar() -> None:
    room, journal = FakeRoom(OURS), MemoryJournal()
    async with process(room, journal) as first:
        segment = await say(first, 6.0)
        await first.wait(segment.id, "playing", 10)
        await asyncio.sleep(2)
        await first.pause("demo")
        stored = first.kill()
    async with process(room, stored) as second:
        assert second.is_paused("demo")
        await asyncio.sleep(5)
        room.avatar_leaves()
        await asyncio.sleep(60)
        room.avatar_comes(sid="PA_2", session="another")
        await asyncio.sleep(5)
        assert (await second.segment(segment.id)).state is State.PAUSED
        await second.resume("demo")
        assert (await second.wait(segment.id, "finished", 30)).state is State.FINISHED
        assert await stored.paused_rooms() == frozenset()
    assert heard(room, segment) == pytest.approx(6.0, abs=0.02)


@in_virtual_time
async def test_a_room_that_is_paused_before_anything_is_said_holds_what_comes() -> None:
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        assert await running.pause("demo") == []
        segment = await say(running, 1.0)
        await asyncio.sleep(100)
        assert (await running.segment(segment.id)).state is State.QUEUED
        await running.resume("demo")
        assert (await running.wait(segment.id, "finished", 20)).state is State.FINISHED


@in_virtual_time
async def test_an_interrupt_ends_the_paused_one() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 6.0, 1.0) as (running, [first, second]):
        await running.pause("demo")
        stopped = await running.interrupt("demo")
        assert [(end.id, end.state, end.ended_by) for end in stopped] == [(first.id, State.INTERRUPTED, EndedBy.CALLER)]
        assert (await running.segment(second.id)).state is State.QUEUED


@in_virtual_time
async def test_a_segment_that_interrupts_ends_the_paused_one_and_waits_for_resume() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 6.0) as (running, [first]):
        await running.pause("demo")
        urgent = await say(running, 1.0, mode=Mode.INTERRUPT)
        ended = await running.wait(first.id, "finished", 2)
        assert (ended.state, ended.ended_by) == (State.INTERRUPTED, EndedBy.SUPERSEDED)
        await asyncio.sleep(5)
        assert (await running.segment(urgent.id)).state is State.QUEUED
        await running.resume("demo")
        assert (await running.wait(urgent.id, "finished", 10)).state is State.FINISHED


@in_virtual_time
async def test_towards_a_stock_receiver_a_pause_is_as_exact_as_the_clock() -> None:
    room = FakeRoom(STOCK)
    async with speaking(room, 6.0) as (running, [segment]):
        await asyncio.sleep(2)
        await running.pause("demo")
        await asyncio.sleep(10)
        await running.resume("demo")
        assert (await running.wait(segment.id, "finished", 30)).state is State.FINISHED
        assert sum(position for _, position in room.heard) == pytest.approx(6.0, abs=0.3)


def test_one_of_several_paused_avatars_may_go_on() -> None:
    pauses = Pauses()
    pauses.pause(None)
    assert pauses.holds("a")
    assert pauses.holds(None)
    pauses.resume("a", ["a", "b", None])
    assert not pauses.holds("a")
    assert pauses.holds("b")
    pauses.resume("b")
    assert not pauses


@in_virtual_time
async def test_the_avatars_of_a_room_leave_before_it_is_deleted() -> None:
    room = FakeRoom(OURS)
    async with speaking(room, 6.0, 1.0) as (running, [first, second]):
        await running.end_room("demo", "It was ended.")
        ends = [await running.wait(segment.id, "finished", 1) for segment in (first, second)]
        assert [(end.state, end.ended_by) for end in ends] == [
            (State.UNKNOWN, EndedBy.ROOM),
            (State.FAILED, EndedBy.ROOM),
        ]
        assert room.asked_to_leave == 1
        assert not room.present


@in_virtual_time
async def test_a_room_that_nobody_spoke_into_is_joined_to_ask_its_avatar_to_leave() -> None:
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        await running.end_room("demo", "It was ended.")
        assert (room.asked_to_leave, room.present) == (1, False)
        await asyncio.sleep(1)
        assert "demo" not in running.activity()


@in_virtual_time
async def test_a_stock_receiver_is_not_asked_to_leave() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room) as running:
        await running.end_room("demo", "It was ended.")
        assert room.connections == []
