"""Texts as sounds, in a voice whose steps the test decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import TTSError
from mouthpiece.tts import TTS, AudioFormat, PcmData, TTSProviderFailed, TTSStreamCut
from mouthpiece_sender.speech.text_sound import TextSound
from mouthpiece_sender.speech.voices import Voices

RATE = 24_000
TEXT = "One thing. Another thing. A third one. And the last."
FRAMES = 2_400
"""Of each chunk; two make a sentence."""


class Steps(TTS):
    """Every sentence is two chunks of a level of its own; ``gate`` closes before the second one of ``held``."""

    native_sample_rate = RATE

    def __init__(self) -> None:
        super().__init__("steps")
        self.asked: list[str] = []
        self.stopped = 0
        self.open = 0
        self.held: str | None = None
        self.broken: str | None = None
        self.mute = False
        self.waiting = asyncio.Event()
        self.gate = asyncio.Event()

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
        self.asked.append(text)
        self.open += 1
        try:
            if self.mute:
                self.waiting.set()
                await self.gate.wait()
            yield self._chunk(text)
            if text == self.held:
                self.waiting.set()
                await self.gate.wait()
            if text == self.broken:
                raise ConnectionResetError
            yield self._chunk(text)
        finally:
            self.open -= 1

    async def stop_audio(self) -> None:
        self.stopped += 1

    def _chunk(self, text: str) -> PcmData:
        return PcmData(np.full(FRAMES, len(text), np.int16), RATE, 1, AudioFormat.S16)


@asynccontextmanager
async def speaking(tts: Steps) -> AsyncIterator[Voices]:
    async with Voices() as voices:
        voices.use("steps", tts)
        yield voices


async def sound_of(voices: Voices, text: str = TEXT) -> TextSound:
    sound, voice = await voices.sound(text, tts="steps")
    assert voice is None
    return sound


async def read(sound: TextSound, offset: float = 0.0) -> np.ndarray[Any, np.dtype[np.int16]]:
    async with sound.open(offset) as blocks:
        return np.concatenate([block.samples async for block in blocks])


async def test_all_of_it_comes_in_order_and_its_duration_is_known_then() -> None:
    tts = Steps()
    async with speaking(tts) as voices:
        sound = await sound_of(voices)
        assert sound.info.duration is None
        samples = await read(sound)
        sentences = ["One thing.", "Another thing.", "A third one.", "And the last."]
        assert [int(samples[place]) for place in range(0, len(samples), 2 * FRAMES)] == [len(one) for one in sentences]
        assert sound.info.duration == pytest.approx(0.8)
        assert [(cue.text, cue.start) for cue in sound.cues] == [
            (text, pytest.approx(0.2 * index)) for index, text in enumerate(sentences)
        ]


async def test_it_begins_before_its_first_sentence_is_whole() -> None:
    tts = Steps()
    tts.held = "One thing."
    async with speaking(tts) as voices:
        sound = await sound_of(voices)
        async with sound.open() as blocks:
            assert (await anext(blocks)).frames == FRAMES
            assert tts.asked == ["One thing."]
            tts.gate.set()


async def test_a_later_attempt_goes_on_at_its_offset_from_what_was_kept() -> None:
    tts = Steps()
    async with speaking(tts) as voices:
        sound = await sound_of(voices)
        whole = await read(sound)
        asked = len(tts.asked)
        for offset in (0.0, 0.05, 0.2, 0.51, 0.79):
            assert np.array_equal(await read(sound, offset), whole[round(offset * RATE) :])
        assert len(tts.asked) == asked == 4
        assert len(sound.cues) == 4


async def test_a_later_attempt_of_what_was_cut_short_goes_on_too() -> None:
    tts = Steps()
    async with speaking(tts) as voices:
        whole = await read(await sound_of(voices))
        voices.cache.forget([key.text for key in voices.cache])
        sound = await sound_of(voices)
        async with sound.open() as blocks:
            for _ in range(3):
                await anext(blocks)
        assert np.array_equal(await read(sound, 0.25), whole[round(0.25 * RATE) :])


async def test_it_is_made_a_few_sentences_ahead_and_no_further() -> None:
    tts = Steps()
    text = " ".join(f"This is thing number {number}." for number in range(30))
    async with speaking(tts) as voices:
        sound = await sound_of(voices, text)
        async with sound.open() as blocks:
            await anext(blocks)
            for _ in range(200):
                await asyncio.sleep(0)
            assert 2 <= len(tts.asked) <= 4


@pytest.mark.parametrize("held", ["One thing.", "Another thing."])
async def test_leaving_stops_the_voice_and_keeps_nothing_half_done(held: str) -> None:
    whole = {"One thing."} - {held}
    tts = Steps()
    tts.held = held
    async with speaking(tts) as voices:
        sound = await sound_of(voices)
        async with sound.open() as blocks:
            await anext(blocks)
            await tts.waiting.wait()
        await voices.settled()
        assert (tts.stopped, tts.open) == (1, 0)
        assert {key.text for key in voices.cache} == whole
        tts.gate.set()
        assert len(await read(await sound_of(voices))) == 8 * FRAMES
        assert tts.asked.count("One thing.") == 2 - len(whole)
        assert tts.asked.count(held) == 2


async def test_a_voice_that_breaks_off_ends_the_sound_with_its_error_and_speaks_the_next_one() -> None:
    tts = Steps()
    tts.broken = "Another thing."
    async with speaking(tts) as voices:
        sound = await sound_of(voices)
        heard: list[Pcm] = []
        with pytest.raises(TTSStreamCut) as caught:
            async with sound.open() as blocks:
                heard += [block async for block in blocks]
        assert caught.value.retryable
        assert len(heard) <= 3
        tts.broken = None
        assert len(await read(await sound_of(voices))) == 8 * FRAMES


async def test_two_at_once_ask_for_a_sentence_once() -> None:
    tts = Steps()
    tts.held = "One thing."
    async with speaking(tts) as voices:
        first, second = await sound_of(voices), await sound_of(voices)
        reading = [asyncio.create_task(read(sound)) for sound in (first, second)]
        await tts.waiting.wait()
        tts.gate.set()
        one, other = await asyncio.gather(*reading)
        assert np.array_equal(one, other)
        assert sorted(tts.asked) == sorted(set(tts.asked))


async def test_a_class_that_takes_no_voice_says_so() -> None:
    class Bare(Steps):
        async def stream_audio(self, text: str) -> AsyncIterator[PcmData]:
            yield self._chunk(text)

    async with speaking(Bare()) as voices:
        assert len(await read(await sound_of(voices, "One thing."))) == FRAMES
        with pytest.raises(TTSError, match="takes no voice"):
            await voices.sound("One thing.", voice="loud", tts="steps")


async def test_a_voice_that_fails_in_its_own_code_is_refused_before_anything_is_accepted() -> None:
    class Faulty(Steps):
        async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
            raise KeyError(text)
            yield

    async with speaking(Faulty()) as voices:
        with pytest.raises(TTSProviderFailed):
            await sound_of(voices)


async def test_one_that_is_left_before_it_has_begun_to_read_stops_the_voice() -> None:
    tts = Steps()
    tts.held = "One thing."
    async with speaking(tts) as voices:
        sound = await sound_of(voices)
        async with sound.open():
            pass
        await voices.settled()
        assert (tts.stopped, tts.open) == (1, 0)


async def test_a_text_that_is_given_up_before_it_is_opened_stops_the_voice() -> None:
    tts = Steps()
    tts.held = "One thing."
    async with speaking(tts) as voices:
        sound = await sound_of(voices)
        await tts.waiting.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert (tts.stopped, tts.open) == (0, 1)  # it waits for its turn, and is made meanwhile
        del sound
        await voices.settled()
        assert (tts.stopped, tts.open) == (1, 0)


async def test_a_text_that_is_given_up_while_its_first_sound_is_awaited_stops_the_voice() -> None:
    tts = Steps()
    tts.mute = True
    async with speaking(tts) as voices:
        asking = asyncio.create_task(sound_of(voices))
        await tts.waiting.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await voices.settled()
        assert (tts.stopped, tts.open) == (1, 0)


async def test_one_of_two_that_say_the_same_is_left_and_the_other_is_heard() -> None:
    tts = Steps()
    tts.held = "One thing."
    async with speaking(tts) as voices:
        first, second, third = [await sound_of(voices) for _ in range(3)]
        async with first.open() as blocks:
            await anext(blocks)
        del second
        tts.gate.set()
        assert len(await read(third)) == 8 * FRAMES
        assert tts.stopped == 0
        assert tts.asked.count("One thing.") == 1


async def test_a_first_sentence_that_is_too_long_to_be_kept_is_made_once() -> None:
    class Slow(Steps):
        def _chunk(self, text: str) -> PcmData:
            return PcmData(np.full(30 * RATE, len(text), np.int16), RATE, 1, AudioFormat.S16)

    tts = Slow()
    async with speaking(tts) as voices:
        sound = await sound_of(voices, "One thing.")
        await voices.settled()
        assert list(voices.cache) == []
        assert len(await read(sound)) == 60 * RATE
        assert tts.asked == ["One thing."]


async def test_what_is_being_made_when_its_text_is_forgotten_is_not_kept() -> None:
    tts = Steps()
    tts.held = "One thing."
    async with speaking(tts) as voices:
        sound = await sound_of(voices)
        await tts.waiting.wait()
        await voices.forget("One thing.")
        tts.gate.set()
        await voices.settled()
        assert list(voices.cache) == []
        assert len(await read(sound)) == 8 * FRAMES


async def test_a_voice_that_is_cancelled_from_inside_speaks_the_next_text() -> None:
    class Cancelled(Steps):
        async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
            if text == self.broken:
                raise asyncio.CancelledError
            yield self._chunk(text)

    tts = Cancelled()
    tts.broken = "Another thing."
    async with speaking(tts) as voices, asyncio.timeout(10):
        with pytest.raises(TTSProviderFailed, match="was cancelled from inside"):
            await read(await sound_of(voices))
        tts.broken = None
        assert len(await read(await sound_of(voices))) == 4 * FRAMES
