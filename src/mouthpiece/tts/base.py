"""The TTS base class: from text to events with sound, whatever the provider's shape, rate and manners.

Its surface is that of Vision Agents' TTS class as that project documents it: a class written for it runs here with its
imports changed to ``from mouthpiece.tts import TTS, PcmData, AudioFormat``.

::

    class MyTTS(TTS):
        async def stream_audio(self, text, *args, **kwargs):
            async for chunk in my_service(text):
                yield PcmData.from_bytes(chunk, sample_rate=22050, channels=1, format=AudioFormat.S16)

        async def stop_audio(self):
            await my_service.cancel()

    tts = MyTTS()
    tts.set_output_format(48_000)

    @tts.events.subscribe
    async def on_audio(event: TTSAudioEvent) -> None: ...

    await tts.send("Hello")                     # pushes: events
    async with tts.synthesize("Hello") as sound:
        async for chunk in sound: ...           # pulls: the same sound, with back-pressure

**One at a time.** A TTS has one stream of its provider open at a time; further texts wait, first come first served.
``send`` also keeps its events together: those of the next one begin after the last one's end. Two texts at once take
two TTS objects.

**Stopping.** ``stop_audio`` ends every synthesis that was asked for until then, also those that wait. When it is
called, nothing more of them comes out: not from the provider, not from a buffer, not later. This is the base class's
work, done before the subclass's own ``stop_audio`` runs, and it does not rest on the provider's help.
"""

from __future__ import annotations

import abc
import functools
import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Self

from mouthpiece.errors import MouthpieceError
from mouthpiece.tts.audio_format import AudioFormat
from mouthpiece.tts.errors import TTSError, TTSProviderFailed, TTSStreamCut, TTSTimeout, TTSUnavailable
from mouthpiece.tts.event_manager import EventManager
from mouthpiece.tts.http_status import error_by_shape
from mouthpiece.tts.jobs import Jobs
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.shape import settled
from mouthpiece.tts.speech import SpokenChunk, speech
from mouthpiece.tts.synthesis import GRACE, Job, Synthesis
from mouthpiece.tts.voice import Voice


