"""The TTS base class: text in; chunks of sound out, as events or by iteration.

Its public surface is that of Vision Agents' TTS class as that project documents it: a class written for it runs here
with its imports changed to ``from mouthpiece.tts import TTS, PcmData, AudioFormat``.

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

    await tts.send("Hello")                     # push: events
    async with tts.synthesize("Hello") as sound:
        async for chunk in sound: ...           # pull: the same sound, with back-pressure

**One at a time.** A TTS keeps one stream of its provider open at a time; further texts wait, first come first served.
``send`` also keeps its events together: the events of the next ``send`` begin after the last one of this. To speak two
texts at once, make two TTS objects.

**Stopping.** ``stop_audio`` ends every synthesis that was asked for until then, also those that wait. From the call on,
none of their sound comes out, neither from the provider nor from a buffer. The base class does this before the
subclass's own ``stop_audio`` runs, so it does not depend on the provider.
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
from mouthpiece.tts.speech import SpokenChunk, speak_sentences
from mouthpiece.tts.synthesis import GRACE, Job, Synthesis
from mouthpiece.tts.voice import Voice


class TTS(abc.ABC):
    """Base class of all voices; see the module's docstring.

    A subclass implements ``stream_audio``, and ``stop_audio`` where its provider needs to be stopped.

    :param provider_name: the name in events and messages; the class's name by default.
    """

    first_audio_timeout: float | None = 30.0
    """Seconds from the request to the first sound; after that ``TTSTimeout``. None: no limit. May be set on an
    object."""
    stall_timeout: float | None = 30.0
    """Seconds from one chunk to the next; after that ``TTSStreamCut``. None: no limit. May be set on an object."""
    buffer_seconds: float = 10.0
    """Seconds of sound that are made ahead of the consumer; beyond that the provider is not read."""
    native_sample_rate: int | None = None
    """Hertz of the provider's own sound; None: not known before the first chunk. Output at this rate needs no
    resampling."""
    clock: Callable[[], float] = staticmethod(time.perf_counter)
    """Seconds, monotonic; for the metrics."""
    synthesis_task: Any = None
    """For subclasses; the base class never sets it. The ``stop_audio`` that Vision Agents' document prints reads this
    and ``audio_queue`` before anything has been spoken, and a class that copies it must be able to stop."""
    audio_queue: Any = None
    """As ``synthesis_task``."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if (own := _own(cls, "stop_audio")) is not None:
            setattr(cls, "stop_audio", _stopping(own))  # noqa: B010
        elif getattr(cls.stop_audio, "__isabstractmethod__", False) and "stream_audio" in cls.__dict__:
            # The document's streaming example leaves `stop_audio` out, and must be able to run.
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
        """Make the sound of ``text``, in the provider's own format. A subclass implements this.

        It is a coroutine that returns one ``PcmData``, or an iterator or async iterator of them; or it is an async
        generator. A blocking iterator is read in a thread. Chunks may break anywhere, also inside a sample. Whatever
        it raises reaches the caller as an error of ``mouthpiece.tts.errors``.
        """

    @abc.abstractmethod
    async def stop_audio(self) -> None:
        """Stop every synthesis. A subclass stops its provider here; no sound comes out any more by then."""
        await _stop(self)

    async def close(self) -> None:
        """Stop every synthesis and release all resources. May be called twice.

        A subclass closes its connections here. The syntheses have ended by then, and it need not call
        ``super().close()``.
        """
        await _shut(self)

    async def voices(self) -> list[Voice]:
        """The voices that ``voice=`` may name; empty if the provider has no list.

        :raises TTSError: the service did not answer.
        """
        return []

    async def warm(self) -> None:
        """Load models and libraries, so that the first synthesis is as quick as later ones."""
        return

    def translate_error(self, error: Exception) -> TTSError | None:
        """Translate an exception of the provider's library; None leaves it to the base class. Each library is
        translated here and nowhere else."""
        return None

    async def send(self, text: str, participant: Any = None, *args: Any, **kwargs: Any) -> None:
        """Speak ``text`` as events. Return when the last handler has returned, or after a stop.

        A handler of ``TTSSynthesisCompleteEvent`` or ``TTSErrorEvent`` may await the next ``send``; a handler of an
        earlier event may not.

        :param participant: the person whom the sound is for; every event carries it.
        :param args: for ``stream_audio``, as ``kwargs``.
        :raises TTSError: the synthesis failed; its ``TTSErrorEvent`` was emitted before.
        :raises RuntimeError: a handler of a synthesis that has not ended called it.
        """
        # Not `self.synthesize`, here and elsewhere: a subclass may have a method of that name of its own.
        synthesis = TTS.synthesize(self, text, *args, participant=participant, **kwargs)
        async with self._jobs.sending(lambda: synthesis.running), synthesis:
            async for _ in synthesis:
                pass

    def synthesize(self, text: str, *args: Any, participant: Any = None, **kwargs: Any) -> Synthesis:
        """Return ``text``'s sound as an async iterator of ``PcmData``. Arguments and events are those of ``send``."""
        # A subclass may use the name `clock` for something else.
        clock = self.clock if callable(self.clock) else time.perf_counter
        return Synthesis(Job(self, text, participant, args, kwargs, self._jobs.stream_lock, clock))

    def speak(
        self,
        text: str | AsyncIterable[str],
        *args: Any,
        language: str = "en",
        participant: Any = None,
        **kwargs: Any,
    ) -> AsyncIterator[SpokenChunk]:
        """Speak a long text, or one that is still being written, sentence by sentence.

        Sound begins with the first sentence; while one sentence is read, the next one is made. Each sentence is a
        synthesis with its own events. The iterator ends early after a stop.

        :param text: a whole text, or its pieces as they are written; pieces may break anywhere.
        :param language: BCP 47 tag of the text; it decides where sentences end.
        :raises TTSError: a sentence failed; the sentences before it have come out.
        """

        def synthesize(sentence: str) -> Synthesis:
            return TTS.synthesize(self, sentence, *args, participant=participant, **kwargs)

        return speak_sentences(self._jobs, synthesize, text, language)

    def set_output_format(
        self, sample_rate: int, channels: int = 1, audio_format: AudioFormat = AudioFormat.PCM_S16
    ) -> None:
        """Set the format of the sound of later syntheses; 16 kHz, mono, ``PCM_S16`` until this is called.

        :param sample_rate: hertz.
        :param channels: where the provider gives another number, each channel gets the mean of the provider's.
        :param audio_format: how samples are stored.
        :raises ValueError: ``sample_rate`` or ``channels`` is not positive and whole, or ``audio_format`` is unknown.
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
        """``error`` as the package's own. With ``heard`` (sound had come before), a service that is unavailable has cut
        the stream."""
        known: TTSError | None
        try:
            known = error if isinstance(error, TTSError) else self.translate_error(error) or self._by_kind(error)
        except Exception as fault:  # `translate_error` is the subclass's own code and may fail too
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
"""Seconds that a cancelled stream has to close before the subclass's ``stop_audio`` is called."""
_CLOSE_WAIT = 2.0
"""Seconds that ``close`` waits for a provider's stream."""


def _own(cls: type[TTS], name: str) -> Callable[..., Any] | None:
    """The method ``name`` if ``cls`` defines it, or inherits it from a class that does not derive from ``TTS``: such a
    method is not wrapped yet. None otherwise."""
    owner = next(one for one in cls.__mro__ if name in one.__dict__)
    return owner.__dict__[name] if owner is cls or not issubclass(owner, TTS) else None


def _stopping(own: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
    """Wrap a subclass's ``stop_audio`` in the base class's: it need not call ``super()``. It is called within
    ``_AT_ONCE`` even if a stream is still open, since some providers end by their own stop alone."""

    @functools.wraps(own)
    async def stop_audio(self: TTS, *args: Any, **kwargs: Any) -> None:
        self._jobs.stop()
        await self._jobs.wait_closed(_AT_ONCE)
        try:
            await settled(own(self, *args, **kwargs))
        finally:
            await self._jobs.settle(GRACE)

    return stop_audio


def _closing(own: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
    """Wrap a subclass's ``close``: it runs after the base class's, when no stream uses its connections any more."""

    @functools.wraps(own)
    async def close(self: TTS, *args: Any, **kwargs: Any) -> None:
        await _shut(self)
        await settled(own(self, *args, **kwargs))

    return close
