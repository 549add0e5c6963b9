"""A long text, or one that is still being written, spoken sentence by sentence without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mouthpiece.tts.errors import TTSBadText
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.sentences import SentenceSplitter, split
from mouthpiece.tts.synthesis import Synthesis, SynthesisState
from mouthpiece.tts.text import check_text, has_words

if TYPE_CHECKING:
    from mouthpiece.tts.base import TTS

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class SpokenChunk:
    """Sound, and the words that it is a part of: enough for captions."""

    data: PcmData
    sentence: str
    index: int
    """Of the sentence, from 0."""
    first: bool
    """The sentence begins with this chunk."""


async def speech(
    tts: TTS,
    synthesize: Callable[..., Synthesis],
    text: str | AsyncIterable[str],
    args: tuple[Any, ...],
    language: str,
    participant: Any,
    kwargs: dict[str, Any],
) -> AsyncGenerator[SpokenChunk, None]:
    """See ``TTS.speak``. The sentence that is read, one that waits and one that is being made are held at most."""
    if isinstance(text, str):
        check_text(text)
    ready: asyncio.Queue[Synthesis | Exception | None] = asyncio.Queue(maxsize=1)
    begun: list[Synthesis] = []

    async def feed() -> None:
        """Owns the text's source: it is read in one task, and no faster than it is spoken."""
        try:
            async for sentence in _sentences(text, language):
                synthesis = synthesize(sentence, *args, participant=participant, **kwargs)
                begun.append(synthesis)
                await ready.put(synthesis)
                await synthesis.start()
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            await ready.put(TTSBadText("The text broke off: whatever writes it was cancelled."))
        except Exception as error:
            await ready.put(error)
        else:
            await ready.put(None)

    feeder = asyncio.create_task(feed(), name="tts-speech")
    halt = asyncio.create_task(tts._jobs.halted.wait(), name="tts-halt")
    index = 0
    try:
        while (current := await _before(halt, ready.get())) is not None:
            if isinstance(current, Exception):
                raise current
            first = True
            async for data in current:
                yield SpokenChunk(data, current.text, index, first)
                first = False
            begun.remove(current)
            if current.state is SynthesisState.INTERRUPTED:
                return
            index += 1
    finally:
        feeder.cancel()
        halt.cancel()
        await asyncio.wait({feeder, halt})
        for synthesis in begun:
            await synthesis.aclose()


async def _before(halt: asyncio.Task[Any], coming: Coroutine[Any, Any, Item]) -> Item | None:
    """What comes; None if the halt was first."""
    task = asyncio.ensure_future(coming)
    try:
        await asyncio.wait({halt, task}, return_when=asyncio.FIRST_COMPLETED)
        return None if halt.done() else task.result()
    finally:
        task.cancel()


async def _sentences(text: str | AsyncIterable[str], language: str) -> AsyncGenerator[str, None]:
    """What there is to pronounce; dots and dashes alone are left out."""
    if isinstance(text, str):
        for sentence in split(text, language):
            if has_words(sentence):
                yield sentence
        return
    splitter = SentenceSplitter(language)
    async for piece in text:
        for sentence in splitter.push(piece):
            if has_words(sentence):
                yield sentence
    for sentence in splitter.flush():
        if has_words(sentence):
            yield sentence
