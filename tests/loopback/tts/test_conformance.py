"""What every provider keeps to. A new one is a file, a line in the registry and a line here."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from livekit.plugins import openai as _openai_plugin  # noqa: F401 (imports on the main thread, not in a loop)

from mouthpiece.tts import TTS, AudioFormat, SynthesisState, TTSBadText, TTSClosed, Voice, available, create
from tests.loopback.tts.emulators import KEY, ElevenLabs, OpenAI, tasks_since
from tests.unit.tts.fakes import Ear, tone

TEXT = "This is a test of the voice. It has two sentences, one of them a little longer than the other."


class VisionAgentsPlugin:
    """The shape of a Vision Agents plugin's class; a real one is tried in test_vision_agents.py."""

    provider_name = "stub"

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[Any]:
        async def chunks() -> AsyncIterator[Any]:
            for _ in text.split():
                yield tone(0.2, 22_050)
                await asyncio.sleep(0)

        return chunks()

    async def stop_audio(self) -> None:
        pass

    async def close(self) -> None:
        pass


Make = Callable[[OpenAI, ElevenLabs], TTS]

PROVIDERS: dict[str, Make] = {
    "offline": lambda *_: create("offline"),
    "espeak": lambda *_: create("espeak"),
    "openai": lambda openai, _: create("openai", api_key=KEY, base_url=f"{openai.url}/v1"),
    "elevenlabs": lambda _, elevenlabs: create("elevenlabs", api_key=KEY, base_url=elevenlabs.url),
    "livekit": lambda openai, _: create(
        "livekit:openai", api_key=KEY, base_url=f"{openai.url}/v1", response_format="pcm"
    ),
    "vision_agents": lambda *_: create("vision_agents", plugin=VisionAgentsPlugin()),
}


def test_every_provider_is_tried_here() -> None:
    assert set(PROVIDERS) == {provider.name for provider in available()}


@pytest.fixture(params=PROVIDERS)
async def tts(request: pytest.FixtureRequest, openai: OpenAI, elevenlabs: ElevenLabs) -> AsyncIterator[TTS]:
    if request.param == "espeak" and shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: apt install espeak-ng")
    async with PROVIDERS[request.param](openai, elevenlabs) as made:
        await made.warm()
        yield made


async def test_it_speaks_in_the_order_of_events_that_is_promised(tts: TTS) -> None:
    ear = Ear(tts)
    await tts.send(TEXT, "somebody")
    assert ear.kinds[0] == "synthesis_start"
    assert ear.kinds[-1] == "synthesis_complete"
    assert set(ear.kinds[1:-1]) == {"audio"}
    assert [event.is_final_chunk for event in ear.audio] == [False] * (len(ear.audio) - 1) + [True]
    complete = ear.complete
    assert complete.chunk_count == len(ear.audio)
    assert complete.total_audio_bytes == 2 * ear.frames
    assert complete.audio_duration_ms == pytest.approx(ear.frames / 16)
    assert complete.first_audio_ms is not None
    assert 0 < complete.first_audio_ms <= complete.synthesis_time_ms + 1
    assert not complete.interrupted
    assert {event.plugin_name for event in ear.events} == {tts.provider_name}
    assert len({event.event_id for event in ear.events}) == len(ear.events)


async def test_it_is_heard(tts: TTS) -> None:
    ear = Ear(tts)
    await tts.send(TEXT)
    samples = ear.samples.astype(float)
    assert 1.5 < len(samples) / 16_000 < 12
    assert np.sqrt(np.mean(samples**2)) > 300  # -41 dB of full scale
    assert abs(samples.mean()) < 100  # no offset, as misread bytes would have


@pytest.mark.parametrize(("rate", "channels", "format"), [(48_000, 2, AudioFormat.S16), (22_050, 1, AudioFormat.F32)])
async def test_it_comes_in_any_format(tts: TTS, rate: int, channels: int, format: AudioFormat) -> None:
    usual = Ear(tts)
    await tts.send(TEXT)
    tts.set_output_format(rate, channels, format)
    ear = Ear(tts)
    tts.events.unsubscribe(usual.hear)
    await tts.send(TEXT)
    assert {(e.data.sample_rate, e.data.channels, e.data.format) for e in ear.audio} == {(rate, channels, format)}
    assert ear.frames == pytest.approx(usual.frames * rate / 16_000, abs=3)


