"""An attempt's stream with a writer, a sound and a listener of a test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from mouthpiece.audio.pcm import Pcm
from mouthpiece.segments import Attempt
from mouthpiece_sender.playout.attempt_stream import AttemptStream, StreamEvent
from tests.sounds import Tone

ATTEMPT = Attempt("seg_1", 1, 0.0)


class Events(list[StreamEvent]):
    """The events of a stream; ``arrived`` waits until there are ``count``."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def add(self, event: StreamEvent) -> None:
        self.append(event)
        self._changed.set()

    async def arrived(self, count: int = 1) -> None:
        while len(self) < count:
            self._changed.clear()
            await self._changed.wait()


class FakeWriter:
    """Stands in for the SDK's stream: keeps what it is given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.data = b""
        self.closed = 0
        self.error = error

    async def write(self, data: bytes) -> None:
        if self.error:
            raise self.error
        self.data += data

    async def aclose(self) -> None:
        self.closed += 1


def stream(writer: FakeWriter, sound: object, events: Events, **options: object) -> AttemptStream:
    async def open_stream() -> FakeWriter:
        return writer

    return AttemptStream(
        ATTEMPT,
        sound,  # type: ignore[arg-type]
        16_000,
        options.pop("open_stream", open_stream),  # type: ignore[arg-type]
        events.add,
        **options,  # type: ignore[arg-type]
    )


class Slow(Tone):
    """``begins`` samples of sound; then nothing until ``on`` is set."""

    def __init__(self, begins: int = 2400) -> None:
        super().__init__(1)
        self.begins = begins
        self.on = asyncio.Event()
        self.left = False

    @asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        async def blocks() -> AsyncIterator[Pcm]:
            yield Pcm(np.full(self.begins, 1, np.int16), 16_000)
            await self.on.wait()
            yield Pcm(np.full(1600, 2, np.int16), 16_000)

        try:
            yield blocks()
        finally:
            self.left = True