class TTS(abc.ABC):
    """See the module's docstring. ``provider_name`` is the class's name unless one is given."""

    first_audio_timeout: float | None = 30.0
    """Seconds from the request to the first sound, then ``TTSTimeout``; None: no limit. May be set on an object."""
    stall_timeout: float | None = 30.0
    """Seconds between two chunks, then ``TTSStreamCut``."""
    buffer_seconds: float = 10.0
    """Of sound that is made ahead of whoever takes it; then the provider's stream is left waiting."""
    native_sample_rate: int | None = None
    """Hertz that the provider gives, where it is known before: asking for it saves the resampling."""
    clock: Callable[[], float] = staticmethod(time.perf_counter)
    """Seconds, monotonic; for the metrics."""
    synthesis_task: Any = None
    """A subclass's own, as ``audio_queue`` is: the base class never sets them. The ``stop_audio`` that Vision Agents'
    document prints asks for both before anything has been spoken, and a class written after it must be able to stop."""
    audio_queue: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if (own := _own(cls, "stop_audio")) is not None:
            setattr(cls, "stop_audio", _stopping(own))  # noqa: B010
        elif getattr(cls.stop_audio, "__isabstractmethod__", False) and "stream_audio" in cls.__dict__:
            # The streaming example of the document leaves it out, and must be able to run.
            setattr(cls, "stop_audio", _stop)  # noqa: B010
        if (own := _own(cls, "close")) is not None:
            setattr(cls, "close", _closing(own))  # noqa: B010

    def __init__(self, provider_name: str | None = None) -> None:
        self.session_id: str = str(uuid.uuid4())
        self.provider_name: str = provider_name or type(self).__name__
        self.events = EventManager()
        self._jobs = Jobs()
        self._desired_sample_rate = 16_000
        self._desired_channels = 1
        self._desired_format = AudioFormat.PCM_S16

    @abc.abstractmethod
    def stream_audio(
        self, text: str, *args: Any, **kwargs: Any
    ) -> Awaitable[PcmData | Iterator[PcmData] | AsyncIterator[PcmData]] | AsyncIterator[PcmData]:
        """The sound of ``text`` in the provider's own format.

        A coroutine that returns one ``PcmData``, an iterator or an async iterator of them; or an async generator.
        A blocking iterator is read in a thread. Chunks may break anywhere, also inside a sample. What it raises
        reaches the caller as an error of ``mouthpiece.tts.errors``.
        """

    @abc.abstractmethod
    async def stop_audio(self) -> None:
        """Stops every synthesis. A subclass tells its provider; nothing comes out any more by then."""
        await _stop(self)

    async def close(self) -> None:
        """Stops everything and releases what is held. May be called twice. A subclass closes its connections; the
        syntheses have ended by then, and ``super().close()`` need not be called."""
        await _shut(self)

    async def voices(self) -> list[Voice]:
        """The voices that ``voice=`` may name; none: the provider does not tell.

        :raises TTSError: the service was asked and did not answer.
        """
        return []

    async def warm(self) -> None:
        """Makes the first synthesis as quick as the next ones: loads models and libraries."""
        return

    def translate_error(self, error: Exception) -> TTSError | None:
        """What the provider's own exception means; None: nothing special. The one seam to its library."""
        return None

    async def send(self, text: str, participant: Any = None, *args: Any, **kwargs: Any) -> None:
        """Speaks ``text`` into events. Returns when the last handler has returned, or after a stop.

        ``args`` and ``kwargs`` go to ``stream_audio``. A handler may speak the next text at the end of this one
        (``TTSSynthesisCompleteEvent``, ``TTSErrorEvent``), not while it waits for its own.

        :raises TTSError: after the ``TTSErrorEvent``; see ``mouthpiece.tts.errors``.
        :raises RuntimeError: a handler of a sound that has not ended called it.
        """
        # By the class's name here and elsewhere: a subclass may have a `synthesize` of its own.
        synthesis = TTS.synthesize(self, text, *args, participant=participant, **kwargs)
        async with self._jobs.sends(synthesis), synthesis:
            async for _ in synthesis:
                pass

    def synthesize(self, text: str, *args: Any, participant: Any = None, **kwargs: Any) -> Synthesis:
        """Speaks ``text`` to whoever iterates over the answer; the events are the same as ``send``'s."""
        clock = self.clock if callable(self.clock) else time.perf_counter  # a subclass may have another one
        return Synthesis(Job(self, text, participant, args, kwargs, self._jobs.turn, clock))

    def speak(
        self,
        text: str | AsyncIterable[str],
        *args: Any,
        language: str = "en",
        participant: Any = None,
        **kwargs: Any,
    ) -> AsyncIterator[SpokenChunk]:
        """Speaks a long text, or one that is still being written, sentence by sentence.

        Sound comes with the first sentence; while one is read, the next one is made. Every sentence is a synthesis
        of its own, with its own events. Ends early after a stop.

        :raises TTSError: a sentence failed; those before it have come out.
        """
        return speech(self, functools.partial(TTS.synthesize, self), text, args, language, participant, kwargs)

    def set_output_format(
        self, sample_rate: int, channels: int = 1, audio_format: AudioFormat = AudioFormat.PCM_S16
    ) -> None:
        """What the events of the syntheses from now on carry.

        :raises ValueError: a rate or a number of channels that is not positive, or an unknown format.
        """
        if sample_rate <= 0 or channels <= 0 or int(sample_rate) != sample_rate or int(channels) != channels:
            raise ValueError(f"{sample_rate} Hz and {channels} channel(s): both must be positive and whole")
        self._desired_sample_rate = int(sample_rate)
        self._desired_channels = int(channels)
        self._desired_format = AudioFormat(audio_format)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _as_tts_error(self, error: Exception, *, heard: bool) -> TTSError:
        """``heard``: sound had come before. What then keeps the rest away cut the stream."""
        known: TTSError | None
        try:
            known = error if isinstance(error, TTSError) else self.translate_error(error) or self._by_kind(error)
        except Exception as fault:  # a provider's translation is its own code too
            known = TTSProviderFailed(
                f"The voice {self.provider_name!r} failed ({type(error).__name__}), and its own account of that did "
                f"({type(fault).__name__})."
            )
        if heard and isinstance(known, TTSUnavailable):
            known = TTSStreamCut(f"The voice {self.provider_name!r} broke off in the middle of a text.")
        if known is not error and known.__cause__ is None:
            known.__cause__ = error
        return known

    def _by_kind(self, error: Exception) -> TTSError:
        name = self.provider_name
        if isinstance(error, MouthpieceError):
            return TTSProviderFailed(str(error))
        if isinstance(error, TimeoutError):
            return TTSTimeout(f"The voice {name!r} gave no sound in time.")
        if known := error_by_shape(name, error):
            return known
        if isinstance(error, OSError):
            return TTSUnavailable(f"The voice {name!r} is not reachable ({type(error).__name__}).")
        return TTSProviderFailed(f"The voice {name!r} failed ({type(error).__name__}); its code raised an error.")


async def _stop(tts: TTS) -> None:
    tts._jobs.stop()
    await tts._jobs.settle(GRACE)


async def _shut(tts: TTS) -> None:
    tts._jobs.closed = True
    tts._jobs.stop()
    await tts._jobs.settle(_CLOSE_WAIT)


_AT_ONCE = 0.005
"""Seconds that a stream has to end when it is left, before its provider is told to stop."""
_CLOSE_WAIT = 2.0
"""Seconds that a close waits for a provider's stream."""


def _own(cls: type[TTS], name: str) -> Callable[..., Any] | None:
    """A method of this class, or of a base beside ``TTS``: neither has the base class's part around it yet."""
    owner = next(one for one in cls.__mro__ if name in one.__dict__)
    return owner.__dict__[name] if owner is cls or not issubclass(owner, TTS) else None


def _stopping(own: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
    """A subclass's ``stop_audio`` with the base class's part around it: it never needs to call ``super()``, and a
    provider that ends by its own stop alone hears of it at once."""

    @functools.wraps(own)
    async def stop_audio(self: TTS, *args: Any, **kwargs: Any) -> None:
        self._jobs.stop()
        await self._jobs.ended(_AT_ONCE)
        try:
            await settled(own(self, *args, **kwargs))
        finally:
            await self._jobs.settle(GRACE)

    return stop_audio


def _closing(own: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
    """A subclass's ``close``, after the base class's: no stream uses its connections any more."""

    @functools.wraps(own)
    async def close(self: TTS, *args: Any, **kwargs: Any) -> None:
        await _shut(self)
        await settled(own(self, *args, **kwargs))

    return close
