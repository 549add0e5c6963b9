"""An avatar leaves a room once nobody else was in it for so long."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

from livekit import rtc

from mouthpiece_avatar.alone import Alone
from tests.virtual_time import in_virtual_time, now


class Watched:
    def __init__(self, seconds: float, *others: str) -> None:
        self.room = SimpleNamespace(remote_participants=dict.fromkeys(others))
        self.left: list[float] = []
        self.alone = Alone(cast("rtc.Room", self.room), seconds, lambda: self.left.append(now()))
        self.alone.look()

    def others(self, *identities: str) -> None:
        self.room.remote_participants = dict.fromkeys(identities)
        self.alone.look()


@in_virtual_time
async def test_it_leaves_a_room_into_which_nobody_comes() -> None:
    watched = Watched(60)
    await asyncio.sleep(59)
    watched.alone.look()  # again, and nothing has changed
    await asyncio.sleep(100)
    assert watched.left == [60]


@in_virtual_time
async def test_time_counts_from_when_the_last_one_has_left() -> None:
    watched = Watched(60, "agent", "viewer")
    await asyncio.sleep(100)
    watched.others("agent")
    await asyncio.sleep(100)
    watched.others()
    await asyncio.sleep(59)
    watched.others("sender")
    await asyncio.sleep(100)
    assert watched.left == []
    watched.others()
    await asyncio.sleep(100)
    assert watched.left == [419]


@in_virtual_time
async def test_with_zero_it_stays_and_a_session_that_ended_is_not_ended_again() -> None:
    never, stopped = Watched(0), Watched(60)
    stopped.alone.stop()
    await asyncio.sleep(1000)
    assert never.left == stopped.left == []