async def test_pushed_and_pulled_sound_have_one_length(tts: TTS) -> None:
    ear = Ear(tts)
    await tts.send(TEXT)
    tts.events.unsubscribe(ear.hear)
    assert sum([chunk.frames async for chunk in tts.synthesize(TEXT)]) == ear.frames


def left_behind(before: set[asyncio.Task[Any]]) -> set[str]:
    """Tasks that have come since, but for the emulators' and the one that keeps the LiveKit plugin's connections."""
    return tasks_since(before) - {"LiveKitTTS._keep_session"}


async def is_let_go(tts: TTS) -> bool:
    """No stream of the provider's is open, or will be in a moment."""
    if readers := set(tts._jobs._readers):
        await asyncio.wait(readers, timeout=1)
    return not tts._jobs._readers


async def test_it_stops_in_the_middle_and_leaks_nothing(tts: TTS) -> None:
    before = asyncio.all_tasks()
    ear = Ear(tts)
    synthesis = tts.synthesize(TEXT * 20)
    await anext(synthesis)
    await tts.stop_audio()
    heard = len(ear.audio)
    assert [chunk async for chunk in synthesis] == []
    assert synthesis.state is SynthesisState.INTERRUPTED
    assert await is_let_go(tts)
    assert left_behind(before) == set()
    assert len(ear.audio) == heard
    tts.events.unsubscribe(ear.hear)
    ear = Ear(tts)
    await tts.send(TEXT)
    assert ear.frames > 16_000
    assert {event.text_source for event in ear.audio} == {TEXT}


async def test_it_stops_before_its_first_sound(tts: TTS) -> None:
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send(TEXT))
    while not ear.events:  # noqa: ASYNC110 (an event of the test's own would be the thing under test)
        await asyncio.sleep(0)
    await tts.stop_audio()
    await sending
    assert ear.audio == []
    assert ear.complete.interrupted


async def test_texts_at_once_are_spoken_one_after_the_other(tts: TTS) -> None:
    ear = Ear(tts)
    await asyncio.gather(tts.send("The first one."), tts.send("The second one."))
    texts = [event.text_source for event in ear.audio]
    assert texts == sorted(texts)
    assert set(texts) == {"The first one.", "The second one."}


async def test_a_long_text_is_spoken_by_sentence(tts: TTS) -> None:
    sentences = [chunk.sentence async for chunk in tts.speak("One is here. Two is here. Three is here.") if chunk.first]
    assert sentences == ["One is here.", "Two is here.", "Three is here."]


async def test_a_cancelled_send_leaves_nothing(tts: TTS) -> None:
    before = asyncio.all_tasks()
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send(TEXT * 20))
    while not ear.audio:  # noqa: ASYNC110
        await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await is_let_go(tts)
    assert left_behind(before) == set()


@pytest.mark.parametrize("text", ["", " ", "<speak>Hello</speak>"])
async def test_it_is_never_given_what_cannot_be_spoken(tts: TTS, text: str) -> None:
    with pytest.raises(TTSBadText):
        await tts.send(text)


CANNOT_LIST = {"livekit:openai", "vision_agents:stub"}


async def test_it_lists_voices_that_can_be_chosen(tts: TTS) -> None:
    voices = await tts.voices()
    assert (voices == []) is (tts.provider_name in CANNOT_LIST)
    assert all(isinstance(voice, Voice) and voice.id and voice.name for voice in voices)
    assert len({voice.id for voice in voices}) == len(voices)
    for voice in voices[:1]:
        ear = Ear(tts)
        await tts.send("Hello there.", voice=voice.id)
        assert ear.frames > 0


async def test_it_closes_twice_and_speaks_no_more(tts: TTS) -> None:
    await tts.send("Hello there.")
    await tts.close()
    await tts.close()
    with pytest.raises(TTSClosed):
        await tts.send("Hello again.")
