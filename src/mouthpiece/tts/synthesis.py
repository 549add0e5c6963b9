"""One text on its way to sound.

::

    provider's stream ──▶ reader task ──▶ Converter ──▶ SoundBuffer ──▶ Synthesis (the consumer) ──▶ events, chunks

The reader task owns the provider's stream, and no other task touches it: a stream may open a timeout or a connection in
one step and close it in another, which must happen in the same task. A stop empties the buffer first, and from then on
nothing comes out, whatever the provider does; then it cancels the reader task, which closes the stream.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from mouthpiece.errors import TTSError
from mouthpiece.tts.convert import Converter, joined
from mouthpiece.tts.errors import TTSClosed, TTSNoSound, TTSProviderFailed
from mouthpiece.tts.events import TTSAudioEvent, TTSErrorEvent, TTSSynthesisCompleteEvent, TTSSynthesisStartEvent
from mouthpiece.tts.host import Host
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.shape import is_single, one_shape, settled
from mouthpiece.tts.sound_buffer import Block, SoundBuffer
from mouthpiece.tts.text import check_text, has_words

_log = logging.getLogger(__name__)

GRACE: Final = 0.04
"""Seconds that a stop waits for a provider to close its stream. A slower one ends later; nothing of it is heard."""


class SynthesisState(enum.Enum):
    """Where a synthesis stands::

    NEW → RUNNING → FINISHED | INTERRUPTED | FAILED
    """

    NEW = "new"
    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    """It was stopped, closed or cancelled before its end."""
    FAILED = "failed"


@dataclass(slots=True)
class SynthesisMetrics:
    """Figures of one synthesis; they grow while it runs."""

    synthesis_time_ms: float = 0.0
    """Milliseconds that the provider took, without the time that it waited for the consumer."""
    audio_duration_ms: float = 0.0
    """Milliseconds of sound that the consumer received."""
    chunk_count: int = 0
    """Chunks that the consumer received."""
    total_audio_bytes: int = 0
    """Bytes of sound that the consumer received, in the output format."""
    first_audio_ms: float | None = None
    """Milliseconds from the request to the provider's first sound; None: there was none yet."""

    @property
    def real_time_factor(self) -> float | None:
        """``synthesis_time_ms / audio_duration_ms``; None: there was no sound yet."""
        return self.synthesis_time_ms / self.audio_duration_ms if self.audio_duration_ms else None


