"""A text as the sound of a segment: it begins with its first sentence, and is made while it is spoken."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Final

from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import MouthpieceError
from mouthpiece.segments import AudioInfo
from mouthpiece_sender.sounds.cues import Cue
from mouthpiece_sender.speech.incremental_text import Script
from mouthpiece_sender.speech.synthesis import SentenceSound

AHEAD: Final = 1
"""Sentences that are made and wait, beside the one that is read and the one that is being made."""


class TextSound:
    """A sound (``mouthpiece_sender.sounds.sound.Sound``) that knows its words.

    ``open(offset)`` for a later attempt begins with the sentence that is spoken there: from the cache, or made again.

    :param begin: gives the sound of a sentence; what it gave is released.
    :param sample_rate: of that sound, hertz.
    :param first: the sound of the first sentence, begun already, and ours to release from now on. The first attempt
        reads it. Where none is made (the text is refused, or its segment ends while it waits) it is released once
        nobody holds this object any more.
    """

    def __init__(
        self,
        script: Script,
        begin: Callable[[str], SentenceSound],
        sample_rate: int,
        first: SentenceSound | None = None,
    ) -> None:
        self._script = script
        self._begin = begin
        self._rate = sample_rate
        self._frames: list[int] = []
        """Of each sentence that was read to its end."""
        self._cues: list[Cue] = []
        self._whole = False
        self._first = first
        if first is not None:
            self._given_up = weakref.finalize(self, _release, asyncio.get_running_loop(), first)
            self._given_up.atexit = False

    @property
    def info(self) -> AudioInfo:
        """Its duration is known once all of it was made."""
        return AudioInfo(self._rate, 1, sum(self._frames) / self._rate if self._whole else None)

    @property
    def cues(self) -> Sequence[Cue]:
        """The sentences that have come out so far, and where each begins."""
        return self._cues

    @contextlib.asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """:raises TTSError: (from the iterator) the voice failed; the sentences before have come out."""
        index, skip = self._place(round(offset * self._rate))
        reading = _Reading(self._script, self._begin, index, self._take_first())
        feeder = asyncio.create_task(reading.feed(), name="text-sound")
        blocks = self._blocks(reading, index, skip)
        try:
            yield blocks
        finally:
            feeder.cancel()
            reading.release()  # first what stops the voice
            await blocks.aclose()
            await asyncio.wait([feeder])

    def _take_first(self) -> SentenceSound | None:
        """The caller releases it now. Only the first attempt gets it: it begins with the first sentence, whatever its
        offset, since nothing is known yet of how long the sentences are."""
        first, self._first = self._first, None
        if first is not None:
            self._given_up.detach()
        return first

    def _place(self, frame: int) -> tuple[int, int]:
        """The sentence that holds a frame, as far as is known, and how far into it that frame is."""
        index = 0
        while index < len(self._frames) and frame >= self._frames[index]:
            frame -= self._frames[index]
            index += 1
        return index, frame

    async def _blocks(self, reading: _Reading, index: int, skip: int) -> AsyncGenerator[Pcm, None]:
        while (item := await reading.next()) is not None:
            sentence, sound = item
            frames = 0
            async for block in sound.blocks():
                if not frames:
                    self._cue(index, sentence)
                frames += block.frames
                if skip < block.frames:
                    yield Pcm(block.samples[..., skip:], block.sample_rate)
                    skip = 0
                else:
                    skip -= block.frames
            reading.done(sound)
            self._frames[index : index + 1] = [frames]
            index += 1
        self._whole = True

    def _cue(self, index: int, sentence: str) -> None:
        cue = Cue(sum(self._frames[:index]) / self._rate, sentence, index)
        self._cues[index : index + 1] = [cue]


class _Reading:
    """The sentences from one on, made ahead by a few; ``first`` is the sound of that one, if it was begun already."""

    def __init__(
        self, script: Script, begin: Callable[[str], SentenceSound], index: int, first: SentenceSound | None
    ) -> None:
        self._script = script
        self._begin = begin
        self._index = index
        self._first = first
        self._ready: asyncio.Queue[tuple[str, SentenceSound] | MouthpieceError | None] = asyncio.Queue(maxsize=AHEAD)
        self._held: list[SentenceSound] = [] if first is None else [first]

    async def feed(self) -> None:
        """One sentence after the other: that a voice makes two at a time would only delay the first."""
        try:
            while (sentence := await self._script.sentence(self._index)) is not None:
                sound = self._sound(sentence)
                await self._ready.put((sentence, sound))
                await sound.made()
                self._index += 1
        except MouthpieceError as error:
            await self._ready.put(error)
        else:
            await self._ready.put(None)

    def _sound(self, sentence: str) -> SentenceSound:
        """It is held."""
        first, self._first = self._first, None
        if first is not None:
            return first
        sound = self._begin(sentence)
        self._held.append(sound)
        return sound

    async def next(self) -> tuple[str, SentenceSound] | None:
        """:raises MouthpieceError: the text ended with it."""
        item = await self._ready.get()
        if isinstance(item, MouthpieceError):
            raise item
        return item

    def done(self, sound: SentenceSound) -> None:
        self._held.remove(sound)
        sound.release()

    def release(self) -> None:
        """Nothing more is read."""
        for sound in self._held:
            sound.release()
        self._held.clear()


def _release(loop: asyncio.AbstractEventLoop, sound: SentenceSound) -> None:
    """In a moment, on the loop: objects are collected in whichever thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed, and with it the voices are
        loop.call_soon_threadsafe(sound.release)
