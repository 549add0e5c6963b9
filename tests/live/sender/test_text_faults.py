"""A vendor that fails while the avatar speaks: its real SDK or LiveKit plugin, its service imitated."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest
from livekit.plugins import openai as _openai_plugin  # noqa: F401 (imports on the main thread, not in a loop)

from mouthpiece.errors import TTSError
from mouthpiece.segments import Problem, State
from mouthpiece.tts import TTS, create
from mouthpiece_sender.speaker import Speaker
from tests.live.viewer import Viewer
from tests.loopback.tts.emulators import KEY, ElevenLabs, Emulator, Fault, OpenAI

TEXT = "The first sentence is heard whole. The second one never comes."
FIRST = 0.02 * len("The first sentence is heard whole.")
"""Seconds that the imitated service speaks for."""

VENDORS: dict[str, tuple[type[Emulator], Callable[[str], TTS]]] = {
    "openai": (OpenAI, lambda url: create("openai", api_key=KEY, base_url=f"{url}/v1")),
    "elevenlabs": (ElevenLabs, lambda url: create("elevenlabs", api_key=KEY, base_url=url)),
    "livekit": (
        OpenAI,
        lambda url: create("livekit:openai", api_key=KEY, base_url=f"{url}/v1", response_format="pcm"),
    ),
}


@contextlib.asynccontextmanager
async def voice(vendor: str) -> AsyncIterator[tuple[Emulator, TTS]]:
    kind, make = VENDORS[vendor]
    async with kind().running() as service, make(service.url) as tts:
        await tts.warm()
        yield service, tts


async def says_the_next_one(speaker: Speaker, tts: TTS) -> bool:
    segment = await (await speaker.say("And this one is said.", tts=tts)).finished(30)
    return segment.state is State.FINISHED


FAULTS: dict[str, tuple[str, Fault, str, bool]] = {
    "wrong key": ("openai", Fault(401, after=1), "tts-auth", False),
    "too many requests": ("livekit", Fault(429, {"Retry-After": "7"}, after=1), "tts-rate-limited", True),
    "failure": ("elevenlabs", Fault(503, after=1), "tts-unavailable", True),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_a_text_whose_voice_fails_has_failed_and_the_next_one_is_said(
    speaker: Speaker, viewer: Viewer, what: str
) -> None:
    vendor, fault, slug, retryable = FAULTS[what]
    async with voice(vendor) as (service, tts):
        service.fault = fault
        said = time.monotonic()
        segment = await (await speaker.say(TEXT, tts=tts)).finished(30)
        assert segment.state is State.FAILED
        assert isinstance(segment.error, Problem)
        assert (segment.error.type, segment.error.retryable) == (slug, retryable)
        assert segment.position == pytest.approx(FIRST, abs=0.1)
        assert await viewer.offset(said) > said
        with pytest.raises(TTSError) as caught:
            await speaker.say("This one is refused at once.", tts=tts)
        assert (caught.value.slug, caught.value.retryable) == (slug, retryable)
        service.fault = None
        assert await says_the_next_one(speaker, tts)


async def test_a_text_whose_voice_falls_silent_has_failed_and_the_next_one_is_said(
    speaker: Speaker, viewer: Viewer
) -> None:
    async with voice("livekit") as (service, tts):
        tts.first_audio_timeout = 2
        service.fault = Fault(silent=True, after=1)
        segment = await (await speaker.say(TEXT, tts=tts)).finished(9)  # the plugin would wait for longer
        assert segment.state is State.FAILED
        assert segment.error is not None
        assert segment.error.type == "tts-timeout"
        assert segment.position == pytest.approx(FIRST, abs=0.1)
        service.fault = None
        assert await says_the_next_one(speaker, tts)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_voice_that_is_cut_off_in_a_sentence_ends_as_failed(
    speaker: Speaker, viewer: Viewer, vendor: str
) -> None:
    async with voice(vendor) as (service, tts):
        service.fault = Fault(cut_after=4)
        segment = await (await speaker.say(TEXT, tts=tts)).finished(30)
        assert segment.state is State.FAILED
        assert segment.error is not None
        assert segment.error.type == "tts-stream-cut"
        assert segment.error.retryable
        assert 0 < segment.position < FIRST
        service.fault = None
        assert await says_the_next_one(speaker, tts)
