"""A text is read sentence by sentence, whole or while it is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from mouthpiece.tts import TTSBadText, split
from mouthpiece_sender.speech.incremental_text import IncrementalText, write


async def sentences(text: IncrementalText) -> list[str]:
    found: list[str] = []
    while (sentence := await text.sentence(len(found))) is not None:
        found.append(sentence)
    return found


async def test_a_long_text_gives_the_sentences_of_one_that_is_split_whole() -> None:
    text = " ".join(f"Dr. Smith paid 3.{number} dollars, didn't he? He did!" for number in range(80))
    assert await sentences(IncrementalText.of(text)) == split(text)


async def test_any_sentence_can_be_read_again() -> None:
    text = IncrementalText.of("One thing. Another thing.")
    assert await text.sentence(1) == "Another thing."
    assert await text.sentence(0) == "One thing."
    assert await text.sentence(2) is None


async def test_what_holds_nothing_to_pronounce_is_left_out() -> None:
    assert await sentences(IncrementalText.of("One thing.\n\n... \n\n— !\n\nAnother thing.")) == [
        "One thing.",
        "Another thing.",
    ]


@pytest.mark.parametrize("text", ["", " \n", "...", "<speak>Hello</speak>"])
def test_what_cannot_be_spoken_is_refused(text: str) -> None:
    with pytest.raises(TTSBadText):
        IncrementalText.of(text)


async def test_a_sentence_is_there_as_soon_as_it_is_certain() -> None:
    text = IncrementalText()
    reading = asyncio.create_task(text.sentence(0))
    text.append("One thing. ")
    text.append("Then")
    await asyncio.sleep(0)
    assert not reading.done()
    text.append(" another")
    assert await reading == "One thing."
    text.finish()
    assert await sentences(text) == ["One thing.", "Then another"]


async def test_a_pause_says_what_there_is() -> None:
    text = IncrementalText()
    text.append("Hello there")
    text.pause()
    assert await text.sentence(0) == "Hello there"


async def test_what_is_written_ends_with_its_error() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "One thing. Another"
        raise OSError("the pipe broke")

    text = IncrementalText()
    await write(text, broken())
    assert await text.sentence(0) == "One thing."
    assert await text.sentence(1) == "Another"
    with pytest.raises(TTSBadText):
        await text.sentence(2)


async def test_nothing_written_is_an_error() -> None:
    async def silent() -> AsyncIterator[str]:
        for _ in ():
            yield ""

    text = IncrementalText()
    await write(text, silent())
    with pytest.raises(TTSBadText):
        await text.sentence(0)


async def test_a_person_who_types_is_heard_before_the_sentence_ends() -> None:
    more = asyncio.Event()

    async def typed() -> AsyncIterator[str]:
        yield "Hello"
        await more.wait()
        yield " again."

    text = IncrementalText()
    writing = asyncio.create_task(write(text, typed(), idle=0.0))
    assert await text.sentence(0) == "Hello"
    more.set()
    await writing
    assert await sentences(text) == ["Hello", "again."]
