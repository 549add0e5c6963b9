"""Our own avatar is listened to at times: what it reports as played on a silent track is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from unittest.mock import ANY

from livekit.api import TokenVerifier

from mouthpiece.segments import EndedBy, Receipt, State
from mouthpiece_sender.livekit.connection import RoomEvent
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from mouthpiece_sender.livekit.track_checks import AT_ONCE, TrackChecks
from tests.unit.listening.rooms import noise, words
from tests.unit.sender.fake_connection import FakeConnection, FakeRoom, FakeStream
from tests.unit.sender.listened import Words, ended_at, ends, instead, muted, said, said_and_listened_to
from tests.unit.sender.ten_ways.harness import OURS, Silence, gateway, say
from tests.virtual_time import in_virtual_time, now


@dataclass(eq=False)
class LateRoom(FakeRoom):
    """Its avatar's reports come late."""

    late: float = 0.0
    """Seconds."""

    def report(self, stream: FakeStream, event: str, *, interrupted: bool = False) -> None:
        report = partial(super().report, stream, event, interrupted=interrupted)
        asyncio.get_running_loop().call_later(self.late, report)


class FakeRooms:
    """Several rooms, each with an avatar."""

    def __init__(self, rooms: Mapping[str, FakeRoom]) -> None:
        self._rooms = rooms
        self.most_listeners = 0

    @property
    def listeners(self) -> int:
        return sum(room.listeners for room in self._rooms.values())

    def connect(self, access: LiveKitAccess, token: str, listener: Callable[[RoomEvent], None]) -> FakeConnection:
        claims = TokenVerifier(access.api_key, access.api_secret).verify(token, verify_signature=False)
        assert claims.video is not None
        return self._rooms[claims.video.room].connect(access, token, listener)

    async def count(self) -> None:
        """Until it is cancelled."""
        while True:
            self.most_listeners = max(self.most_listeners, self.listeners)
            await asyncio.sleep(0.1)


@in_virtual_time
async def test_our_own_avatar_is_listened_to_until_it_was_heard_and_a_minute_later_again() -> None:
    room = FakeRoom(OURS)
    async with gateway(room, listens=True) as running:
        for at, listened in ((0, True), (3, False), (50, False), (70, True), (75, False)):
            await asyncio.sleep(max(0, at - now()))
            end, was_listened_to = await said_and_listened_to(running, room)
            assert (end.state, end.receipt, was_listened_to) == (State.FINISHED, Receipt.CONFIRMED, listened), at
            assert now() - ended_at(room) < 0.3
            await asyncio.sleep(0.1)
            assert room.listeners == 0


@in_virtual_time
async def test_our_own_avatar_is_listened_to_no_longer_than_until_it_sounds() -> None:
    room = FakeRoom(OURS)
    async with gateway(room, listens=True) as running:
        segment = await say(running, 20.0, sound=Words(20.0))
        await running.wait(segment.id, "playing", 10)
        begun = now()
        await asyncio.sleep(1.0)
        assert room.listeners == 1
        await asyncio.sleep(2.0)
        assert room.listeners == 0
        end = await running.wait(segment.id, "finished", 30)
        assert (end.state, end.receipt) == (State.FINISHED, Receipt.CONFIRMED)
        assert now() - begun < 20.1


@in_virtual_time
async def test_noise_on_the_track_of_our_own_silent_avatar_makes_nothing_of_it() -> None:
    room = FakeRoom(OURS, heard_as=instead(noise(5.0, -45.0)))
    for end in await ends(room, [2.6, 2.6]):
        assert end.error is not None
        assert end.error.type == "avatar-unheard"


@in_virtual_time
async def test_our_own_avatar_has_finished_nothing_while_its_track_is_silent() -> None:
    room = FakeRoom(OURS, heard_as=muted)
    async with gateway(room, listens=True) as running:
        for _ in range(2):
            end = await said(running, 2.0)
            assert (end.state, end.receipt, end.ended_by) == (State.UNKNOWN, Receipt.UNKNOWN, EndedBy.AVATAR)
            assert end.error is not None
            assert end.error.type == "avatar-unheard"
            assert "muted" in end.error.detail
            assert "MOUTHPIECE_SENDER_IDENTITY" not in end.error.detail
        room.heard_as = lambda sound: sound
        assert (await said(running, 2.0)).receipt is Receipt.CONFIRMED
        room.heard_as = muted
        assert (await said(running, 2.0)).receipt is Receipt.CONFIRMED  # it is believed, for a minute
        await asyncio.sleep(60)
        assert (await said(running, 2.0)).state is State.UNKNOWN


