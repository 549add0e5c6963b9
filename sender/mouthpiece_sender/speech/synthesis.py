"""Synthesis of single sentences: a pool of TTS objects per provider, and the sound of a sentence while it is made.

A sentence is synthesised once, however many readers want it meanwhile, by a TTS of its own from the provider's pool, as
fast as the provider goes; readers may begin before it is complete. A sentence that has no reader left is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Final, Self

import numpy as np

from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import MouthpieceError
from mouthpiece.process.spans import span
from mouthpiece.tts import TTS, SynthesisState, TTSBadText, TTSBadVoice, TTSClosed, TTSProviderFailed, Voice
from mouthpiece_sender.speech.cache import SpeechCache, SpeechKey

logger = logging.getLogger(__name__)

MAX_CONCURRENT: Final = 8
"""Sentences that one provider synthesises at a time; further ones wait."""
MAX_IDLE: Final = 2
"""TTS objects of a provider that stay open, with their connections, while nothing is synthesised."""
BLOCK: Final = 0.25
"""Seconds of a block at most: a reader converts each block on the event loop."""


class TTSPool:
    """The TTS objects of one provider. A TTS keeps one stream open at a time, and its stop ends all that it makes, so
    each sentence gets one to itself.

    :param name: of the provider, for messages.
    :param make: makes a TTS.
    :param first: one that exists already.
    :param sample_rate: hertz of the sound that they are asked for.
    :param own: the pool closes its TTS objects. False: ``first`` is used alone, and its owner closes it.
    """

    def __init__(self, name: str, make: Callable[[], TTS], first: TTS, sample_rate: int, *, own: bool = True) -> None:
        self.name = name
        self.sample_rate = sample_rate
        self._make = make
        self._own = own
        self._idle = [first]
        self._free = asyncio.Semaphore(MAX_CONCURRENT if own else 1)

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[TTS]:
        """A TTS for the caller alone; waits while ``MAX_CONCURRENT`` are in use. Leaving with an exception stops it.

        :raises MouthpieceError: no TTS can be made.
        """
        async with self._free:
            tts = self._idle.pop() if self._idle else self._new()
            tts.set_output_format(self.sample_rate)
            usable = True
            try:
                yield tts
            except BaseException:
                usable = await self._stopped(tts)
                raise
            finally:
                if not self._own or (usable and len(self._idle) < MAX_IDLE):
                    self._idle.append(tts)
                else:
                    await self._close(tts)

    async def voices(self) -> list[Voice]:
        """Ask the provider which voices it has. This neither waits for a synthesis nor delays one.

        :raises MouthpieceError: no TTS can be made, or the provider did not answer.
        :raises Exception: the provider's own.
        """
        if not self._own:
            return await self._new().voices()
        tts = self._idle.pop() if self._idle else self._new()
        answered = False
        try:
            voices = await tts.voices()
            answered = True
        finally:
            if answered and len(self._idle) < MAX_IDLE:
                self._idle.append(tts)
            else:
                await self._close(tts)
        return voices

    async def aclose(self) -> None:
        """Close the TTS objects that are idle; those in use must have been returned."""
        idle, self._idle = self._idle, []
        for tts in idle:
            if self._own:
                await self._close(tts)

    def _new(self) -> TTS:
        try:
            return self._make()
        except MouthpieceError:
            raise
        except Exception as error:
            raise TTSProviderFailed(f"The voice {self.name!r} could not be set up ({type(error).__name__}).") from error

    async def _stopped(self, tts: TTS) -> bool:
        """Stop ``tts``; return whether it can be used again."""
        try:
            await tts.stop_audio()
        except Exception as error:
            self._warn("failed to stop; it is closed", error)
            return False
        return True

    async def _close(self, tts: TTS) -> None:
        try:
            await tts.close()
        except Exception as error:
            self._warn("failed to close", error)

    def _warn(self, failure: str, error: Exception) -> None:
        """Log without the error's message and traceback: a provider's may quote the text or the key."""
        logger.warning("the voice %s %s (%s)", self.name, failure, type(error).__name__)


class SentenceSound:
    """The sound of a sentence, as far as it is made. A reader gets it from ``SentenceSynthesizer.begin`` and must
    ``release`` it.

    :param abandoned: called when the last reader releases it before it is complete.
    """

    def __init__(self, abandoned: Callable[[], None]) -> None:
        self.readers = 0
        self.keep = True
        """Put it into the cache once it is complete."""
        self._abandoned = abandoned
        self._blocks: list[Pcm] = []
        self._ended = False
        self._error: MouthpieceError | None = None
        self._changed = asyncio.Event()

    async def blocks(self) -> AsyncIterator[Pcm]:
        """The blocks from the start, as they are made.

        :raises MouthpieceError: the synthesis failed; the blocks made before have come out.
        """
        index = 0
        while await self._more(index):
            yield self._blocks[index]
            index += 1

    async def begun(self) -> None:
        """Wait until the first block is made.

        :raises MouthpieceError: the synthesis failed before.
        """
        await self._more(0)

    async def made(self) -> None:
        """Wait until the synthesis has ended, also with an error."""
        while not self._ended:
            self._changed.clear()
            await self._changed.wait()

    def release(self) -> None:
        """The caller reads it no further."""
        self.readers -= 1
        if not self.readers and not self._ended:
            self._abandoned()

    def add(self, pcm: Pcm) -> None:
        """Append ``pcm``, cut into blocks."""
        size = max(1, round(BLOCK * pcm.sample_rate))
        for start in range(0, pcm.frames, size):
            self._blocks.append(Pcm(pcm.samples[..., start : start + size], pcm.sample_rate))
        self._changed.set()

    def end(self, error: MouthpieceError | None = None) -> None:
        """Nothing more is added; ``error``: the reason, if it is not complete."""
        self._ended, self._error = True, error
        self._changed.set()

    def whole(self) -> Pcm | None:
        """All of its sound; None if it is not complete or has none."""
        if not self._ended or self._error is not None or not self._blocks:
            return None
        return Pcm(np.concatenate([block.samples for block in self._blocks], axis=-1), self._blocks[0].sample_rate)

    async def _more(self, index: int) -> bool:
        while index >= len(self._blocks) and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        if index < len(self._blocks):
            return True
        if self._error is not None:
            raise self._error
        return False


class SentenceSynthesizer:
    """Synthesises sentences, each once; owns the tasks that do. Use it in ``async with``: leaving stops everything.

    :param cache: where complete sentences are looked up and kept.
    """

    def __init__(self, cache: SpeechCache) -> None:
        self._cache = cache
        self._making: dict[SpeechKey, SentenceSound] = {}

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._running: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._running:
            task.cancel()
        for sound in tuple(self._making.values()):
            sound.end(TTSClosed("The voices were closed."))
        await self._tasks.__aexit__(None, None, None)

    def begin(self, key: SpeechKey, pool: TTSPool) -> SentenceSound:
        """The sound of a sentence: cached, already being made, or begun now. The caller must ``release`` it."""
        sound = self._making.get(key)
        if sound is None:
            if (cached := self._cache.get(key)) is not None:
                sound = SentenceSound(lambda: None)
                sound.add(cached)
                sound.end()
            else:
                sound = self._begin(key, pool)
        sound.readers += 1
        return sound

    def forget(self, sentences: Iterable[str]) -> None:
        """Drop ``sentences`` from the cache, in every voice; those that are being made are not kept."""
        gone = set(sentences)
        self._cache.forget(gone)
        for key, sound in self._making.items():
            if key.text in gone:
                sound.keep = False

    async def settled(self) -> None:
        """Wait until no sentence is being made."""
        while self._running:
            await asyncio.wait(self._running)

    def _begin(self, key: SpeechKey, pool: TTSPool) -> SentenceSound:
        def abandon() -> None:
            self._making.pop(key, None)
            task.cancel()

        sound = SentenceSound(abandon)
        task = self._tasks.create_task(self._make(key, pool, sound), name="sentence")
        self._making[key] = sound
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return sound

    async def _make(self, key: SpeechKey, pool: TTSPool, sound: SentenceSound) -> None:
        try:
            async with pool.acquire() as tts:
                voice = {} if key.voice is None else {"voice": key.voice}
                with span("voice"):
                    async with TTS.synthesize(tts, key.text, **voice) as synthesis:
                        async for chunk in synthesis:
                            sound.add(chunk.pcm)
            if synthesis.state is SynthesisState.FINISHED:
                sound.end()
            else:
                sound.end(TTSClosed(f"The voice {pool.name!r} was stopped."))
            if sound.keep and (whole := sound.whole()) is not None:
                self._cache.put(key, whole)
        except MouthpieceError as error:
            _log_failure(pool.name, error)
            sound.end(error)
        except asyncio.CancelledError:
            sound.end(TTSClosed(f"The voice {pool.name!r} was stopped."))
            raise
        finally:
            if self._making.get(key) is sound:
                del self._making[key]


def _log_failure(name: str, error: MouthpieceError) -> None:
    """Log without the error's message and traceback: both may quote the text. Errors of the request are not logged: the
    client gets them."""
    if isinstance(error, TTSBadText | TTSBadVoice):
        return
    cause = type(error.__cause__).__name__ if error.__cause__ else "no exception of the provider"
    logger.warning("the voice %s failed: %s (%s)", name, error.slug, cause)
