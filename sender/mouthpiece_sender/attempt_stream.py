"""One attempt on its way: from a sound, through the transforms, into one byte stream, as far as it is allowed.

Whatever happens, the stream is closed: an unclosed one deafens a stock receiver for good (wire.md, 10).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from mouthpiece.errors import MouthpieceError
from mouthpiece.pcm import Chain, Chunker, MixDown, Pcm, Resampler
from mouthpiece.playback import QUANTUM
from mouthpiece.segments import Attempt, Problem
from mouthpiece.wire import StreamHeader
from mouthpiece_sender.sound import Sound

logger = logging.getLogger(__name__)

STOP_TIMEOUT = 1.0
"""Seconds that a write in progress may still take when the stream is to be closed."""


class Writer(Protocol):
    """The part of the SDK's stream writer that is used."""

    async def write(self, data: bytes) -> None: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """So many seconds of the attempt have been written; ``whole``: there is no more."""

    attempt: Attempt
    sent: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class NotOpened:
    """The stream could not be opened."""

    attempt: Attempt
    problem: Problem


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """The sound ended badly."""

    attempt: Attempt
    problem: Problem


@dataclass(frozen=True, slots=True)
class WriteFailed:
    """The connection did not take the audio."""

    attempt: Attempt
    problem: Problem


StreamEvent = Progress | NotOpened | SourceFailed | WriteFailed


@dataclass
class AttemptStream:
    """Run as a task; ``grant`` says how far it may go, ``stop`` ends it early."""

    attempt: Attempt
    sound: Sound
    sample_rate: int
    """Hertz that are sent."""
    header: StreamHeader
    open_stream: Callable[[StreamHeader], Awaitable[Writer]]
    listener: Callable[[StreamEvent], None]
    after: AttemptStream | None = None
    """The one before: streams never overlap, so this one opens when that one is closed (wire.md, 4)."""
    _granted: float = 0.0
    _frames: int = 0
    """Sent so far."""
    _stopping: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        self._task = group.create_task(self._run(), name="attempt-stream")

    def grant(self, up_to: float) -> None:
        """Seconds of the attempt that may have been sent."""
        self._granted = up_to
        self._changed.set()

    async def closed(self) -> None:
        """Returns once the stream is closed, by whatever way."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """Returns once the stream is closed."""
        self._stopping = True
        self._changed.set()
        if self._task is not None and not self._task.done():
            done, _ = await asyncio.wait([self._task], timeout=STOP_TIMEOUT)
            if not done:
                self._task.cancel()
                await asyncio.wait([self._task])

    async def _run(self) -> None:
        if self.after is not None:
            await self.after.closed()
            self.after = None
        if self._stopping:
            return
        try:
            writer = await self.open_stream(self.header)
        except Exception as error:  # the SDK raises bare RuntimeError, StreamError and more here
            logger.debug("stream not opened: %s", type(error).__name__)
            self.listener(NotOpened(self.attempt, Problem("livekit-unavailable", "No stream could be opened.", True)))
            return
        ended: StreamEvent | None = None
        try:
            ended = await self._send(writer)
        except MouthpieceError as error:
            ended = SourceFailed(self.attempt, Problem(error.slug, str(error), error.retryable))
        except Exception as error:
            logger.debug("stream broke: %s", type(error).__name__)
            ended = WriteFailed(self.attempt, Problem("livekit-unavailable", "The connection broke.", True))
        finally:
            with contextlib.suppress(Exception):  # already closed, or the room is gone: the avatar knows by itself
                await asyncio.shield(writer.aclose())
            if ended is not None:
                self.listener(ended)

    async def _send(self, writer: Writer) -> Progress | None:
        """:raises MouthpieceError: the sound broke; what came before that has been sent."""
        chain = Chain(MixDown(), Resampler(self.sample_rate), Chunker(QUANTUM))
        broken: MouthpieceError | None = None
        try:
            async with self.sound.open(self.attempt.offset) as blocks:
                async for block in blocks:
                    for chunk in chain.push(block):
                        if not await self._write(writer, chunk):
                            return None
        except MouthpieceError as error:
            broken = error
        for chunk in chain.flush():
            if not await self._write(writer, chunk):
                return None
        if broken is not None:
            raise broken
        return Progress(self.attempt, self._frames / self.sample_rate, whole=True)

    async def _write(self, writer: Writer, chunk: Pcm) -> bool:
        """False: it is to stop."""
        while not self._stopping and (self._frames + chunk.frames) / self.sample_rate > self._granted + 1e-6:
            self._changed.clear()
            await self._changed.wait()
        if self._stopping:
            return False
        await writer.write(chunk.to_bytes())
        self._frames += chunk.frames
        self.listener(Progress(self.attempt, self._frames / self.sample_rate))
        return True
