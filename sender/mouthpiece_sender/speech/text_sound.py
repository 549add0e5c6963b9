"""A text as the sound of a segment: it is synthesised sentence by sentence while it is played."""

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
from mouthpiece_sender.speech.incremental_text import IncrementalText
from mouthpiece_sender.speech.synthesis import SentenceSound

AHEAD: Final = 1
"""Sentences that are made and wait, besides the one that is read and the one that is being made."""


class TextSound:
    """A ``mouthpiece_sender.sounds.sound.Sound`` that has cues.

    ``open(offset)``, for a later attempt, begins with the sentence at ``offset``: from the cache, or made again.

    :param text: its sentences.
    :param begin: gives the sound of a sentence, which this object releases.
    :param sample_rate: of that sound, hertz; it is mono.
    :param first: the sound of the first sentence, begun already, which this object releases. The first attempt reads
        it. If there is no attempt (the text is refused, or its segment ends while it waits), it is released when this
        object is garbage-collected.
    """

    def __init__(
        self,
        text: IncrementalText,
        begin: Callable[[str], SentenceSound],
        sample_rate: int,
        first: SentenceSound | None = None,
    ) -> None:
        self._text = text
        self._begin = begin
        self._rate = sample_rate
        self._frames: list[int] = []
        """The length of each sentence that was read to its end."""
        self._cues: list[Cue] = []
        self._whole = False
        self._first = first
        if first is not None:
            self._given_up = weakref.finalize(self, _release, asyncio.get_running_loop(), first)
            self._given_up.atexit = False

    @property
    def info(self) -> AudioInfo:
        """The duration is None until the whole text was read."""
        return AudioInfo(self._rate, 1, sum(self._frames) / self._rate if self._whole else None)

    @property
    def cues(self) -> Sequence[Cue]:
        """The sentences that were read so far, with the start of each in seconds."""
        return self._cues

    @contextlib.asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """Blocks from ``offset`` seconds on; leaving stops what is being synthesised.

        :raises TTSError: (from the iterator) the voice failed; the sentences before have come out.
        """
        index, skip = self._locate(round(offset * self._rate))
        reading = _Reading(self._text, self._begin, index, self._take_first())
        feeder = asyncio.create_task(reading.feed(), name="text-sound")
        blocks = self._blocks(reading, index, skip)
        try:
            yield blocks
        finally:
            feeder.cancel()
            reading.release()  # first of all: this stops the voice
            await blocks.aclose()
            await asyncio.wait([feeder])

    def _take_first(self) -> SentenceSound | None:
        """Hand ``first`` to the caller, who releases it. Only the first attempt gets it: that begins with the first
        sentence, whatever its offset, since no sentence's length is known yet."""
        first, self._first = self._first, None
        if first is not None:
            self._given_up.detach()
        return first

    def _locate(self, frame: int) -> tuple[int, int]:
        """The number of the sentence that holds ``frame``, as far as is known, and the frame within that sentence."""
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
                    self._add_cue(index, sentence)
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

    def _add_cue(self, index: int, sentence: str) -> None:
        cue = Cue(sum(self._frames[:index]) / self._rate, sentence, index)
        self._cues[index : index + 1] = [cue]


class _Reading:
    """One attempt: the sentences from ``index`` on, made ahead by a few.

    :param first: the sound of sentence ``index``, if it was begun already.
    """

    def __init__(
        self, text: IncrementalText, begin: Callable[[str], SentenceSound], index: int, first: SentenceSound | None
    ) -> None:
        self._text = text
        self._begin = begin
        self._index = index
        self._first = first
        self._ready: asyncio.Queue[tuple[str, SentenceSound] | MouthpieceError | None] = asyncio.Queue(maxsize=AHEAD)
        self._held: list[SentenceSound] = [] if first is None else [first]
        """The sounds that are to be released."""

    async def feed(self) -> None:
        """Begin one sentence after the other: making two at a time would only delay the first."""
        try:
            while (sentence := await self._text.sentence(self._index)) is not None:
                sound = self._sound(sentence)
                await self._ready.put((sentence, sound))
                await sound.made()
                self._index += 1
        except MouthpieceError as error:
            await self._ready.put(error)
        else:
            await self._ready.put(None)

    def _sound(self, sentence: str) -> SentenceSound:
        first, self._first = self._first, None
        if first is not None:
            return first
        sound = self._begin(sentence)
        self._held.append(sound)
        return sound

    async def next(self) -> tuple[str, SentenceSound] | None:
        """The next sentence and its sound; None after the last.

        :raises MouthpieceError: the text ended with it.
        """
        item = await self._ready.get()
        if isinstance(item, MouthpieceError):
            raise item
        return item

    def done(self, sound: SentenceSound) -> None:
        """``sound`` was read to its end."""
        self._held.remove(sound)
        sound.release()

    def release(self) -> None:
        """Nothing more is read."""
        for sound in self._held:
            sound.release()
        self._held.clear()


def _release(loop: asyncio.AbstractEventLoop, sound: SentenceSound) -> None:
    """Release ``sound`` on ``loop``: objects may be collected in any thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed, and the voices with it
        loop.call_soon_threadsafe(sound.release)
