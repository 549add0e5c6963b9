"""A destination that this process speaks to itself: a LiveKit room or Anam, through a ``Speaker``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mouthpiece.tts import TTS
from mouthpiece_sender.cli.destination import SegmentHandle, SegmentOptions, each_of
from mouthpiece_sender.playout.waking import changed_within
from mouthpiece_sender.segment_json import segment_json
from mouthpiece_sender.speaker import PlayingSegment, Speaker
from mouthpiece_sender.speech.voices import DEFAULT as OFFLINE


@dataclass(frozen=True, slots=True)
class SpeakerDestination:
    """Fits :class:`~mouthpiece_sender.cli.destination.Destination`. Its speaker is open."""

    speaker: Speaker
    tts: str | None = None
    """The provider for a text that names none; None leaves the choice to the speaker."""
    window_closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the viewer window was closed."""

    async def sleep(self, seconds: float) -> bool:
        await changed_within(self.window_closed, seconds)
        return self.window_closed.is_set()

    async def play(self, path: Path, options: SegmentOptions) -> SegmentHandle:
        segment = await self.speaker.play(
            path,
            mode=options.mode,
            on_loss=options.on_loss,
            interruptible=options.interruptible,
            wait_for_viewer=options.wait_for_viewer,
            expires_in=options.expires_in,
        )
        return _Handle(segment)

    async def say(
        self, text: str | AsyncIterable[str], options: SegmentOptions, voice: str | None, tts: str | TTS | None
    ) -> AsyncIterator[SegmentHandle]:
        if tts is None and (voice is None or self.tts != OFFLINE):
            tts = self.tts  # otherwise the provider that has the voice is found by it
        segment = await self.speaker.say(
            text,
            voice=voice,
            tts=tts,
            text_format=options.text_format,
            mode=options.mode,
            on_loss=options.on_loss,
            interruptible=options.interruptible,
            wait_for_viewer=options.wait_for_viewer,
            expires_in=options.expires_in,
        )
        return each_of(_Handle(segment))


@dataclass(frozen=True, slots=True)
class _Handle:
    segment: PlayingSegment

    async def now(self) -> dict[str, Any]:
        return segment_json(await self.segment.now())

    async def finished(self) -> dict[str, Any]:
        return segment_json(await self.segment.finished())
