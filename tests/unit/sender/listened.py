"""What tests of listening share: sounds, what a track makes of them, and what a gateway says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mouthpiece.segments import Segment
from mouthpiece_sender.gateway import Gateway
from tests.sounds import Tone
from tests.unit.listening.rooms import words
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.ten_ways.harness import gateway, say

Samples = npt.NDArray[np.int16]


class Words(Tone):
    def __init__(self, seconds: float, seed: int = 1) -> None:
        super().__init__(seconds)
        self.samples = words(seconds, seed)


def muted(sound: Samples) -> Samples:
    return np.zeros_like(sound)


def instead(other: Samples) -> Callable[[Samples], Samples]:
    """Another sound on the track, over and over."""
    at = 0

    def heard(sound: Samples) -> Samples:
        nonlocal at
        at = (at + len(sound)) % (len(other) - len(sound))
        return other[at : at + len(sound)]

    return heard


async def said(running: Gateway, seconds: float, seed: int = 1, **options: Any) -> Segment:
    """Say something, and wait for its end."""
    segment = await say(running, seconds, sound=Words(seconds, seed), **options)
    return await running.wait(segment.id, "finished", 60)


async def ends(room: FakeRoom, lengths: Sequence[float]) -> list[Segment]:
    async with gateway(room, listens=True) as running:
        return [await said(running, seconds, seed) for seed, seconds in enumerate(lengths)]


async def said_and_listened_to(running: Gateway, room: FakeRoom, seconds: float = 2.0) -> tuple[Segment, bool]:
    """Say something, and wait for its end; return whether the track was listened to meanwhile."""
    segment = await say(running, seconds, sound=Words(seconds))
    await running.wait(segment.id, "playing", 10)
    listened = room.listeners > 0
    return await running.wait(segment.id, "finished", 10), listened


def ended_at(room: FakeRoom) -> float:
    """When the avatar had played the last stream."""
    stream, position = room.heard[-1]
    return max(stream.closed_at or 0.0, stream.writes[0][0] + position)
