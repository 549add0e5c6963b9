"""Rooms are joined and left a few at a time, and the others wait without losing anything by it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from mouthpiece.segments import State
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.joins import JOINS, LEAVES, Joins
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from tests.unit.sender.fake_connection import FakeConnection, FakeRoom
from tests.unit.sender.ten_ways.harness import OURS, all_ends, gateway, say, speaking, target
from tests.virtual_time import in_virtual_time, now

TAKES = 20.0
"""Seconds of a join on a busy machine: three of them are longer than a segment waits for its avatar."""
NAMES = tuple(f"room-{number}" for number in range(3 * JOINS))


class SlowConnection(FakeConnection):
    async def __aenter__(self) -> Self:
        assert isinstance(self.room, SlowRoom)
        self.room.joining += 1
        self.room.most = max(self.room.most, self.room.joining)
        await asyncio.sleep(TAKES)
        self.room.joining -= 1
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert isinstance(self.room, SlowRoom)
        self.room.leaving += 1
        self.room.most_leaving = max(self.room.most_leaving, self.room.leaving)
        await asyncio.sleep(self.room.leave_takes)
        self.room.leaving -= 1
        await super().__aexit__(kind, error, trace)


@dataclass(eq=False)
class SlowRoom(FakeRoom):
    """Stands in for all rooms of a test; each join takes ``TAKES``."""

    joining: int = 0
    most: int = 0
    leaving: int = 0
    most_leaving: int = 0
    leave_takes: float = 0.0
    rooms: list[FakeConnection] = field(default_factory=list)

    def connect(self, access, token, listener) -> FakeConnection:  # type: ignore[no-untyped-def]
        self.connections.append(SlowConnection(self, token, listener))
        return self.connections[-1]


@in_virtual_time
async def test_rooms_that_wait_for_their_turn_do_not_time_out_meanwhile() -> None:
    room = SlowRoom(OURS)
    joins = Joins()
    rooms = replace(target(room, names=NAMES), joins=joins)
    async with Gateway(rooms, MemoryJournal(), clock=now, drop_queued_on_exit=True) as running:
        segments = [await say(running, 0.5, room=name) for name in NAMES]
        await asyncio.sleep(TAKES / 2)
        assert joins.figures.waiting == len(NAMES) - JOINS
        ends = await all_ends(running, segments)
        assert [end.state for end in ends] == [State.FINISHED] * len(NAMES)
        assert (room.most, joins.figures.waiting) == (JOINS, 0)


@in_virtual_time
async def test_a_room_that_waits_for_no_turn_gives_up_on_its_avatar_as_ever() -> None:
    room = FakeRoom(OURS, deaf=True)
    async with gateway(room) as running:
        ended = await running.wait((await say(running, 1.0)).id, "finished", 60)
        assert ended.error is not None
        assert (ended.state, ended.error.type) == (State.FAILED, "avatar-timeout")


@in_virtual_time
async def test_reconnects_are_counted_once_each() -> None:
    room = FakeRoom(OURS)
    joins = Joins()
    rooms = replace(target(room), joins=joins)
    async with Gateway(rooms, MemoryJournal(), clock=now, drop_queued_on_exit=True) as running:
        segments = [await say(running, 4.0) for _ in range(3)]
        await running.wait(segments[0].id, "playing", 10)
        assert joins.figures.reconnects == 0
        room.lose_line()
        await asyncio.sleep(1)
        room.restore_line()
        await asyncio.sleep(1)
        assert joins.figures.reconnects == 1
        room.connections[-1].disconnect("SERVER_SHUTDOWN")
        await all_ends(running, segments)
        assert joins.figures.reconnects == 2


@in_virtual_time
async def test_the_first_connection_is_no_reconnect() -> None:
    async with speaking(FakeRoom(OURS), 1.0) as (running, segments):
        await all_ends(running, segments)
        assert running._target.joins.figures.reconnects == 0  # type: ignore[attr-defined]


@in_virtual_time
async def test_one_key_with_many_rooms_holds_another_up_by_one_join_and_not_by_all_of_its_own() -> None:
    room = SlowRoom(OURS)
    rooms = replace(target(room, names=(*NAMES, "other")), joins=Joins())
    async with Gateway(rooms, MemoryJournal(), clock=now, drop_queued_on_exit=True) as running:
        many = [await say(running, 0.5, room=name, holder="many") for name in NAMES]
        await asyncio.sleep(TAKES / 2)
        few = await say(running, 0.5, room="other", holder="few")
        ended = await running.wait(few.id, "finished", 200)
        assert ended.state is State.FINISHED
        waits = [segment for segment in many if not (await running.segment(segment.id)).state.terminal]
        assert len(waits) >= JOINS, "it was joined with the second four, not after all"
        assert {end.state for end in await all_ends(running, many)} == {State.FINISHED}


@in_virtual_time
async def test_a_room_that_gives_up_while_it_waits_or_joins_gives_its_turn_away() -> None:
    joins = Joins(limit=1)

    async def join(holder: str) -> str:
        async with joins.turn(holder):
            await asyncio.sleep(1)
        return holder

    tasks = [asyncio.create_task(join(holder)) for holder in "abc"]
    await asyncio.sleep(0.5)
    assert (joins.busy, joins.figures.waiting) == (True, 2)
    tasks[1].cancel()
    tasks[0].cancel()
    assert await tasks[2] == "c"
    assert (joins.busy, joins.figures.waiting) == (False, 0)


@in_virtual_time
async def test_a_turn_that_comes_in_the_moment_of_giving_up_is_not_lost() -> None:
    joins = Joins(limit=1)
    await joins._take("a")
    waiting = asyncio.create_task(joins._take("b"))
    await asyncio.sleep(0)
    joins._give()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not joins.busy


@in_virtual_time
async def test_rooms_that_have_gone_quiet_are_left_a_few_at_a_time() -> None:
    room = SlowRoom(OURS, leave_takes=10.0)
    rooms = replace(target(room, names=NAMES), joins=Joins(limit=100), warm=1.0)
    async with Gateway(rooms, MemoryJournal(), clock=now, drop_queued_on_exit=True) as running:
        await all_ends(running, [await say(running, 0.5, room=name) for name in NAMES])
        await asyncio.sleep(60)
        assert running.activity() == {}
        assert room.most_leaving == LEAVES


@in_virtual_time
async def test_a_stop_waits_for_no_turn() -> None:
    room = SlowRoom(OURS, leave_takes=2.0)
    rooms = replace(target(room, names=NAMES), joins=Joins())
    async with Gateway(rooms, MemoryJournal(), clock=now, drop_queued_on_exit=True) as running:
        await all_ends(running, [await say(running, 0.5, room=name) for name in NAMES])
        before = now()
    assert (room.most_leaving, now() - before < 4) == (len(NAMES), True)


@in_virtual_time
async def test_rooms_that_are_joined_only_to_be_deleted_are_so_a_few_at_a_time() -> None:
    room = SlowRoom(OURS)
    rooms = replace(target(room, names=NAMES), joins=Joins(limit=100))
    async with Gateway(rooms, MemoryJournal(), clock=now, drop_queued_on_exit=True) as running:
        deletions = [asyncio.create_task(running.end_room(name, "It was ended.")) for name in NAMES]
        await asyncio.sleep(1)
        assert room.joining == LEAVES
        await asyncio.gather(*deletions)
        assert running.activity().keys() <= set(NAMES)