@in_virtual_time
async def test_our_own_avatar_that_was_heard_and_muted_since_is_listened_to_at_once() -> None:
    room = FakeRoom(OURS)
    async with gateway(room, listens=True) as running:
        assert (await said(running, 2.0)).receipt is Receipt.CONFIRMED
        room.is_muted = True
        assert (await said(running, 2.0)).state is State.UNKNOWN
        room.is_muted = False
        await asyncio.sleep(5)
        for listened in (True, False):
            assert await said_and_listened_to(running, room) == (ANY, listened)
            await asyncio.sleep(5)


@in_virtual_time
async def test_segments_of_our_own_silent_avatar_that_follow_one_another_are_unheard_in_order() -> None:
    room = FakeRoom(OURS, heard_as=muted)
    async with gateway(room, listens=True) as running:
        lengths = (4.0, 1.2, 0.4, 2.0)
        segments = [await say(running, length, sound=Words(length, seed)) for seed, length in enumerate(lengths)]
        ended = [await running.wait(segment.id, "finished", 30) for segment in segments]
    errors = [end.error.type if end.error else "" for end in ended]
    assert errors == ["avatar-unheard", "avatar-unheard", "", "avatar-unheard"]  # 0.4 s are too little to be told
    assert all(a.finished_at <= b.finished_at for a, b in pairwise(ended) if a.finished_at and b.finished_at)


@in_virtual_time
async def test_a_report_of_our_own_avatar_that_comes_much_too_late_stands_although_the_track_was_silent() -> None:
    """Something stood still on the way: the track may have too."""
    for late, state in ((1.0, State.UNKNOWN), (2.5, State.FINISHED)):
        room = LateRoom(OURS, heard_as=muted, answers_status=False, late=late)
        async with gateway(room, listens=True) as running:
            assert (await said(running, 2.0)).state is state, late


@in_virtual_time
async def test_what_proves_nothing_leaves_the_receipts_of_our_own_avatar_as_they_are() -> None:
    room = FakeRoom(OURS)
    async with gateway(room, listens=True) as running:
        assert (await said(running, 0.4)).receipt is Receipt.CONFIRMED
        silent = await say(running, 1.0, sound=Silence(1.0))
        assert (await running.wait(silent.id, "finished", 10)).receipt is Receipt.CONFIRMED
        for seconds in (1.2, 3.0):
            room.heard_as = instead(words(8.0, 50))
            assert (await said(running, seconds)).receipt is Receipt.CONFIRMED
    for without in (FakeRoom(OURS, track_arrives=False), FakeRoom(OURS, has_track=False)):
        (end,) = await ends(without, [2.0])
        assert (end.state, end.receipt) == (State.FINISHED, Receipt.CONFIRMED)


@in_virtual_time
async def test_a_service_listens_to_a_few_of_its_own_avatars_at_a_time_and_to_the_others_later() -> None:
    names = tuple(f"room-{number}" for number in range(AT_ONCE + 2))
    there = {name: FakeRoom(OURS, heard_as=muted) for name in names}
    rooms = FakeRooms(there)
    async with gateway(there[names[0]], names=names, listens=True, connect=rooms.connect) as running:
        counting = asyncio.create_task(rooms.count())
        for spoken_into in (names, names[:AT_ONCE], names[2:]):
            segments = [await say(running, 2.0, room=name, sound=Words(2.0)) for name in spoken_into]
            ended = [await running.wait(segment.id, "finished", 20) for segment in segments]
            assert [end.state for end in ended].count(State.UNKNOWN) == AT_ONCE
            await asyncio.sleep(5)
            assert rooms.listeners == 0
        counting.cancel()
    assert rooms.most_listeners == AT_ONCE


def test_a_service_listens_to_a_few_of_its_own_avatars_at_a_time() -> None:
    checks = TrackChecks(at_once=2)
    assert [checks.begin(avatar) for avatar in ("a", "b", "c", "a")] == [True, True, False, True]
    checks.end("a")
    checks.end("a")
    assert [checks.begin(avatar) for avatar in ("c", "a")] == [True, False]
