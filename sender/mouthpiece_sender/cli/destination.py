"""The destination of ``play``, ``say`` and ``loop``: the same calls for a room, a service and Anam."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mouthpiece.segments import Mode, OnLoss, TextFormat
from mouthpiece.tts import TTS


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """The options of a segment; docs/api.md explains each of them."""

    mode: Mode = Mode.APPEND
    on_loss: OnLoss = OnLoss.DROP
    interruptible: bool = True
    wait_for_viewer: bool = False
    expires_in: float | None = None
    """Seconds."""
    text_format: TextFormat = "plain"
    """Of a text."""


class SegmentHandle(Protocol):
    """A segment that was submitted. Both methods return it as its JSON (``segment_json``)."""

    async def now(self) -> dict[str, Any]:
        """Return its current value."""
        ...

    async def finished(self) -> dict[str, Any]:
        """Wait until it has ended; return its last value."""
        ...


class Destination(Protocol):
    """Speaks segments, one after the other."""

    async def sleep(self, seconds: float) -> bool:
        """Sleep ``seconds``; return True early if the viewer window was closed, after which nothing more is spoken."""
        ...

    async def play(self, path: Path, options: SegmentOptions) -> SegmentHandle:
        """Submit a sound file.

        :raises MouthpieceError: it cannot be played.
        """
        ...

    async def say(
        self, text: str | AsyncIterable[str], options: SegmentOptions, voice: str | None, tts: str | TTS | None
    ) -> AsyncIterator[SegmentHandle]:
        """Submit a text, as one segment or several; yield each when it is submitted.

        :raises MouthpieceError: it cannot be spoken.
        """
        ...


async def each_of(*handles: SegmentHandle) -> AsyncIterator[SegmentHandle]:
    for handle in handles:
        yield handle


async def read_ahead(handles: AsyncIterator[SegmentHandle]) -> AsyncGenerator[SegmentHandle, None]:
    """Yield each of ``handles``, while a task reads on: later segments are submitted before the first has ended.

    Close the generator if it is not read to its end.

    :raises MouthpieceError: a segment could not be submitted; those before it have been yielded.
    """
    ready: asyncio.Queue[SegmentHandle | None] = asyncio.Queue()

    async def read() -> None:
        async for handle in handles:
            ready.put_nowait(handle)

    reading = asyncio.create_task(read(), name="submit segments")
    reading.add_done_callback(lambda _: ready.put_nowait(None))
    try:
        while (handle := await ready.get()) is not None:
            yield handle
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
