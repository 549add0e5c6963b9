"""The vendors' real SDKs and LiveKit plugins against their services' emulators: their sound, and all their errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from livekit.plugins import elevenlabs as _elevenlabs_plugin  # noqa: F401 (imports on the main thread, not in a loop)
from livekit.plugins import openai as openai_plugin

from mouthpiece.errors import TTSError
from mouthpiece.tts import (
    TTS,
    SynthesisState,
    TTSAuthError,
    TTSBadText,
    TTSBadVoice,
    TTSQuotaExceeded,
    TTSRateLimited,
    TTSRefused,
    TTSStreamCut,
    TTSTimeout,
    TTSUnavailable,
    create,
)
from mouthpiece.tts.providers import livekit
from tests.loopback.tts.emulators import KEY, SECONDS_A_CHARACTER, ElevenLabs, Emulator, Fault, OpenAI, tasks_since
from tests.unit.tts.fakes import Ear

TEXT = "Every word of this sentence is worth two hundredths of a second for each of its letters."
FRAMES = round(len(TEXT) * SECONDS_A_CHARACTER * 16_000)

Make = Callable[..., TTS]


def _openai(emulator: Emulator, key: str = KEY, **settings: Any) -> TTS:
    return create("openai", api_key=key, base_url=f"{emulator.url}/v1", **settings)


def _elevenlabs(emulator: Emulator, key: str = KEY, **settings: Any) -> TTS:
    return create("elevenlabs", api_key=key, base_url=emulator.url, **settings)


def _livekit_openai(emulator: Emulator, key: str = KEY, **settings: Any) -> TTS:
    settings = {"response_format": "pcm", **settings}
    return create("livekit:openai", api_key=key, base_url=f"{emulator.url}/v1", **settings)


def _livekit_elevenlabs(emulator: Emulator, key: str = KEY, **settings: Any) -> TTS:
    settings = {"encoding": "pcm_24000", **settings}
    return create("livekit:elevenlabs", api_key=key, base_url=f"{emulator.url}/v1", **settings)


def _livekit_elevenlabs_socket(emulator: Emulator, key: str = KEY, **settings: Any) -> TTS:
    return _livekit_elevenlabs(emulator, key, streaming=True, **settings)


CLIENTS: dict[str, tuple[Make, type[Emulator]]] = {
    "openai": (_openai, OpenAI),
    "elevenlabs": (_elevenlabs, ElevenLabs),
    "livekit openai": (_livekit_openai, OpenAI),
    "livekit elevenlabs": (_livekit_elevenlabs, ElevenLabs),
    "livekit elevenlabs, WebSocket": (_livekit_elevenlabs_socket, ElevenLabs),
}


@pytest.fixture(params=CLIENTS)
async def client(request: pytest.FixtureRequest, openai: OpenAI, elevenlabs: ElevenLabs) -> tuple[Make, Emulator]:
    make, service = CLIENTS[request.param]
    emulator = openai if service is OpenAI else elevenlabs
    return (lambda **settings: make(emulator, **settings)), emulator


async def fails(tts: TTS, kind: type[TTSError], text: str = TEXT, **kwargs: Any) -> TTSError:
    """``send`` ends in this error, and in its event."""
    ear = Ear(tts)
    with pytest.raises(TTSError) as caught:
        await tts.send(text, **kwargs)
    assert type(caught.value) is kind, caught.value.__cause__
    assert ear.error.error is caught.value
    assert text not in str(caught.value)
    assert KEY not in str(caught.value)
    return caught.value


def is_whole(tts: TTS, ear: Ear) -> bool:
    """livekit-agents ends a sound with 10 ms of silence of its own."""
    return -1 <= ear.frames - FRAMES <= (161 if tts.provider_name.startswith("livekit") else 1)


async def speaks(tts: TTS) -> None:
    ear = Ear(tts)
    await tts.send(TEXT)
    assert is_whole(tts, ear)
    assert ear.kinds[-1] == "synthesis_complete"


async def test_the_whole_sound_comes_in_chunks(client: tuple[Make, Emulator]) -> None:
    make, emulator = client
    before = asyncio.all_tasks()
    async with make() as tts:
        ear = Ear(tts)
        await tts.send(TEXT)
        assert is_whole(tts, ear)
        assert len(ear.audio) > 2
        assert abs(ear.samples).max() == pytest.approx(9_000, rel=0.02)  # in tune, so no chunk was misread
        assert len(emulator.requests) == 1
    assert tasks_since(before) == set()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(401), TTSAuthError),
        (Fault(403), TTSAuthError),
        (Fault(429, {"Retry-After": "3"}), TTSRateLimited),
        (Fault(500), TTSUnavailable),
        (Fault(503), TTSUnavailable),
        (Fault(422), TTSRefused),
    ],
    ids=lambda value: value.status if isinstance(value, Fault) else "",
)
async def test_a_status_becomes_its_error_at_once_and_the_next_text_is_spoken(
    client: tuple[Make, Emulator], fault: Fault, kind: type[TTSError]
) -> None:
    make, emulator = client
    async with make() as tts:
        emulator.fault = fault
        error = await fails(tts, kind)
        assert error.retryable is kind.retryable
        if isinstance(error, TTSRateLimited):
            assert error.retry_after == 3
        assert emulator.asked == 1  # nobody retried behind our back
        emulator.fault = None
        await speaks(tts)


async def test_a_wrong_key_is_said_and_not_shown(client: tuple[Make, Emulator]) -> None:
    make, _ = client
    async with make(key="wrong-key") as tts:
        error = await fails(tts, TTSAuthError)
        assert "does not accept the key" in str(error)
        assert "wrong-key" not in str(error)


async def test_a_stream_cut_in_the_middle_gives_what_came_and_says_so(client: tuple[Make, Emulator]) -> None:
    make, emulator = client
    async with make() as tts:
        emulator.fault = Fault(cut_after=12)
        ear = Ear(tts)
        await fails(tts, TTSStreamCut)
        assert 0 < ear.frames < FRAMES
        emulator.fault = None
        await speaks(tts)


@pytest.mark.parametrize("fault", [Fault(silent=True), Fault(stall_after=0)], ids=["no answer", "headers alone"])
async def test_a_service_that_takes_the_request_and_is_silent_is_given_up(
    client: tuple[Make, Emulator], fault: Fault
) -> None:
    make, emulator = client
    async with make() as tts:
        tts.first_audio_timeout = 0.5
        emulator.fault = fault
        async with asyncio.timeout(5):  # less than any limit of the SDKs and plugins
            await fails(tts, TTSTimeout)
        emulator.fault = None
        tts.first_audio_timeout = 15
        await speaks(tts)


async def test_a_service_that_is_late_but_within_the_limit_is_heard(client: tuple[Make, Emulator]) -> None:
    make, emulator = client
    async with make() as tts:
        emulator.fault = Fault(late=0.3)
        await speaks(tts)


async def test_a_stream_that_stalls_in_the_middle_gives_what_came_and_is_given_up(
    client: tuple[Make, Emulator],
) -> None:
    make, emulator = client
    async with make() as tts:
        tts.stall_timeout = 0.5
        emulator.fault = Fault(stall_after=12)
        ear = Ear(tts)
        async with asyncio.timeout(5):
            await fails(tts, TTSStreamCut)
        assert 0 < ear.frames < FRAMES
        await emulator.quiet()
        emulator.fault = None
        tts.stall_timeout = 15
        await speaks(tts)


async def test_a_service_that_is_not_there_is_said(client: tuple[Make, Emulator]) -> None:
    make, emulator = client
    emulator.url = "http://127.0.0.1:9"  # discard: nobody listens
    async with make() as tts:
        await fails(tts, TTSUnavailable)


async def test_a_stop_ends_a_request_whose_rest_has_not_come(client: tuple[Make, Emulator]) -> None:
    make, emulator = client
    async with make() as tts:
        emulator.fault = Fault(stall_after=12)
        synthesis = tts.synthesize(TEXT)
        await anext(synthesis)
        async with asyncio.timeout(5):  # the limit for a stall is 15 s
            await tts.stop_audio()
            assert [chunk async for chunk in synthesis] == []
            await emulator.quiet()
        assert synthesis.state is SynthesisState.INTERRUPTED
        emulator.fault = None
        await speaks(tts)


SOCKET_FAULTS = {
    "policy": (Fault(cut_after=0, close_code=1008), TTSRefused),
    "failure": (Fault(cut_after=0, close_code=1011), TTSUnavailable),
    "failure in the middle": (Fault(cut_after=12, close_code=1011), TTSStreamCut),
    "error": (Fault(cut_after=0, error_message="said: the text"), TTSUnavailable),
    "error in the middle": (Fault(cut_after=12, error_message="said: the text"), TTSStreamCut),
}


@pytest.mark.parametrize(("fault", "kind"), SOCKET_FAULTS.values(), ids=SOCKET_FAULTS)
async def test_a_websocket_that_is_closed_or_says_an_error_fails_the_text_alone(
    elevenlabs: ElevenLabs, fault: Fault, kind: type[TTSError]
) -> None:
    async with _livekit_elevenlabs_socket(elevenlabs) as tts:
        elevenlabs.fault = fault
        error = await fails(tts, kind)
        assert "said" not in str(error)
        assert "HTTP" not in str(error)
        elevenlabs.fault = None
        await speaks(tts)


async def test_a_websocket_that_the_plugin_gives_up_has_timed_out(
    elevenlabs: ElevenLabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livekit, "_CONNECT_TIMEOUT", 0.5)
    elevenlabs.fault = Fault(stall_after=0)
    async with _livekit_elevenlabs_socket(elevenlabs) as tts:
        await fails(tts, TTSTimeout)


async def test_a_websocket_that_answers_as_it_used_to_is_understood(elevenlabs: ElevenLabs) -> None:
    elevenlabs.context_key = "contextId"
    async with _livekit_elevenlabs_socket(elevenlabs) as tts:
        await speaks(tts)


async def test_a_voice_can_be_chosen_by_text(client: tuple[Make, Emulator], request: pytest.FixtureRequest) -> None:
    make, emulator = client
    async with make() as tts:
        await tts.send(TEXT, voice="other")
        await tts.send(TEXT)
    voices = [request["voice"] for request in emulator.requests]
    assert voices[0] == "other"
    assert voices[1] != "other"


async def test_a_voice_that_does_not_exist_is_said(openai: OpenAI, elevenlabs: ElevenLabs) -> None:
    for tts in (_openai(openai), _elevenlabs(elevenlabs)):
        async with tts:
            await fails(tts, TTSBadVoice, voice="nobody")


async def test_a_text_that_is_too_long_for_a_request_is_said(openai: OpenAI, elevenlabs: ElevenLabs) -> None:
    async with _openai(openai) as tts:
        await fails(tts, TTSBadText, "long " * 1_000)
    elevenlabs.fault = Fault(400, body={"detail": {"status": "max_character_limit_exceeded"}})
    async with _elevenlabs(elevenlabs) as tts:
        await fails(tts, TTSBadText, "long " * 1_000)


async def test_an_empty_account_is_not_a_rate_limit_nor_a_wrong_key(openai: OpenAI, elevenlabs: ElevenLabs) -> None:
    openai.fault = Fault(429, body={"error": {"code": "insufficient_quota", "message": "pay"}})
    async with _openai(openai) as tts:
        assert not (await fails(tts, TTSQuotaExceeded)).retryable
    elevenlabs.fault = Fault(401, body={"detail": {"status": "quota_exceeded", "message": "pay"}})
    async with _elevenlabs(elevenlabs) as tts:
        await fails(tts, TTSQuotaExceeded)


async def test_voices_are_listed_over_all_pages(elevenlabs: ElevenLabs) -> None:
    async with _elevenlabs(elevenlabs) as tts:
        voices = await tts.voices()
    assert [(voice.id, voice.name, voice.language) for voice in voices] == list(ElevenLabs.VOICES)
    assert {voice.provider for voice in voices} == {"elevenlabs"}


async def test_voices_of_a_livekit_plugin_are_listed(elevenlabs: ElevenLabs) -> None:
    async with _livekit_elevenlabs(elevenlabs) as tts:
        assert [voice.id for voice in await tts.voices()] == ["voice0", "voice1", "voice2"]


async def test_a_service_that_cannot_list_its_voices_says_why(elevenlabs: ElevenLabs) -> None:
    elevenlabs.fault = Fault(503)
    async with _elevenlabs(elevenlabs) as tts:
        with pytest.raises(TTSUnavailable):
            await tts.voices()
        assert elevenlabs.asked == 1
    async with _elevenlabs(elevenlabs, key="wrong") as tts:
        with pytest.raises(TTSAuthError):
            await tts.voices()


async def test_a_service_that_never_lists_its_voices_is_given_up(
    elevenlabs: ElevenLabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mouthpiece.tts.providers.elevenlabs._LONGEST", 0.3)
    elevenlabs.fault = Fault(silent=True)
    async with _elevenlabs(elevenlabs) as tts, asyncio.timeout(10):
        with pytest.raises(TTSTimeout):
            await tts.voices()


async def test_elevenlabs_is_asked_for_the_documents_voice_model_and_format(elevenlabs: ElevenLabs) -> None:
    async with _elevenlabs(elevenlabs) as tts:
        await tts.send("Hello, this is a test")
    (request,) = elevenlabs.requests
    assert request["voice"] == "EXAVITQu4vr4xnSDxMaL"
    assert request["model_id"] == "eleven_turbo_v2_5"
    assert request["output_format"] == "pcm_24000"


async def test_openai_is_asked_for_raw_sound(openai: OpenAI) -> None:
    async with _openai(openai, instructions="calm") as tts:
        await tts.send("Hello")
    assert openai.requests == [
        {
            "model": "gpt-4o-mini-tts",
            "voice": "alloy",
            "input": "Hello",
            "response_format": "pcm",
            "instructions": "calm",
        }
    ]


async def test_a_client_of_ones_own_stays_open(openai: OpenAI) -> None:
    import openai as sdk

    async with sdk.AsyncOpenAI(api_key=KEY, base_url=f"{openai.url}/v1", max_retries=0) as own:
        async with create("openai", client=own) as tts:
            await speaks(tts)
        assert not own.is_closed()


async def test_a_livekit_plugin_object_of_ones_own_is_taken_and_stays_open(openai: OpenAI) -> None:
    own = openai_plugin.TTS(api_key=KEY, base_url=f"{openai.url}/v1", response_format="pcm", voice="ash")
    try:
        async with create("livekit", plugin=own) as tts:
            await speaks(tts)
            await fails(tts, TTSBadVoice, voice="other")
        async with create("livekit", plugin=own) as tts:
            await speaks(tts)
    finally:
        await own.aclose()
