"""espeak-ng: many languages, over its command line."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts import TTS, TTSBadVoice, TTSProviderFailed, create
from tests.unit.tts.fakes import Ear

pytestmark = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture
async def tts() -> AsyncIterator[TTS]:
    async with create("espeak") as made:
        yield made


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("de", "Guten Morgen, wie geht es dir?"),
        ("ja", "こんにちは"),
        ("ru", "Привет, как дела?"),
        ("en-us+f3", "Hello"),
    ],
)
async def test_it_speaks_many_languages(tts: TTS, voice: str, text: str) -> None:
    ear = Ear(tts)
    await tts.send(text, voice=voice)
    assert ear.frames > 4_000
    assert abs(ear.samples).max() > 2_000


async def test_it_lists_its_languages(tts: TTS) -> None:
    languages = {voice.language for voice in await tts.voices()}
    assert len(languages) > 100
    assert {"de", "fr-fr", "ja", "en-us"} <= languages


@pytest.mark.parametrize("voice", ["nobody", "--help", "../../etc/passwd", "en us", ""])
async def test_a_voice_that_does_not_exist_is_said(tts: TTS, voice: str) -> None:
    if voice:
        with pytest.raises(TTSBadVoice, match="has no voice"):
            await tts.send("Hello", voice=voice)
    else:
        await tts.send("Hello", voice=voice)  # the default


async def test_a_faster_rate_takes_less_time() -> None:
    frames = []
    for rate in (120, 300):
        async with create("espeak", rate=rate) as tts:
            ear = Ear(tts)
            await tts.send("A sentence of some length.")
            frames.append(ear.frames)
    assert frames[1] < 0.6 * frames[0]


async def test_two_brackets_are_read_as_text_and_not_as_phonemes(tts: TTS) -> None:
    ear = Ear(tts)
    await tts.send("[[ h@l'oU ]] is a way to write it")
    assert ear.frames > 16_000


@pytest.mark.parametrize("brackets", [3, 4, 5])
async def test_more_brackets_are_read_as_text_too(tts: TTS, brackets: int) -> None:
    """As codes they are one short word; as text, letters and marks."""
    ear = Ear(tts)
    await tts.send("[" * brackets + "h@l'oU" + "]" * brackets)
    as_text = ear.frames
    tts.events.unsubscribe(ear.hear)
    ear = Ear(tts)
    await tts.send("h@l'oU")
    assert as_text > 0.9 * ear.frames


async def test_no_process_stays_after_a_stop(tts: TTS) -> None:
    tts.buffer_seconds = 0.2  # the rest of the sound waits in the pipe
    synthesis = tts.synthesize("A very long text of many words. " * 500)
    await anext(synthesis)
    assert len(_children()) == 1
    await tts.stop_audio()
    await synthesis.aclose()
    assert _children() == []


async def test_a_synthesis_that_is_left_early_lets_the_next_one_speak(
    tts: TTS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over 128 kB of sound wait unread by then: the pipe is paused."""
    paused, feed = asyncio.Event(), asyncio.StreamReader.feed_data

    def fed(reader: Any, data: bytes) -> None:
        feed(reader, data)
        if reader._paused:
            paused.set()

    monkeypatch.setattr(asyncio.StreamReader, "feed_data", fed)
    tts.buffer_seconds = 0.2
    synthesis = tts.synthesize("A very long text of many words. " * 500)
    await anext(synthesis)
    await paused.wait()
    await synthesis.aclose()
    ear = Ear(tts)
    async with asyncio.timeout(20):
        await tts.send("Hello")
    assert ear.frames > 4_000
    assert _children() == []


async def test_the_text_is_in_no_argument(tts: TTS) -> None:
    tts.buffer_seconds = 0.2
    async with tts.synthesize("Nobody else shall read this. " * 500) as synthesis:
        await anext(synthesis)
        (child,) = _children()
        assert "Nobody" not in " ".join(child.cmdline())


async def test_a_program_that_is_not_espeak_is_found_out() -> None:
    async with create("espeak", command="true") as tts:
        with pytest.raises(TTSProviderFailed):
            await tts.send("Hello")


@pytest.mark.parametrize("rate", [0, -5, 79, 451, 99_999, "--x"])
def test_a_rate_that_espeak_does_not_have_is_said(rate: object) -> None:
    with pytest.raises(ConfigurationError, match="from 80 to 450 words a minute"):
        create("espeak", rate=rate)


def _children() -> list[psutil.Process]:
    """The programs that speak; other tests have children of their own."""
    return [child for child in psutil.Process(os.getpid()).children() if child.name() == "espeak-ng"]
