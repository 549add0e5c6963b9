"""What the ten ways share: avatars, and a gateway whose LiveKit room is a fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from mouthpiece.audio.pcm import Pcm
from mouthpiece.segments import AudioInfo, Segment, Source, new_segment_id
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.connection import ConnectionFactory
from mouthpiece_sender.livekit.server_api import LiveKitAccess, ParticipantFacts, RoomFacts
from mouthpiece_sender.livekit.target import LiveKitTarget
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from mouthpiece_sender.target import SpeakRequest
from tests.loopback.sender.fakes import FakeLiveKitApi, avatar
from tests.unit.sender.fake_connection import FakeRoom
from tests.virtual_time import now

ACCESS = LiveKitAccess("ws://nowhere", "key", "a secret that is long enough to sign with")
OURS = avatar("mia")
STOCK = ParticipantFacts(
    "simli-avatar-agent", "PA_stock", True, {"lk.publish_on_behalf": "agent-1"}, False, "simli-avatar-agent"
)
"""A vendor's avatar that runs livekit-agents' receiver."""


class Silence:
    """Audio of any length that takes no memory. Pauses ``stall`` seconds in its middle."""

    def __init__(self, seconds: float, *, stall: float = 0.0) -> None:
        self.info = AudioInfo(16_000, 1, seconds)
        self._stall = stall

    @asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        async def blocks() -> AsyncIterator[Pcm]:
            half = (self.info.duration or 0.0) / 2
            at = offset
            while at < 2 * half:
                step = min(0.5, (half if at < half else 2 * half) - at)
                yield Pcm.silence(step, 16_000)
                at += step
                if at == half and self._stall:
                    await asyncio.sleep(self._stall)

        yield blocks()


class FollowingApi(FakeLiveKitApi):
    """Is away while the room's line is down."""

    def __init__(self, room: FakeRoom) -> None:
        super().__init__(ACCESS)
        self._room = room

    def _answer(self) -> None:
        self.away = not self._room.line_is_up
        super()._answer()


def target(room: FakeRoom, *, names: tuple[str, ...] = ("demo",), listens: bool = False) -> LiveKitTarget:
    server = FollowingApi(room)
    for name in names:
        server.rooms_there[name] = RoomFacts(name, "RM_1", 0, 300, 20)
        server.people[name] = [room.avatar]
    return LiveKitTarget(ACCESS, server, clock=now, connect=room.connect, listens=listens)


@asynccontextmanager
async def gateway(
    room: FakeRoom,
    *,
    names: tuple[str, ...] = ("demo",),
    listens: bool = False,
    connect: ConnectionFactory | None = None,
) -> AsyncIterator[Gateway]:
    """
    :param connect: makes the connections; None: all of them to ``room``.
    """
    avatars = target(room, names=names, listens=listens)
    if connect is not None:
        avatars = replace(avatars, connect=connect)
    async with Gateway(avatars, MemoryJournal(), clock=now, drop_queued_on_exit=True) as running:
        yield running


async def say(
    running: Gateway, seconds: float, *, room: str = "demo", sound: Sound | None = None, **options: Any
) -> Segment:
    request = SpeakRequest(room, sound or Silence(seconds), Source("file", "silence"), new_segment_id(), **options)
    return await running.speak(request)


@asynccontextmanager
async def speaking(room: FakeRoom, *seconds: float) -> AsyncIterator[tuple[Gateway, list[Segment]]]:
    """A gateway with a segment of each length, the first of which plays."""
    async with gateway(room) as running:
        segments = [await say(running, length) for length in seconds]
        await running.wait(segments[0].id, "playing", 10)
        yield running, segments


async def all_ends(running: Gateway, segments: Sequence[Segment], within: float = 120.0) -> list[Segment]:
    return [await running.wait(segment.id, "finished", within) for segment in segments]


def heard(room: FakeRoom, segment: Segment) -> float:
    """Return how many seconds of ``segment`` were heard, in all its attempts."""
    return sum(seconds for _, seconds in room.heard_of(segment.id))
