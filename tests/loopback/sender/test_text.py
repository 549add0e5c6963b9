"""Texts over HTTP: accepted ones, refused ones, and the list of voices."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest

from mouthpiece.tts import TTS, PcmData, create
from mouthpiece.tts.text import MAX_CHARACTERS
from mouthpiece_sender.api.models import Segment
from mouthpiece_sender.api.voices import VoiceList
from tests.loopback.sender.conftest import Running
from tests.loopback.sender.test_errors import expect
from tests.loopback.tts.emulators import KEY, ElevenLabs, Fault, OpenAI

QUEUE = "/v1/rooms/demo/segments"
HELLO = {"text": "Hello. It is good to see you."}


async def post(sender: Running, body: Any, **query: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await sender.client.post(QUEUE, content=content, params=query, headers={"Content-Type": "application/json"})


async def test_a_text_is_accepted_and_kept_as_its_transcript(sender: Running) -> None:
    answer = await post(sender, HELLO)
    segment = answer.json()
    assert answer.status_code == 202, answer.text
    assert Segment.model_validate(segment)
    assert segment["source"] == {"kind": "text", "name": None, "text": HELLO["text"], "voice": "heart"}
    assert segment["audio"] == {"sample_rate": 24000, "num_channels": 1, "duration": None}
    assert (await sender.client.get(answer.headers["Location"])).json() == segment
    assert sender.stored() == []


async def test_curl_sends_a_text_without_saying_what_it_is(sender: Running) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await sender.client.post(QUEUE, content=json.dumps(HELLO), headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.json()["source"]["kind"] == "text"


@pytest.fixture
def espeak() -> None:
    """Where espeak-ng is not installed there are none of its voices; CI installs it."""
    if shutil.which("espeak-ng") is None:
        if os.environ.get("CI"):
            pytest.fail("espeak-ng is not installed")
        pytest.skip("espeak-ng is not installed")


async def test_a_voice_is_found_by_its_id_alone(sender: Running, espeak: None) -> None:
    answer = await post(sender, HELLO | {"voice": "de"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["source"]["voice"] == "de"


async def test_a_purge_takes_the_text_and_what_was_kept_of_its_sound(sender: Running) -> None:
    segment = (await post(sender, HELLO)).json()
    cache = sender.dependencies.voices.cache
    assert HELLO["text"].startswith(next(iter(cache)).text)
    answer = await sender.client.delete(f"/v1/segments/{segment['id']}", params={"purge": "true"})
    assert answer.json()["source"]["text"] is None
    assert list(cache) == []


class Slow(TTS):
    """Says the first half of a sentence, and the second when it is let."""

    native_sample_rate = 24_000

    def __init__(self) -> None:
        super().__init__("slow")
        self.open = 0
        self.stopped = 0
        self.let = asyncio.Event()

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
        self.open += 1
        try:
            yield PcmData(np.zeros(2400, np.int16), 24_000)
            await self.let.wait()
            yield PcmData(np.zeros(2400, np.int16), 24_000)
        finally:
            self.open -= 1

    async def stop_audio(self) -> None:
        self.stopped += 1


@pytest.fixture
def slow(sender: Running) -> Slow:
    tts = Slow()
    sender.dependencies.voices.use("slow", tts)
    return tts


async def test_a_text_that_is_cancelled_while_it_waits_stops_its_voice(sender: Running, slow: Slow) -> None:
    segment = (await post(sender, HELLO | {"tts": "slow"})).json()
    assert (slow.open, slow.stopped) == (1, 0)
    await sender.client.delete(f"/v1/segments/{segment['id']}")
    await sender.dependencies.voices.settled()
    assert (slow.open, slow.stopped) == (0, 1)


async def test_a_text_that_is_not_accepted_stops_its_voice(sender: Running, slow: Slow) -> None:
    sender.livekit.away = True
    expect(await post(sender, HELLO | {"tts": "slow"}), "livekit-unavailable")
    await sender.dependencies.voices.settled()
    assert (slow.open, slow.stopped) == (0, 1)


@pytest.mark.parametrize("wanted", [1, 2])
async def test_a_purge_at_once_leaves_nothing_of_what_is_still_being_made(
    sender: Running, slow: Slow, wanted: int
) -> None:
    """Also where another text says the same, and its voice goes on."""
    body = HELLO | {"tts": "slow"}
    segment, *_ = [(await post(sender, body)).json() for _ in range(wanted)]
    await sender.client.delete(f"/v1/segments/{segment['id']}", params={"purge": "true"})
    slow.let.set()
    await sender.dependencies.voices.settled()
    assert slow.stopped == (wanted == 1)
    assert list(sender.dependencies.voices.cache) == []


REFUSED: dict[str, tuple[Any, str, str | None]] = {
    "no JSON": (b'{"text": "hel', "bad-body", None),
    "no object": (["hello"], "bad-body", None),
    "nothing": ({}, "bad-parameter", "text"),
    "something else": (HELLO | {"speed": 2}, "bad-parameter", "speed"),
    "a number": ({"text": 7}, "bad-parameter", "text"),
    "empty": ({"text": ""}, "tts-bad-text", "text"),
    "white space": ({"text": " \n\t "}, "tts-bad-text", "text"),
    "nothing to pronounce": ({"text": "... — !"}, "tts-bad-text", "text"),
    "SSML": ({"text": "<speak>Hello</speak>"}, "tts-bad-text", "text"),
    "SSML within": ({"text": 'Hello <break time="1s"/> you'}, "tts-bad-text", "text"),
    "control characters": ({"text": "Hello\x07 there"}, "tts-bad-text", "text"),
    "half a character": (b'{"text": "hello \\ud800 there"}', "tts-bad-text", "text"),
    "too long": ({"text": "word " * (MAX_CHARACTERS // 5 + 1)}, "text-too-long", "text"),
    "much too long": ({"text": "word " * 600_000}, "text-too-long", "text"),
    "no such voice": (HELLO | {"voice": "nobody"}, "tts-bad-voice", "voice"),
    "no such voice of a provider": (HELLO | {"voice": "nobody", "tts": "offline"}, "tts-bad-voice", "voice"),
    "no such provider": (HELLO | {"tts": "loud"}, "bad-parameter", "tts"),
    "a module": (HELLO | {"tts": "os:system.x"}, "bad-parameter", "tts"),
    "another language": ({"text": "Добрый день"}, "tts-bad-text", "text"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_cannot_be_spoken_is_refused(sender: Running, what: str) -> None:
    body, slug, field = REFUSED[what]
    expect(await post(sender, body), slug, field)
    assert (await sender.client.get(QUEUE)).json()["segments"] == []


async def test_the_voices_are_listed_the_default_first(sender: Running, espeak: None) -> None:
    answer = await sender.client.get("/v1/voices")
    voices = VoiceList.model_validate(answer.json()).voices
    assert (voices[0].id, voices[0].provider, voices[0].default) == ("heart", "offline", True)
    assert sum(voice.default for voice in voices) == 1
    assert {"offline", "espeak"} <= {voice.provider for voice in voices}
    of_espeak = (await sender.client.get("/v1/voices", params={"tts": "espeak"})).json()["voices"]
    assert {voice["provider"] for voice in of_espeak} == {"espeak"}
    expect(await sender.client.get("/v1/voices", params={"tts": "loud"}), "bad-parameter", "tts")


@pytest.fixture
async def vendor(sender: Running) -> AsyncIterator[OpenAI]:
    """OpenAI's service, imitated, behind its real SDK."""
    emulator = OpenAI()
    async with emulator.running(), create("openai", api_key=KEY, base_url=f"{emulator.url}/v1") as tts:
        await tts.warm()
        sender.dependencies.voices.use("openai", tts)
        yield emulator