@dataclass(eq=False)
class Job:
    """The state that reader task and consumer share. It holds no reference to the consumer, so that one that is dropped
    half-way can be collected."""

    host: Host
    text: str
    participant: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    stream_lock: asyncio.Lock
    """Held while the provider's stream is open."""
    clock: Callable[[], float]
    """Seconds, monotonic."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: SynthesisState = SynthesisState.NEW
    metrics: SynthesisMetrics = field(default_factory=SynthesisMetrics)
    reader: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        host = self.host
        self.converter = Converter(host._desired_sample_rate, host._desired_channels, host._desired_format)
        self.buffer = SoundBuffer(host.buffer_seconds)

    def stop(self) -> None:
        """Drop the sound that waits, and close the provider's stream; nothing comes out after this returns."""
        self.buffer.stop()
        if self.reader is not None:
            self.reader.cancel()

    async def begin(self) -> None:
        """Start reading the provider. Calls after the first have no effect."""
        if self.state is not SynthesisState.NEW:
            return
        self.state = SynthesisState.RUNNING
        self.host._jobs.add(self)
        await self._emit(TTSSynthesisStartEvent, text=self.text)
        if not self.buffer.stopped:
            self.reader = asyncio.create_task(self._read_all(), name="tts-reader")
            self.host._jobs.own(self.reader)

    async def end(self, error: TTSError | None = None) -> None:
        """Close the provider's stream and emit the one event of the end. Calls after the first have no effect."""
        if self.state is not SynthesisState.RUNNING:
            return
        if error is not None:
            self.state = SynthesisState.FAILED
        else:
            self.state = SynthesisState.INTERRUPTED if self.buffer.stopped else SynthesisState.FINISHED
        self.stop()
        try:
            if self.reader is not None:
                await asyncio.wait({self.reader}, timeout=GRACE)
        finally:  # also when this wait is cancelled: each start event is followed by one of the end
            self.host._jobs.discard(self)
            await self._emit_end(error)

    async def _emit_end(self, error: TTSError | None) -> None:
        if error is not None:
            await self._emit(TTSErrorEvent, error=error, text_source=self.text)
            return
        metrics = self.metrics
        await self._emit(
            TTSSynthesisCompleteEvent,
            text=self.text,
            synthesis_time_ms=metrics.synthesis_time_ms,
            audio_duration_ms=metrics.audio_duration_ms,
            real_time_factor=metrics.real_time_factor,
            chunk_count=metrics.chunk_count,
            total_audio_bytes=metrics.total_audio_bytes,
            first_audio_ms=metrics.first_audio_ms,
            interrupted=self.state is SynthesisState.INTERRUPTED,
        )

    async def hand_out(self, block: Block) -> None:
        """Count a block that the consumer takes, and emit its event."""
        metrics, data = self.metrics, block.data
        index = metrics.chunk_count
        metrics.chunk_count += bool(data.frames)  # an empty block only marks the end
        metrics.audio_duration_ms += data.duration_ms
        metrics.total_audio_bytes += data.samples.nbytes
        if self.host.events.has_subscribers(TTSAudioEvent):
            await self._emit(
                TTSAudioEvent, data=data, chunk_index=index, is_final_chunk=block.final, text_source=self.text
            )

    async def _emit(self, event: type[Any], **values: Any) -> None:
        host = self.host
        await host.events.emit(
            event(
                session_id=host.session_id,
                plugin_name=host.provider_name,
                synthesis_id=self.id,
                participant=self.participant,
                **values,
            )
        )

    async def _read_all(self) -> None:
        try:
            if self.host._jobs.closed:
                raise TTSClosed(f"The voice {self.host.provider_name!r} was closed; make a new one.")
            check_text(self.text)
            async with self.stream_lock:
                await self._read()
        except Exception as error:
            if self.buffer.stopped:  # some providers answer a stop with an error of their own
                _log.debug("%s after a stop: %s", self.host.provider_name, type(error).__name__)
            self.buffer.end(self.host._as_tts_error(error, heard=self.metrics.first_audio_ms is not None))
        except asyncio.CancelledError:
            # If no stop caused it, a library cancelled a task of its own that the provider waited for: end the buffer,
            # or the consumer would wait for ever.
            self.buffer.end(TTSProviderFailed(f"The voice {self.host.provider_name!r} was cancelled from inside."))
            raise
        except BaseException as error:  # for example a panic of native code: the consumer must not wait for ever
            failed = f"The voice {self.host.provider_name!r} failed ({type(error).__name__})."
            self.buffer.end(TTSProviderFailed(failed))
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        else:
            self.buffer.end()
        finally:
            self.converter.clear()  # a stored error holds its traceback's frames, and they hold this job

    async def _read(self) -> None:
        asked = self.clock()
        first = self._deadline(self.host.first_audio_timeout)
        async with asyncio.timeout_at(first):
            answer = await settled(self.host.stream_audio(self.text, *self.args, **self.kwargs))
        self.metrics.synthesis_time_ms = (self.clock() - asked) * 1000
        single = is_single(answer)
        stream = one_shape(answer)
        last: list[PcmData] = []
        try:
            while not self.buffer.stopped:
                heard = self.metrics.first_audio_ms is not None
                before = self.clock()
                async with asyncio.timeout_at(self._deadline(self.host.stall_timeout) if heard else first):
                    chunk = await anext(stream, None)
                now = self.clock()
                self.metrics.synthesis_time_ms += (now - before) * 1000
                if chunk is None:
                    break
                last = await self._convert(chunk)
                if not heard and self.converter.taken:
                    self.metrics.first_audio_ms = (now - asked) * 1000
                if last and not single:
                    await self.buffer.put(Block(joined(last), False))
        except Exception:
            if rest := list(self.converter.flush()):
                await self.buffer.put(Block(joined(rest), False))
            raise
        finally:
            await stream.aclose()
        if self.buffer.stopped:
            return
        if self.metrics.first_audio_ms is None and has_words(self.text):
            raise TTSNoSound(
                f"The voice {self.host.provider_name!r} gave no sound for this text; it may not know its language."
            )
        tail = [*last, *self.converter.flush()] if single else list(self.converter.flush())
        await self.buffer.put(Block(joined(tail) if tail else self.converter.empty(), True))

    async def _convert(self, chunk: PcmData) -> list[PcmData]:
        out: list[PcmData] = []
        slices = 0
        for part in self.converter.push(chunk):
            if part is not None:
                out.append(part)
            elif (slices := slices + 1) > 1:
                await asyncio.sleep(0)
        return out

    def _deadline(self, seconds: float | None) -> float | None:
        return None if seconds is None else asyncio.get_running_loop().time() + seconds


async def _chunks(job: Job) -> AsyncGenerator[PcmData, None]:
    """The consumer's side. A generator: the event loop closes one that is dropped half-way."""
    error: TTSError | None = None
    try:
        await job.begin()
        while (block := await job.buffer.get()) is not None:
            await job.hand_out(block)
            if job.buffer.stopped:
                break
            if block.data.frames:
                yield block.data
    except TTSError as failure:
        error = failure
        raise
    except BaseException:  # cancelled, or closed half-way
        job.stop()
        raise
    finally:
        await job.end(error)


class Synthesis:
    """The sound of one text, as an async iterator of ``PcmData`` in the output format. ``TTS.synthesize`` makes it.

    Reading applies back-pressure: the provider is read at most ``TTS.buffer_seconds`` ahead of the consumer. Use a
    synthesis as an async context manager, or read it to its end; one that is left half-way keeps the provider's stream
    open until it is garbage-collected. After a stop it ends early, without an error: see ``state``.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._chunks = _chunks(job)

    @property
    def id(self) -> str:
        """The ``synthesis_id`` of its events."""
        return self._job.id

    @property
    def text(self) -> str:
        return self._job.text

    @property
    def state(self) -> SynthesisState:
        return self._job.state

    @property
    def running(self) -> bool:
        """It has not ended; also True before it has begun."""
        return self._job.state in (SynthesisState.NEW, SynthesisState.RUNNING)

    @property
    def metrics(self) -> SynthesisMetrics:
        return self._job.metrics

    async def start(self) -> None:
        """Begin before anything is read: up to ``TTS.buffer_seconds`` of sound are made ahead. A started synthesis that
        is never read must be closed with ``aclose``."""
        await self._job.begin()

    def __aiter__(self) -> Synthesis:
        return self

    async def __anext__(self) -> PcmData:
        """The next chunk.

        :raises TTSError: the synthesis failed; the sound made before that has come out.
        :raises StopAsyncIteration: it has ended, or was stopped.
        """
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Stop the synthesis and drop the sound that was not read. May be called twice."""
        await self._chunks.aclose()
        if self._job.state is SynthesisState.RUNNING:  # started and never read
            self._job.stop()
            await self._job.end()

    async def __aenter__(self) -> Synthesis:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
