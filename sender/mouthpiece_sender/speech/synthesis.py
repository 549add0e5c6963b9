"""One sentence on its way to sound, and who makes it.

A sentence is made once, whoever asks for it meanwhile, by a voice of its own out of the provider's pool, as fast as the
provider goes; a reader may begin before it is whole. One that nobody reads any more is stopped there and then.
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
from mouthpiece.tts import TTS, SynthesisState, TTSBadText, TTSBadVoice, TTSClosed, TTSProviderFailed, Voice
from mouthpiece_sender.speech.cache import SpeechCache, SpeechKey

logger = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Sentences that one provider makes at a time; further ones wait."""
IDLE: Final = 2
"""Voices of a provider that stay open, with their connections, when nothing is made."""
BLOCK: Final = 0.25
"""Seconds of a block at the most: what takes it converts it on the event loop."""


class VoicePool:
    """The voices of one provider: a TTS has one stream open at a time, and stops all of what it makes.

    :param make: a new TTS.
    :param first: one that is there already.
    :param own: they are ours to close; else there is ``first`` alone, and its owner closes it.
    """

    def __init__(self, name: str, make: Callable[[], TTS], first: TTS, sample_rate: int, *, own: bool = True) -> None:
        self.name = name
        self.sample_rate = sample_rate
        self._make = make
        self._own = own
        self._idle = [first]
        self._free = asyncio.Semaphore(AT_ONCE if own else 1)

    @contextlib.asynccontextmanager
    async def voice(self) -> AsyncIterator[TTS]:
        """One for the caller alone. Leaving by an exception stops what it makes.

        :raises MouthpieceError: none can be made.
        """
        async with self._free:
            tts = self._idle.pop() if self._idle else self._new()
            tts.set_output_format(self.sample_rate)
            sound = True
            try:
                yield tts
            except BaseException:
                sound = await self._stopped(tts)
                raise
            finally:
                if not self._own or (sound and len(self._idle) < IDLE):
                    self._idle.append(tts)
                else:
                    await self._close(tts)

    async def voices(self) -> list[Voice]:
        """Those that the provider has, by its own word. It is asked beside what is being said: neither waits for the
        other.

        :raises MouthpieceError: none can be made to ask, or it does not tell.
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
            if answered and len(self._idle) < IDLE:
                self._idle.append(tts)
            else:
                await self._close(tts)
        return voices

    async def aclose(self) -> None:
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

    def _warn(self, what: str, error: Exception) -> None:
        """Without the message, and without the lines around it: a provider's may quote the text or the key."""
        logger.warning("the voice %s %s (%s)", self.name, what, type(error).__name__)


class SentenceSound:
    """What there is of a sentence so far. Whoever got it from ``SentenceMaker.begin`` must ``release`` it."""

    def __init__(self, dropped: Callable[[], None]) -> None:
        self.readers = 0
        self.keep = True
        """Once it is whole, for the next time that it is said."""
        self._dropped = dropped
        self._blocks: list[Pcm] = []
        self._ended = False
        self._error: MouthpieceError | None = None
        self._changed = asyncio.Event()

    async def blocks(self) -> AsyncIterator[Pcm]:
        """From its start.

        :raises MouthpieceError: it could not be made to its end; what there was has come out by then.
        """
        index = 0
        while await self._more(index):
            yield self._blocks[index]
            index += 1

    async def begun(self) -> None:
        """Returns once there is some of it.

        :raises MouthpieceError: there will be none.
        """
        await self._more(0)

    async def made(self) -> None:
        """Returns once it has ended, well or badly."""
        while not self._ended:
            self._changed.clear()
            await self._changed.wait()

    def release(self) -> None:
        """The caller reads it no further."""
        self.readers -= 1
        if not self.readers and not self._ended:
            self._dropped()

    def add(self, pcm: Pcm) -> None:
        size = max(1, round(BLOCK * pcm.sample_rate))
        for start in range(0, pcm.frames, size):
            self._blocks.append(Pcm(pcm.samples[..., start : start + size], pcm.sample_rate))
        self._changed.set()

    def end(self, error: MouthpieceError | None = None) -> None:
        self._ended, self._error = True, error
        self._changed.set()

    def whole(self) -> Pcm | None:
        """All of it, once it has ended well."""
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


class SentenceMaker:
    """``async with SentenceMaker(cache) as maker:``; leaving stops everything."""

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

    def begin(self, key: SpeechKey, pool: VoicePool) -> SentenceSound:
        """The sentence, from the cache, as it is being made already, or begun now."""
        sound = self._making.get(key)
        if sound is None:
            if (known := self._cache.get(key)) is not None:
                sound = SentenceSound(lambda: None)
                sound.add(known)
                sound.end()
            else:
                sound = self._begin(key, pool)
        sound.readers += 1
        return sound

    def forget(self, sentences: Iterable[str]) -> None:
        """Nothing is kept of these, in any voice: not of what was made, nor of what is being made now."""
        gone = set(sentences)
        self._cache.forget(gone)
        for key, sound in self._making.items():
            if key.text in gone:
                sound.keep = False

    async def settled(self) -> None:
        """Returns once nothing is being made."""
        while self._running:
            await asyncio.wait(self._running)

    def _begin(self, key: SpeechKey, pool: VoicePool) -> SentenceSound:
        def drop() -> None:
            self._making.pop(key, None)
            task.cancel()

        sound = SentenceSound(drop)
        task = self._tasks.create_task(self._make(key, pool, sound), name="sentence")
        self._making[key] = sound
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return sound

    async def _make(self, key: SpeechKey, pool: VoicePool, sound: SentenceSound) -> None:
        try:
            async with pool.voice() as tts:
                voice = {} if key.voice is None else {"voice": key.voice}
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
            _note(pool.name, error)
            sound.end(error)
        except asyncio.CancelledError:
            sound.end(TTSClosed(f"The voice {pool.name!r} was stopped."))
            raise
        finally:
            if self._making.get(key) is sound:
                del self._making[key]


def _note(name: str, error: MouthpieceError) -> None:
    """Whoever sent the text is told more; without the message and the lines around it: both may quote the text."""
    if isinstance(error, TTSBadText | TTSBadVoice):
        return
    cause = type(error.__cause__).__name__ if error.__cause__ else "its own word"
    logger.warning("the voice %s failed: %s (%s)", name, error.slug, cause)
