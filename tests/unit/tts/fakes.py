"""Voices for tests, and an ear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np

from mouthpiece.tts import (
    TTS,
    PcmData,
    TTSAudioEvent,
    TTSErrorEvent,
    TTSEvent,
    TTSSynthesisCompleteEvent,
    TTSSynthesisStartEvent,
)


def tone(seconds: float, sample_rate: int = 16_000, channels: int = 1, hertz: float = 440) -> PcmData:
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    samples = np.rint(10_000 * np.sin(2 * np.pi * hertz * t)).astype(np.int16)
    return PcmData(samples if channels == 1 else np.tile(samples, (channels, 1)), sample_rate, channels)


class Ear:
    """Hears every event of a TTS."""

    def __init__(self, tts: TTS) -> None:
        self.events: list[TTSEvent] = []
        tts.events.subscribe(self.hear)

    async def hear(self, event: TTSEvent) -> None:
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        return [event.type.removeprefix("tts.") for event in self.events]

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def audio(self) -> list[TTSAudioEvent]:
        return self.of(TTSAudioEvent)

    @property
    def starts(self) -> list[TTSSynthesisStartEvent]:
        return self.of(TTSSynthesisStartEvent)

    @property
    def complete(self) -> TTSSynthesisCompleteEvent:
        (event,) = self.of(TTSSynthesisCompleteEvent)
        assert isinstance(event, TTSSynthesisCompleteEvent)
        return event

    @property
    def error(self) -> TTSErrorEvent:
        (event,) = self.of(TTSErrorEvent)
        assert isinstance(event, TTSErrorEvent)
        return event

    @property
    def frames(self) -> int:
        return sum(event.data.frames for event in self.audio)

    @property
    def samples(self) -> Any:
        return np.concatenate([event.data.samples for event in self.audio], axis=-1)


class Plain(TTS):
    """Answers with whatever it was given."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        super().__init__("plain")
        self.answer = answer
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.stops = 0

    async def stream_audio(self, text: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.append((text, args, kwargs))
        return self.answer(text)

    async def stop_audio(self) -> None:
        self.stops += 1


class Endless(TTS):
    """A chunk of 100 ms whenever the consumer takes one, for ever; counts its open and closed streams."""

    def __init__(self) -> None:
        super().__init__("endless")
        self.open = 0
        self.closed = 0
        self.given = 0

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
        self.open += 1
        try:
            while True:
                self.given += 1
                yield tone(0.1)
                await asyncio.sleep(0)
        finally:
            self.open -= 1
            self.closed += 1

    async def stop_audio(self) -> None:
        pass


class Silent(TTS):
    """Never gives anything, until it is let."""

    def __init__(self) -> None:
        super().__init__("silent")
        self.begun = asyncio.Event()
        self.let = asyncio.Event()

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> PcmData:
        self.begun.set()
        await self.let.wait()
        return tone(0.1)

    async def stop_audio(self) -> None:
        pass
