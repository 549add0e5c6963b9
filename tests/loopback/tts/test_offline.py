"""The offline voice: at once, in English, the same every time, from what is installed."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator

import numpy as np
import psutil
import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts import TTS, TTSBadText, TTSBadVoice, TTSProviderFailed, create
from tests.unit.tts.fakes import Ear


@pytest.fixture
async def tts() -> AsyncIterator[TTS]:
    async with create("offline") as made:
        await made.warm()
        yield made


async def test_the_first_word_comes_at_once(tts: TTS) -> None:
    """The voice itself begins every sentence with 0.3 s of silence."""
    ear = Ear(tts)
    await tts.send("Hello there. This is another sentence.")
    loud = np.nonzero(np.abs(ear.samples) > 500)[0]
    assert loud[0] / 16_000 < 0.1


async def test_the_same_text_gives_the_same_sound(tts: TTS) -> None:
    sounds = []
    for _ in range(2):
        ear = Ear(tts)
        await tts.send("The same every time.")
        tts.events.unsubscribe(ear.hear)
        sounds.append(ear.samples)
    assert np.array_equal(*sounds)


async def test_a_faster_voice_takes_less_time(tts: TTS) -> None:
    slow, fast = Ear(tts), Ear(tts)
    tts.events.unsubscribe(fast.hear)
    await tts.send("A sentence of some length.")
    tts.events.unsubscribe(slow.hear)
    tts.events.subscribe(fast.hear)
    await tts.send("A sentence of some length.", speed=1.6)
    assert fast.frames < 0.8 * slow.frames


@pytest.mark.parametrize("speed", [0, -1, 1e-9, 0.4, 2.1, 100, float("nan"), float("inf")])
async def test_a_speed_that_it_does_not_have_is_said_for_a_text_as_for_the_voice(speed: float) -> None:
    said = "speaks at a speed from 0.5 to 2"
    with pytest.raises(ConfigurationError, match=said):
        create("offline", speed=speed)
    async with create("offline") as tts:
        with pytest.raises(TTSProviderFailed, match=said) as caught:
            await tts.send("Hello", speed=speed)
        assert isinstance(caught.value.__cause__, ConfigurationError)


async def test_a_voice_that_would_have_to_be_downloaded_is_not_there(tts: TTS) -> None:
    assert [voice.id for voice in await tts.voices()] == ["heart"]
    for voice in ("emma", "nobody"):
        with pytest.raises(TTSBadVoice, match=r"not installed\. Here are: heart"):
            await tts.send("Hello", voice=voice)


@pytest.mark.parametrize("text", ["今日は晴れです。", "Привет, как дела?"])
async def test_a_language_that_it_does_not_know_is_said(tts: TTS, text: str) -> None:
    with pytest.raises(TTSBadText, match="English only"):
        await tts.send(text)


async def test_names_from_elsewhere_are_spoken(tts: TTS) -> None:
    ear = Ear(tts)
    await tts.send("Grüße from Zürich to Łódź, 100 % of them!")
    assert ear.frames > 16_000


async def test_many_voices_share_one_model_and_one_thread(tts: TTS) -> None:
    others = [create("offline") for _ in range(8)]
    before = psutil.Process().memory_info().rss
    await asyncio.gather(*(other.send("Hello from one of many.") for other in others))
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("tts-offline")]) == 1
    assert psutil.Process().memory_info().rss - before < 60_000_000  # eight models would be over a gigabyte
    for other in others:
        await other.close()


async def test_a_long_text_does_not_keep_another_room_waiting(tts: TTS) -> None:
    async with create("offline") as other:
        long = tts.synthesize("This is one of very many sentences, all of them alike. " * 200)
        async with long:
            await anext(long)
            await other.send("A short one.")
            assert long.metrics.audio_duration_ms < 20_000


async def test_memory_stays_flat_over_a_text_of_two_thousand_words(tts: TTS) -> None:
    text = "The quick brown fox jumps over the lazy dog near the old river bank. " * 150
    assert len(text.split()) > 2_000

    async def seconds() -> float:
        return sum([chunk.data.duration async for chunk in tts.speak(text)])

    await tts.send(text[:2_000])
    gc.collect()
    before = psutil.Process().memory_info().rss
    assert await seconds() > 500
    gc.collect()
    assert psutil.Process().memory_info().rss - before < 30_000_000
