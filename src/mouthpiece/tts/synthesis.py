"""One text on its way to sound.

::

    provider's stream ──▶ pump task ──▶ converter ──▶ SoundBuffer ──▶ Synthesis (whoever iterates) ──▶ events, chunks

The pump owns the provider's stream and is the only task that touches it: a stream that opens a timeout or a
connection in one step and closes it in another stays in one task. A stop works on the buffer first, and from then on
nothing comes out, whatever the provider does; then it cancels the pump, which closes the stream.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from mouthpiece.errors import TTSError
from mouthpiece.tts.convert import Converter, joined
from mouthpiece.tts.errors import TTSClosed, TTSNoSound, TTSProviderFailed
from mouthpiece.tts.events import TTSAudioEvent, TTSErrorEvent, TTSSynthesisCompleteEvent, TTSSynthesisStartEvent
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.shape import is_single, one_shape, settled
from mouthpiece.tts.sound_buffer import Block, SoundBuffer
from mouthpiece.tts.text import check_text, has_words

if TYPE_CHECKING:
    from mouthpiece.tts.base import TTS

_log = logging.getLogger(__name__)

GRACE: Final = 0.04
"""Seconds that a stop waits for a provider to let go; one that takes longer ends on its own time, unheard."""


class SynthesisState(enum.Enum):
    """::

    NEW → RUNNING → FINISHED | INTERRUPTED | FAILED
    """

    NEW = "new"
    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    """Stopped, closed or cancelled before its end."""
    FAILED = "failed"


@dataclass(slots=True)
class SynthesisMetrics:
    """Grow while the synthesis runs."""

    synthesis_time_ms: float = 0.0
    audio_duration_ms: float = 0.0
    chunk_count: int = 0
    total_audio_bytes: int = 0
    first_audio_ms: float | None = None

    @property
    def real_time_factor(self) -> float | None:
        return self.synthesis_time_ms / self.audio_duration_ms if self.audio_duration_ms else None


@dataclass(eq=False)
class Job:
    """What pump and consumer share. The consumer is not referenced from here: one that is dropped can be collected."""

    tts: TTS
    text: str
    participant: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    turn: asyncio.Lock
    """Held while the provider's stream is open."""
    clock: Callable[[], float]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: SynthesisState = SynthesisState.NEW
    metrics: SynthesisMetrics = field(default_factory=SynthesisMetrics)
    pump: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.converter = Converter(self.tts._desired_sample_rate, self.tts._desired_channels, self.tts._desired_format)
        self.buffer = SoundBuffer(self.tts.buffer_seconds)

    def stop(self) -> None:
        """Nothing comes out after this returns."""
        self.buffer.stop()
        if self.pump is not None:
            self.pump.cancel()

    async def begin(self) -> None:
        if self.state is not SynthesisState.NEW:
            return
        self.state = SynthesisState.RUNNING
        self.tts._jobs.add(self)
        await self._emit(TTSSynthesisStartEvent, text=self.text)
        if not self.buffer.stopped:
            self.pump = asyncio.create_task(self._read_all(), name="tts-pump")
            self.tts._jobs.own(self.pump)

    async def end(self, error: TTSError | None = None) -> None:
        """The one way out: lets the provider go and tells how it went."""
        if self.state is not SynthesisState.RUNNING:
            return
        if error is not None:
            self.state = SynthesisState.FAILED
        else:
            self.state = SynthesisState.INTERRUPTED if self.buffer.stopped else SynthesisState.FINISHED
        self.stop()
        try:
            if self.pump is not None:
                await asyncio.wait({self.pump}, timeout=GRACE)
        finally:  # also when it is cancelled here: every start has its end
            self.tts._jobs.discard(self)
            await self._tell_end(error)

    async def _tell_end(self, error: TTSError | None) -> None:
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
        """Counts a block and tells of it."""
        metrics, data = self.metrics, block.data
        index = metrics.chunk_count
        metrics.chunk_count += bool(data.frames)  # an empty one says only that it was the last
        metrics.audio_duration_ms += data.duration_ms
        metrics.total_audio_bytes += data.samples.nbytes
        if self.tts.events.has_subscribers(TTSAudioEvent):
            await self._emit(
                TTSAudioEvent, data=data, chunk_index=index, is_final_chunk=block.final, text_source=self.text
            )

    async def _emit(self, event: type[Any], **values: Any) -> None:
        tts = self.tts
        await tts.events.emit(
            event(
                session_id=tts.session_id,
                plugin_name=tts.provider_name,
                synthesis_id=self.id,
                participant=self.participant,
                **values,
            )
        )

    async def _read_all(self) -> None:
        try:
            if self.tts._jobs.closed:
                raise TTSClosed(f"The voice {self.tts.provider_name!r} was closed; make a new one.")
            check_text(self.text)
            async with self.turn:
                await self._read()
        except Exception as error:
            if self.buffer.stopped:  # a provider that answers a stop with an error of its own
                _log.debug("%s after a stop: %s", self.tts.provider_name, type(error).__name__)
            self.buffer.end(self.tts._as_tts_error(error, heard=self.metrics.first_audio_ms is not None))
        except asyncio.CancelledError:
            # Not by a stop, then whoever takes the sound must not wait on: a library cancelled a task of its own that
            # the provider waited for.
            self.buffer.end(TTSProviderFailed(f"The voice {self.tts.provider_name!r} was cancelled from inside."))
            raise
        except BaseException as error:  # a panic of native code, say: whoever takes the sound must not wait on
            failed = f"The voice {self.tts.provider_name!r} failed ({type(error).__name__})."
            self.buffer.end(TTSProviderFailed(failed))
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        else:
            self.buffer.end()
        finally:
            self.converter.clear()  # an error that somebody keeps holds its frames, and they hold this job

    async def _read(self) -> None:
        asked = self.clock()
        first = self._deadline(self.tts.first_audio_timeout)
        async with asyncio.timeout_at(first):
            answer = await settled(self.tts.stream_audio(self.text, *self.args, **self.kwargs))
        self.metrics.synthesis_time_ms = (self.clock() - asked) * 1000
        single = is_single(answer)
        stream = one_shape(answer)
        last: list[PcmData] = []
        try:
            while not self.buffer.stopped:
                heard = self.metrics.first_audio_ms is not None
                before = self.clock()
                async with asyncio.timeout_at(self._deadline(self.tts.stall_timeout) if heard else first):
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
                f"The voice {self.tts.provider_name!r} gave no sound for this text; it may not know its language."
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
    """The consumer's side: a generator, so that one that is dropped half-way is closed by the event loop."""
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
    """An async iterator of ``PcmData`` in the output format; made by ``TTS.synthesize``.

    It is read with back-pressure: what is taken late is made late. Use it as an async context manager, or read it
    to its end; one that is left half-way holds the provider until it is collected. It ends early, without an
    error, when the TTS is stopped: see ``state``.
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
        return self._job.state in (SynthesisState.NEW, SynthesisState.RUNNING)

    @property
    def metrics(self) -> SynthesisMetrics:
        return self._job.metrics

    async def start(self) -> None:
        """Begins before anybody reads: up to ``TTS.buffer_seconds`` of sound are made ahead. One that is not read needs
        ``aclose``."""
        await self._job.begin()

    def __aiter__(self) -> Synthesis:
        return self

    async def __anext__(self) -> PcmData:
        """:raises TTSError: see ``mouthpiece.tts.errors``; what was made before the error has come out by then."""
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Ends it here; the sound that was not taken is dropped."""
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
