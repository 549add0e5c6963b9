"""Rooms that are waited for are looked at together."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from mouthpiece.errors import LiveKitUnavailable
from mouthpiece_sender.livekit.server_api import ParticipantFacts, RoomFacts
from mouthpiece_sender.livekit.shared_look import AT_ONCE, CONCURRENCY, GAP, SharedLook
from tests.loopback.sender.fakes import FakeLiveKitApi
from tests.unit.sender.ten_ways.harness import ACCESS, OURS
from tests.virtual_time import in_virtual_time, now

TAKES = 0.02
"""Seconds of a call."""


class CountingApi(FakeLiveKitApi):
    """Notes its calls; each takes ``TAKES``."""

    def __init__(self, *there: str) -> None:
        super().__init__(ACCESS)
        self.rooms_there = {name: RoomFacts(name, "RM_1", 0, 300, 20) for name in there}
        self.calls: list[tuple[float, str, int]] = []
        self.at_a_time = self.most = 0

    async def participants(self, room: str, *, exists: bool = False) -> list[ParticipantFacts] | None:
        self.calls.append((now(), "participants", 1))
        self.at_a_time += 1
        self.most = max(self.most, self.at_a_time)
        await asyncio.sleep(TAKES)
        self.at_a_time -= 1
        return await super().participants(room, exists=exists)

    async def rooms(self, names: Sequence[str] = ()) -> list[RoomFacts]:
        self.calls.append((now(), "rooms", len(names)))
        await asyncio.sleep(TAKES)
        return await super().rooms(names)

    def count(self, kind: str) -> int:
        return sum(one == kind for _, one, _ in self.calls)


@in_virtual_time
async def test_six_hundred_rooms_that_do_not_exist_cost_seven_calls() -> None:
    api = CountingApi()
    look = SharedLook(api, now)
    found = await asyncio.gather(*(look(f"room-{number}") for number in range(600)))
    assert found == [None] * 600
    assert api.count("rooms") <= 1 + 600 / AT_ONCE
    assert api.count("participants") <= 1  # the first one had asked alone


@in_virtual_time
async def test_each_room_learns_who_is_in_it() -> None:
    names = [f"room-{number}" for number in range(20)]
    api = CountingApi(*names)
    api.people = {"room-3": [OURS]}
    look = SharedLook(api, now)
    found = await asyncio.gather(*(look(name) for name in [*names, "nowhere"]))
    assert found == [*([OURS] if name == "room-3" else [] for name in names), None]
    assert api.most <= CONCURRENCY


@in_virtual_time
async def test_one_room_alone_is_one_call() -> None:
    api = CountingApi("demo")
    assert await SharedLook(api, now)("demo") == []
    assert [kind for _, kind, _ in api.calls] == ["participants"]


@in_virtual_time
async def test_looks_follow_each_other_at_a_distance() -> None:
    api = CountingApi()
    look = SharedLook(api, now)
    for _ in range(5):
        await asyncio.gather(look("one"), look("other"))
    moments = sorted({at for at, _, _ in api.calls})
    assert all(later - earlier >= 0.99 * GAP for earlier, later in itertools.pairwise(moments))


@in_virtual_time
async def test_every_room_learns_that_livekit_is_away_and_the_next_look_asks_again() -> None:
    api = CountingApi("one", "other")
    api.away = True
    look = SharedLook(api, now)
    found = await asyncio.gather(*(look(name) for name in ("one", "other", "third")), return_exceptions=True)
    assert [type(one) for one in found] == [LiveKitUnavailable] * 3
    api.away = False
    assert await look("one") == []


@in_virtual_time
async def test_a_room_that_gives_up_in_the_midst_of_its_look_holds_up_no_other() -> None:
    api = CountingApi("one", "other")
    look = SharedLook(api, now)
    first = asyncio.create_task(look("one"))
    await asyncio.sleep(TAKES / 2)
    others = [asyncio.create_task(look(name)) for name in ("other", "third")]
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await asyncio.gather(*others) == [[], None]
