"""A room is left whatever the SDK makes of the reconnection that is to free its memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc

from mouthpiece.room_leave import FORGETS, leave_room
from tests.virtual_time import in_virtual_time, now


class FakeRoom:
    """Of the SDK's room what leaving needs; ``forgets``: a reconnection lets the others go."""

    def __init__(self, *tracks: int, forgets: bool = True, connected: bool = True) -> None:
        self.remote_participants: dict[int, Any] = {
            number: SimpleNamespace(track_publications=dict.fromkeys(range(count)))
            for number, count in enumerate(tracks)
        }
        self.forgets = forgets
        self.connected = connected
        self.done: list[str] = []
        self.local_participant = self
        self._gone: Callable[..., None] = lambda: None

    def isconnected(self) -> bool:
        return self.connected

    def on(self, event: str, handler: Callable[..., None]) -> None:
        self._gone = handler

    def off(self, event: str, handler: Callable[..., None]) -> None:
        assert handler is self._gone

    async def simulate_scenario(self, scenario: int) -> None:
        self.done.append("reconnects")
        while self.forgets and self.remote_participants:
            self.remote_participants.popitem()
            self._gone()

    async def disconnect(self) -> None:
        self.done.append("left")

    def unregister_rpc_method(self, method: str) -> None:
        self.done.append(method)


async def leave(room: FakeRoom) -> float:
    """Return the seconds that it took."""
    began = now()
    await leave_room(cast(rtc.Room, room), ("a", "b"), 3.0)
    return now() - began


@in_virtual_time
async def test_others_that_publish_are_forgotten_first_and_methods_last() -> None:
    room = FakeRoom(0, 2)
    assert await leave(room) == 0
    assert room.done == ["reconnects", "left", "a", "b"]


@in_virtual_time
async def test_where_nobody_publishes_or_nobody_is_connected_nothing_is_reconnected() -> None:
    for room in (FakeRoom(), FakeRoom(0, 0), FakeRoom(1, connected=False)):
        await leave(room)
        assert room.done == ["left", "a", "b"]


@in_virtual_time
async def test_a_server_that_lets_nobody_go_is_left_after_a_second() -> None:
    room = FakeRoom(1, forgets=False)
    assert await leave(room) == FORGETS
    assert room.done == ["reconnects", "left", "a", "b"]


@in_virtual_time
async def test_methods_are_given_up_where_the_room_cannot_be_left() -> None:
    room = FakeRoom()

    async def hangs() -> None:
        await asyncio.Event().wait()

    room.disconnect = hangs  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        await leave(room)
    assert room.done == ["a", "b"]


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What the SDK's logger hands on, whatever a test before has set up."""
    handler = Kept()
    logger, root = logging.getLogger("livekit"), logging.getLogger()
    before = logger.level, root.level, logger.disabled
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    root.setLevel(logging.DEBUG)
    logger.disabled = False
    yield handler.records
    logger.removeHandler(handler)
    logger.setLevel(before[0])
    root.setLevel(before[1])
    logger.disabled = before[2]


@in_virtual_time
async def test_what_the_sdk_logs_of_it_is_a_debug_message_and_all_else_is_not(logged: list[logging.LogRecord]) -> None:
    await leave(FakeRoom(1))
    logger = logging.getLogger("livekit")
    logger.error("livekit::rtc_engine:990 - restarting connection... attempt: 1")
    logger.error("livekit_rpc::server:152 - failed")
    assert [record.levelname for record in logged] == ["DEBUG", "ERROR"]
