"""The stream of one attempt: reads a sound, transforms it and writes it into one byte stream, as far as granted.

Whatever happens, the stream is closed: a sender that leaves with one open deafens a stock receiver (docs/wire.md, way
10).
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import LiveKitUnavailable, MouthpieceError
from mouthpiece.playback.pacing import QUANTUM
from mouthpiece.process.log_context import about
from mouthpiece.segments import Attempt, Problem
from mouthpiece_sender.playout.block_reader import BlockReader
from mouthpiece_sender.playout.write_buffer import FIRST, GATHERED, PATIENCE, WriteBuffer
from mouthpiece_sender.sounds.sound import Sound

logger = logging.getLogger(__name__)

STOP_TIMEOUT = 1.0
"""Seconds that a write in progress may still take once the stream is to be closed."""
PAUSE = 1.0
"""Seconds without more audio that are a pause: what comes after it is another beginning."""
KEEP_ALIVE = 5
"""Pauses in a row after which silence is sent: receivers end a stream that brought no chunk for 10 s."""
SILENCE = 0.02
"""Seconds of silence that keep a stream alive."""

UNAVAILABLE = Problem.of(LiveKitUnavailable("The connection does not take the sound."))


class Writer(Protocol):
    """The part of the SDK's stream writer that is used here."""

    async def write(self, data: bytes) -> None: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """``sent`` seconds of the attempt have been written. ``whole``: the sound has ended."""

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
    """The sound could not be read to its end."""

    attempt: Attempt
    problem: Problem


@dataclass(frozen=True, slots=True)
class WriteFailed:
    """The connection did not take the audio."""

    attempt: Attempt
    problem: Problem


class _Phase(enum.Enum):
    WAITING = "waiting"
    """For the previous stream to close, and for ``begun``."""
    OPENING = "opening"
    READING = "reading"
    WRITING = "writing"
    CLOSING = "closing"


class _NotWritten(Exception):
    """The connection did not take the audio."""


StreamEvent = Progress | NotOpened | SourceFailed | WriteFailed