FAULTS: dict[str, tuple[Fault, str, str | None]] = {
    "wrong key": (Fault(401), "tts-auth", None),
    "too many requests": (Fault(429, {"Retry-After": "7"}), "tts-rate-limited", "7"),
    "quota": (Fault(429, body={"error": {"code": "insufficient_quota", "message": "."}}), "tts-quota-exceeded", None),
    "failure": (Fault(503), "tts-unavailable", "5"),
    "cut at once": (Fault(cut_after=0), "tts-unavailable", "5"),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_what_a_vendor_refuses_is_answered_and_the_next_text_is_taken(
    sender: Running, vendor: OpenAI, what: str
) -> None:
    vendor.fault, slug, wait = FAULTS[what]
    answer = await post(sender, HELLO | {"tts": "openai"})
    assert HELLO["text"] not in expect(answer, slug)
    assert answer.headers.get("Retry-After") == wait
    vendor.fault = None
    answer = await post(sender, HELLO | {"tts": "openai", "voice": "alloy"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["source"]["voice"] == "alloy"


async def test_a_vendor_that_is_slow_does_not_hold_up_the_answer(
    sender: Running, vendor: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mouthpiece_sender.speech.voices.FIRST_SOUND_WITHIN", 0.05)
    vendor.fault = Fault(silent=True)
    answer = await post(sender, HELLO | {"tts": "openai"})
    assert answer.status_code == 202, answer.text


async def test_the_same_text_again_asks_the_vendor_once(sender: Running, vendor: OpenAI) -> None:
    text = {"text": "One sentence alone.", "tts": "openai"}
    await post(sender, text)
    await sender.dependencies.voices.settled()
    await post(sender, text)
    assert vendor.asked == 1


async def test_a_vendor_that_does_not_list_its_voices_does_not_hide_the_others(sender: Running) -> None:
    service = ElevenLabs()
    async with service.running(), create("elevenlabs", api_key="wrong", base_url=service.url) as tts:
        await tts.warm()
        sender.dependencies.voices.use("elevenlabs", tts)
        listed = (await sender.client.get("/v1/voices")).json()["voices"]
        assert "offline" in {voice["provider"] for voice in listed}
        expect(await sender.client.get("/v1/voices", params={"tts": "elevenlabs"}), "tts-auth")


async def test_markdown_is_read_as_a_person_would_and_stays_the_transcript(sender: Running) -> None:
    written = "<think>Hm.</think>**Hello.** It is `good` to see [you](https://example.com)."
    segment = (await post(sender, {"text": written, "text_format": "markdown"})).json()
    assert segment["source"]["text"] == written
    assert [key.text for key in sender.dependencies.voices.cache] == ["Hello."]
    await sender.client.delete(f"/v1/segments/{segment['id']}", params={"purge": "true"})
    assert list(sender.dependencies.voices.cache) == []
    expect(await post(sender, {"text": "hi", "text_format": "html"}), "bad-parameter", "text_format")
    expect(await post(sender, {"text": "```\ncode\n```", "text_format": "markdown"}), "tts-bad-text", "text")
