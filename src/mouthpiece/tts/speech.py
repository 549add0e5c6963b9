"""A long text, or one that is still being written, spoken sentence by sentence without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from mouthpiece.tts.errors import TTSBadText
from mouthpiece.tts.jobs import Jobs
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.sentences import SentenceSplitter, split
from mouthpiece.tts.synthesis import Synthesis, SynthesisState
from mouthpiece.tts.text import check_text, has_words

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class SpokenChunk:
    """A chunk of sound with its sentence, as captions need it."""

    data: PcmData
    sentence: str
    """The whole sentence that the chunk belongs to."""
    index: int
    """The sentence's number in the text, from 0."""
    first: bool
    """The sentence begins with this chunk."""


async def speak_sentences(
    jobs: Jobs,
    synthesize: Callable[[str], Synthesis],
    text: str | AsyncIterable[str],
    language: str,
) -> AsyncGenerator[SpokenChunk, None]:
    """Implement ``TTS.speak``. At most three sentences exist at a time: one is read, one waits, one is being made."""
    if isinstance(text, str):
        check_text(text)
    ready: asyncio.Queue[Synthesis | Exception | None] = asyncio.Queue(maxsize=1)
    begun: list[Synthesis] = []

    async def feed() -> None:
        """Read the text's source, in this task alone and no faster than it is spoken."""
        try:
            async for sentence in _sentences(text, language):
                synthesis = synthesize(sentence)
                begun.append(synthesis)
                await ready.put(synthesis)
                await synthesis.start()
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            await ready.put(TTSBadText("The text broke off: its source was cancelled."))
        except Exception as error:
            await ready.put(error)
        else:
            await ready.put(None)

    feeder = asyncio.create_task(feed(), name="tts-speech")
    stop = asyncio.create_task(jobs.next_stop.wait(), name="tts-stop")
    index = 0
    try:
        while (current := await _before(stop, ready.get())) is not None:
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
        stop.cancel()
        await asyncio.wait({feeder, stop})
        for synthesis in begun:
            await synthesis.aclose()


async def _before(stop: asyncio.Task[Any], coming: Coroutine[Any, Any, Item]) -> Item | None:
    """Await ``coming``; return None if ``stop`` ends first."""
    task = asyncio.ensure_future(coming)
    try:
        await asyncio.wait({stop, task}, return_when=asyncio.FIRST_COMPLETED)
        return None if stop.done() else task.result()
    finally:
        task.cancel()


async def _sentences(text: str | AsyncIterable[str], language: str) -> AsyncGenerator[str, None]:
    """The sentences of ``text`` that hold a word; those of punctuation alone are left out."""
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
