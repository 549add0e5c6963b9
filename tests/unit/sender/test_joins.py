"""Rooms are joined a few at a time, and the others wait without losing anything by it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Self

from mouthpiece.segments import State
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.joins import JOINS, Joins
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


@dataclass(eq=False)
class SlowRoom(FakeRoom):
    """Stands in for all rooms of a test; each join takes ``TAKES``."""

    joining: int = 0
    most: int = 0
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
