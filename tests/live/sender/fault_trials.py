"""One trial of the sender against a scripted receiver: what it says of a segment, against what a viewer recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mouthpiece.audio.pcm import Samples
from mouthpiece.segments import Receipt, Segment, Source, State, new_segment_id
from mouthpiece_avatar.testing import Credentials, Presented, ScriptedReceiver, parse
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from mouthpiece_sender.target import SpeakRequest
from tests.live.sender.conftest import running_gateway
from tests.live.viewer import SAMPLE_RATE, Viewer, viewer_token
from tests.sounds import Tone

FIRST: Final = 440.0
"""Hertz of the segment that the fault hits."""
NEXT: Final = 715.0
"""Hertz of the one after it; both lie between the harmonics of ``other-speech``."""
LENGTH: Final = 2.6
"""Seconds of the first segment."""
NEXT_LENGTH: Final = 1.0
WINDOW: Final = 0.04
"""Seconds that are judged at a time."""
HOP: Final = 0.01
"""Seconds from one window to the next."""
HEARD: Final = 0.85
"""The share of a segment from which it was heard: a jitter buffer that catches up leaves some out."""
AMPLITUDE: Final = 3_000.0
"""Of a tone from which it counts as heard; it is made with 12,000."""
AVATAR_TIMEOUT: Final = 8.0
"""Seconds that the sender waits for an avatar that listens to it; its own default is 30."""
WITHIN: Final = 60.0
"""Seconds for a segment to end."""
SUCCEEDED_AFTER: Final = 1.0
"""Seconds until another receiver takes the place of one that will not hear again."""
ARRIVES: Final = 1.5
"""Seconds after an end in which its last sound may still arrive at the viewer."""


class Syllables(Tone):
    """A tone in syllables of uneven length and loudness, so that it has a course that can be recognised."""

    def __init__(self, seconds: float, hertz: float) -> None:
        super().__init__(seconds, hertz=hertz)
        generator = np.random.default_rng(round(hertz))
        rate, place = self.info.sample_rate, 0
        envelope = np.zeros(len(self.samples))
        while place < len(envelope):
            length, pause = generator.uniform(0.12, 0.35), generator.uniform(0.05, 0.12)
            envelope[place : place + round(length * rate)] = generator.uniform(0.6, 1.0)
            place += round((length + pause) * rate)
        self.samples = np.rint(self.samples * envelope).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one fault led to."""

    fault: str
    presented: str
    state: State
    receipt: Receipt
    position: float
    error: str
    """The slug; empty: none."""
    took: float
    """Seconds from its acceptance to its end."""
    heard: float
    """The share of the segment's sound that the viewer heard."""
    next_state: State
    next_error: str
    next_heard: float
    successor: bool
    """Another receiver had to take the place of the first one before the next segment."""


async def trial(livekit: LiveKit, room: str, text: str, presented: str = "stock", **options: Any) -> Trial:
    """Say a segment to a receiver with a fault, then another one.

    :param text: names the fault.
    :param options: of the sender's :class:`LiveKitTarget`.
    """
    access = LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)
    credentials = Credentials(livekit.url, livekit.api_key, livekit.api_secret)
    fault = parse(text)
    async with AsyncExitStack() as stack:
        viewer = await stack.enter_async_context(Viewer(livekit.url, viewer_token(livekit, room), sound_only=True))
        recording = stack.enter_context(viewer.record_sound())
        gateway = await stack.enter_async_context(
            running_gateway(access, **{"avatar_timeout": AVATAR_TIMEOUT} | options)
        )

        async def said(sound: Syllables) -> tuple[Segment, float]:
            request = SpeakRequest(room, sound, Source("file", "syllables"), new_segment_id())
            before = time.monotonic()
            segment = await gateway.speak(request)
            ended = await gateway.wait(segment.id, "finished", WITHIN)
            return ended, time.monotonic() - before

        first, second = Syllables(LENGTH, FIRST), Syllables(NEXT_LENGTH, NEXT)
        async with ScriptedReceiver(credentials, room, fault, presented=Presented(presented)):
            if not fault.joins_after:
                await viewer.ready()
            ended, took = await said(first)
            successor = fault.lasting or ended.state is State.FAILED
            if not successor:
                after, _ = await said(second)
            await asyncio.sleep(ARRIVES)
        if successor:
            await asyncio.sleep(SUCCEEDED_AFTER)
            async with ScriptedReceiver(credentials, room, presented=Presented(presented)):
                after, _ = await said(second)
                await asyncio.sleep(ARRIVES)
    return Trial(
        text,
        presented,
        ended.state,
        ended.receipt,
        ended.position or 0.0,
        slug(ended),
        took,
        share_heard(recording, first, FIRST),
        after.state,
        slug(after),
        share_heard(recording, second, NEXT),
        successor,
    )


def slug(segment: Segment) -> str:
    return segment.error.type if segment.error else ""


def share_heard(recording: Sequence[bytes], sound: Tone, hertz: float) -> float:
    """Return how much of the tone in ``sound`` is in the recording of a viewer; 1: all of it, once."""
    made = windows_with(sound.samples, sound.info.sample_rate, hertz)
    return windows_with(np.frombuffer(b"".join(recording), np.int16), SAMPLE_RATE, hertz) / made


def windows_with(samples: Samples, rate: int, hertz: float) -> float:
    """Return in how many windows, one each ``HOP``, the tone is heard."""
    size, hop = round(WINDOW * rate), round(HOP * rate)
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop] * np.hanning(size)
    turns = np.exp(-2j * np.pi * hertz * np.arange(size) / rate)
    amplitudes = np.abs(windows @ turns) * 2 / np.hanning(size).sum()
    return float((amplitudes >= AMPLITUDE).sum())
