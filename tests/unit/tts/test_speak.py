"""speak: a long text, or one that is still being written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from mouthpiece.tts import PcmData, SpokenChunk, TTSAuthError, TTSBadText
from tests.unit.tts.fakes import Ear, Endless, Plain, tone


async def spoken(chunks: AsyncIterator[SpokenChunk]) -> list[SpokenChunk]:
    return [chunk async for chunk in chunks]


async def two_chunks(text: str) -> AsyncIterator[PcmData]:
    yield tone(0.1)
    yield tone(0.1)


async def test_every_sentence_is_spoken_in_order_and_its_chunks_say_which_it_is() -> None:
    tts = Plain(two_chunks)
    chunks = await spoken(tts.speak("One is here. Two is here. … Three is here."))
    assert [(chunk.sentence, chunk.index, chunk.first) for chunk in chunks] == [
        ("One is here.", 0, True),
        ("One is here.", 0, False),
        ("Two is here.", 1, True),
        ("Two is here.", 1, False),
        ("… Three is here.", 2, True),
        ("… Three is here.", 2, False),
    ]
    assert [text for text, _, _ in tts.asked] == ["One is here.", "Two is here.", "… Three is here."]
    assert len(asyncio.all_tasks()) == 1


async def test_arguments_and_participant_reach_every_sentence() -> None:
    tts = Plain(two_chunks)
    ear = Ear(tts)
    await spoken(tts.speak("One. Two.", 7, participant="p", voice="v"))
    assert [(args, kwargs) for _, args, kwargs in tts.asked] == [((7,), {"voice": "v"})] * 2
    assert {event.participant for event in ear.events} == {"p"}


async def test_a_text_that_is_still_being_written_is_spoken_as_far_as_it_is_certain() -> None:
    pen: asyncio.Queue[str | None] = asyncio.Queue()

    async def writing() -> AsyncIterator[str]:
        while (piece := await pen.get()) is not None:
            yield piece

    tts = Plain(two_chunks)
    speech = tts.speak(writing())
    pen.put_nowait("The first ")
    pen.put_nowait("sentence. The second one")
    first = [await anext(speech), await anext(speech)]
    assert [chunk.sentence for chunk in first] == ["The first sentence."] * 2
    assert len(tts.asked) == 1
    pen.put_nowait(" goes on.")
    pen.put_nowait(None)
    rest = await spoken(speech)
    assert [chunk.sentence for chunk in rest] == ["The second one goes on."] * 2


async def test_the_next_sentence_is_made_while_one_is_read_and_no_more_than_two_ahead() -> None:
    tts = Plain(two_chunks)
    speech = tts.speak("One. Two. Three. Four. Five. Six. Seven.")
    await anext(speech)
    for _ in range(200):
        await asyncio.sleep(0)
    assert 2 <= len(tts.asked) <= 3
    await speech.aclose()  # type: ignore[attr-defined]
    assert not tts._jobs._readers
    assert len(asyncio.all_tasks()) == 1


async def test_a_stop_ends_the_whole_speech() -> None:
    tts = Endless()
    chunks = 0
    async for _ in tts.speak("One. Two. Three."):
        chunks += 1
        if chunks == 3:
            await tts.stop_audio()
    assert chunks == 3
    assert tts.open == 0
    assert len(asyncio.all_tasks()) == 1


async def test_a_sentence_that_fails_ends_the_speech_after_those_before_it() -> None:
    async def fails_at_two(text: str) -> AsyncIterator[PcmData]:
        if text == "Two.":
            raise TTSAuthError("no")
        yield tone(0.1)

    heard = []

    async def listen() -> None:
        async for chunk in Plain(fails_at_two).speak("One. Two. Three."):
            heard.append(chunk.sentence)  # noqa: PERF401 (what came before the error counts)

    with pytest.raises(TTSAuthError):
        await listen()
    assert set(heard) == {"One."}


async def test_a_source_that_fails_ends_the_speech_with_its_error() -> None:
    async def breaks() -> AsyncIterator[str]:
        yield "One is here. Two"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await spoken(Plain(two_chunks).speak(breaks()))


@pytest.mark.parametrize("text", ["", "<speak>One. Two.</speak>"])
async def test_a_text_that_cannot_be_spoken_is_refused_whole(text: str) -> None:
    tts = Plain(two_chunks)
    with pytest.raises(TTSBadText):
        await spoken(tts.speak(text))
    assert tts.asked == []