@dataclass
class AttemptStream:
    """``start`` runs it as a task, ``grant`` extends how far it may send, ``stop`` ends it early."""

    attempt: Attempt
    sound: Sound
    sample_rate: int
    """Hertz that are sent."""
    open_stream: Callable[[], Awaitable[Writer]]
    listener: Callable[[StreamEvent], None]
    chunk: float = QUANTUM
    """Seconds a write, at first."""
    first: float = FIRST
    """Seconds of the first write of a sound that is there whole; what still comes in gathers ``GATHERED`` at least."""
    patience: float = PATIENCE
    """Seconds that what has come waits for more."""
    previous: AttemptStream | None = None
    """Streams must not overlap: this one opens when ``previous`` is closed (docs/wire.md, way 4)."""
    on_pause: Callable[[], Awaitable[None]] | None = None
    """Called once when the source pauses; without it, silence keeps the stream alive."""
    unavailable: Problem = UNAVAILABLE
    """The problem to report when the stream does not open, or does not take the audio."""
    begun: Callable[[], Awaitable[None]] | None = None
    """Awaited before the stream opens."""
    lag: float = 0.0
    """Seconds that a block was written after the pace allowed it, at most; what is allowed at once, and waits for the
    stream and the sound, does not count."""
    clock: Callable[[], float] = time.monotonic
    _granted: float = 0.0
    _grants: deque[tuple[float, float]] = field(default_factory=deque)
    """Seconds that may be sent, and since when; those that have been sent are left out."""
    _frames: int = 0
    """Written so far."""
    _phase: _Phase = _Phase.WAITING
    _stopping: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        self._task = group.create_task(self._run(), name="attempt-stream")

    def grant(self, up_to: float) -> None:
        """Allow ``up_to`` seconds of the attempt to be sent."""
        if self._granted:
            self._grants.append((up_to, self.clock()))
        self._granted = up_to
        self._changed.set()

    async def left(self) -> None:
        """Return at once while the stream may go on; else wait until it is closed."""
        if self._stopping:
            await self.closed()

    async def closed(self) -> None:
        """Wait until the stream is closed."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """Close the stream, and wait until it is closed. A slow source does not delay this."""
        self._stopping = True
        self._changed.set()
        if self._task is not None and not self._task.done():
            if self._phase in (_Phase.WAITING, _Phase.READING):
                self._task.cancel()
            done, _ = await asyncio.wait([self._task], timeout=STOP_TIMEOUT)
            if not done:
                self._task.cancel()
                await asyncio.wait([self._task])

    async def _run(self) -> None:
        with about(self.attempt.segment):
            await self._carry()

    async def _carry(self) -> None:
        if self.previous is not None:
            await self.previous.closed()
            self.previous = None
        # Opening what still comes in spends what was made of it, such as the first sentence of a text.
        ahead = self.sound.info.duration is not None
        try:
            async with contextlib.AsyncExitStack() as stack:
                blocks = await self._open_sound(stack) if ahead else None
                await self._say(stack, blocks)
        except Exception as error:
            self.listener(self._failed(error))

    async def _say(self, stack: contextlib.AsyncExitStack, blocks: BlockReader | None) -> None:
        """Open the stream, send the sound, close the stream.

        :param stack: lets go of the sound.
        :param blocks: of the sound, if it is being read already.
        """
        if self.begun is not None:
            await self.begun()
        if self._stopping:
            return
        self._phase = _Phase.OPENING
        try:
            writer = await self.open_stream()
        except Exception as error:  # the SDK raises bare RuntimeError, StreamError and more here
            logger.debug("stream not opened: %s", type(error).__name__)
            self.listener(NotOpened(self.attempt, self.unavailable))
            return
        self._phase = _Phase.READING
        ended: StreamEvent | None = None
        try:
            ended = await self._send(writer, blocks or await self._open_sound(stack))
        except _NotWritten:
            ended = WriteFailed(self.attempt, self.unavailable)
        except Exception as error:
            ended = self._failed(error)
        finally:
            self._phase = _Phase.CLOSING
            await _closed(writer)
            if ended is not None:
                self.listener(ended)

    async def _open_sound(self, stack: contextlib.AsyncExitStack) -> BlockReader:
        """Open the sound, and begin to read it."""
        blocks = await stack.enter_async_context(self.sound.open(self.attempt.offset))
        return await stack.enter_async_context(BlockReader(blocks))

    def _failed(self, error: Exception) -> SourceFailed:
        if isinstance(error, MouthpieceError):
            return SourceFailed(self.attempt, Problem.of(error))
        logger.error("a sound could not be read any further", exc_info=error)
        return SourceFailed(self.attempt, Problem.of(MouthpieceError("The sound could not be read any further.")))

    async def _send(self, writer: Writer, blocks: BlockReader) -> Progress | None:
        """Send the sound. Returns None if it was stopped.

        :raises MouthpieceError: the sound cannot be read any further; what came before has been sent.
        :raises _NotWritten: the connection does not take the audio.
        """
        first = self.first if self.sound.info.duration is not None else max(self.first, GATHERED)
        buffer = WriteBuffer(self.sample_rate, quantum=self.chunk, first=first, patience=self.patience)
        broken: MouthpieceError | None = None
        pauses = 0
        try:
            while True:
                if self._stopping:
                    return None
                asked, patience = self.clock(), buffer.patience
                if await blocks.comes(PAUSE if patience is None else patience):
                    if (block := blocks.take()) is None:
                        break
                    pauses, chunks = 0, buffer.push(block, self.clock() - asked)
                elif patience is not None:
                    chunks = buffer.give()
                else:
                    pauses, chunks = pauses + 1, buffer.flush()
                    if not chunks and self.on_pause is None and pauses % KEEP_ALIVE == 0:
                        chunks = [Pcm.silence(SILENCE, self.sample_rate)]
                for chunk in chunks:
                    if not await self._write(writer, chunk):
                        return None
                if pauses == 1 and self.on_pause is not None:
                    await self._sent(self.on_pause())
        except MouthpieceError as error:
            broken = error
        for chunk in buffer.flush():
            if not await self._write(writer, chunk):
                return None
        if broken is not None:
            raise broken
        return Progress(self.attempt, self._frames / self.sample_rate, whole=True)

    async def _write(self, writer: Writer, chunk: Pcm) -> bool:
        """Write a chunk once it is granted; False if the stream is to stop instead."""
        while not self._stopping and (self._frames + chunk.frames) / self.sample_rate > self._granted + 1e-6:
            self._changed.clear()
            await self._changed.wait()
        if self._stopping:
            return False
        await self._sent(writer.write(chunk.to_bytes()))
        self._follow_pace(chunk.frames)
        self.listener(Progress(self.attempt, self._frames / self.sample_rate))
        return True

    def _follow_pace(self, frames: int) -> None:
        """``frames`` more were written just now."""
        self._frames += frames
        while self._grants and self._grants[0][0] <= self._frames / self.sample_rate + 1e-6:
            _, since = self._grants.popleft()
            self.lag = max(self.lag, self.clock() - since)

    async def _sent(self, sending: Awaitable[None]) -> None:
        """:raises _NotWritten: the connection does not take the audio."""
        self._phase = _Phase.WRITING
        try:
            await sending
        except Exception as error:  # the SDK's own, of many kinds
            logger.debug("stream broke: %s", type(error).__name__)
            raise _NotWritten from error
        self._phase = _Phase.READING


async def _closed(writer: Writer) -> None:
    """Close ``writer``, also if this task is cancelled meanwhile."""
    closing = asyncio.ensure_future(writer.aclose())
    try:
        with contextlib.suppress(Exception):  # already closed, or the room is gone: the avatar notices that by itself
            await asyncio.shield(closing)
    except asyncio.CancelledError:
        await asyncio.wait([closing], timeout=STOP_TIMEOUT)
        closing.cancel()
        raise
