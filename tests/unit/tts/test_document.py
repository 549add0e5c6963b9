"""The examples of Vision Agents' document on its TTS class, with the calls that it prints, on our imports."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mouthpiece.tts import TTS, AudioFormat, PcmData, TTSAudioEvent, TTSSynthesisCompleteEvent
from mouthpiece.tts import TTS as BaseTTS
from tests.unit.tts.fakes import Ear, tone

SPEECH = tone(0.75, 24_000)


class Api:
    """The document's ``tts_api``."""

    def __init__(self) -> None:
        self.cancelled = 0

    async def synthesize(self, text: str) -> bytes:
        return SPEECH.to_bytes()

    async def cancel(self) -> None:
        self.cancelled += 1


class MyTTS(TTS):
    tts_api: Any

    async def stream_audio(self, text: str, *args: Any, **kwargs: Any) -> PcmData:
        # Call TTS service
        audio_bytes = await self.tts_api.synthesize(text)

        # Return as PcmData
        return PcmData.from_bytes(audio_bytes, sample_rate=24000, channels=1, format=AudioFormat.S16)

    async def stop_audio(self) -> None:
        # Stop any ongoing synthesis
        await self.tts_api.cancel()


class StreamingTTS(BaseTTS):
    client: Any
    voice_id = "voice"
    model_id = "model"

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
        """Stream audio chunks as they're generated."""
        async for chunk in self.client.synthesize_stream(
            text=text,
            voice_id=self.voice_id,
            model_id=self.model_id,
        ):
            # Yield each chunk as PcmData
            yield PcmData.from_bytes(
                chunk.audio,
                sample_rate=chunk.sample_rate,
                channels=1,
                format=AudioFormat.S16,
            )


class OpenAIPlugin(BaseTTS):
    """OpenAI Text-to-Speech implementation."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        model: str = "gpt-4o-mini-tts",
        voice: str = "alloy",
        client: Any = None,
    ) -> None:
        super().__init__(provider_name="openai_tts")

        api_key = api_key or os.environ.get("OPENAI_API_KEY")
        if not api_key:
            raise ValueError("OPENAI_API_KEY not set")

        self.client = client
        self.model = model
        self.voice = voice

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> PcmData:
        resp = await self.client.audio.speech.create(
            model=self.model,
            voice=self.voice,
            input=text,
            response_format="pcm",
        )

        return PcmData.from_bytes(resp.content, sample_rate=24_000, channels=1, format=AudioFormat.S16)

    async def stop_audio(self) -> None:
        # No internal playback queue; agent manages output track
        return None


class Stoppable(TTS):
    """The document's ``stop_audio``, as it is printed, in a class that sets neither of the two or, later, both."""

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> PcmData:
        return SPEECH

    async def stop_audio(self) -> None:
        if self.synthesis_task:
            self.synthesis_task.cancel()
        if self.audio_queue:
            self.audio_queue.clear()


async def test_the_stopping_example_stops_before_and_after_anything_was_spoken() -> None:
    tts = Stoppable()
    await tts.stop_audio()
    ear = Ear(tts)
    await tts.send("Hello")
    assert ear.frames == 12_000
    await tts.stop_audio()
    assert (tts.synthesis_task, tts.audio_queue) == (None, None)


async def test_the_stopping_example_stops_what_its_class_has_set() -> None:
    tts = Stoppable()
    tts.synthesis_task = asyncio.ensure_future(asyncio.Event().wait())
    tts.audio_queue = deque([SPEECH])
    await tts.stop_audio()
    await asyncio.wait([tts.synthesis_task])
    assert tts.synthesis_task.cancelled()
    assert not tts.audio_queue
    assert Stoppable().synthesis_task is None


async def test_the_single_buffer_example_speaks_and_stops() -> None:
    tts = MyTTS()
    tts.tts_api = Api()
    ear = Ear(tts)
    await tts.send(text="Hello, how can I help you?", participant="current")
    assert tts.provider_name == "MyTTS"
    assert ear.frames == 12_000
    assert ear.audio[0].participant == "current"
    await tts.stop_audio()
    assert tts.tts_api.cancelled == 1


async def test_the_streaming_example_speaks_and_stops() -> None:
    class Client:
        async def synthesize_stream(self, text: str, voice_id: str, model_id: str) -> AsyncIterator[Any]:
            data = tone(1.0, 22_050).to_bytes()
            for start in range(0, len(data), 1_001):  # a service's chunks break anywhere
                yield SimpleNamespace(audio=data[start : start + 1_001], sample_rate=22_050)

    tts = StreamingTTS()  # type: ignore[abstract]  # the document leaves stop_audio out here
    tts.client = Client()
    tts.set_output_format(sample_rate=48000, channels=1, audio_format=AudioFormat.PCM_S16)
    ear = Ear(tts)
    await tts.send("hello")
    assert len(ear.audio) > 3
    assert ear.frames == 48_000
    ideal = 10_000 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    assert np.abs(ear.samples - ideal)[2_400:-2_400].max() < 10
    await tts.stop_audio()


async def test_the_openai_plugin_speaks() -> None:
    asked = []

    async def create(**request: Any) -> Any:
        asked.append(request)
        return SimpleNamespace(content=SPEECH.to_bytes())

    client = SimpleNamespace(audio=SimpleNamespace(speech=SimpleNamespace(create=create)))
    tts = OpenAIPlugin(api_key="key", client=client)
    heard: list[TTSAudioEvent] = []
    complete: list[TTSSynthesisCompleteEvent] = []

    @tts.events.subscribe
    async def on_audio(event: TTSAudioEvent) -> None:
        heard.append(event)

    @tts.events.subscribe
    async def on_complete(event: TTSSynthesisCompleteEvent) -> None:
        complete.append(event)

    await tts.send("Hello")
    assert asked == [{"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hello", "response_format": "pcm"}]
    assert [event.data.duration for event in heard] == [0.75]
    assert heard[0].plugin_name == "openai_tts"
    assert complete[0].audio_duration_ms == 750
    await tts.stop_audio()
    await tts.close()


def test_the_openai_plugin_says_that_it_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ValueError, match="OPENAI_API_KEY not set"):
        OpenAIPlugin()
