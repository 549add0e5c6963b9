"""A vendor that fails while the avatar speaks: its real SDK, its service imitated."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from mouthpiece.errors import TTSError
from mouthpiece.segments import Problem, State
from mouthpiece.tts import TTS, create
from mouthpiece_sender.speaker import Speaker
from tests.live.viewer import Viewer
from tests.loopback.tts.emulators import KEY, Fault, OpenAI

TEXT = "The first sentence of this text is heard whole. The second one never comes."
FIRST = 0.02 * len("The first sentence of this text is heard whole.")
"""Seconds that the imitated service speaks for."""


class FailsLater(OpenAI):
    """Answers the first request well."""

    async def faulty(self, request: web.Request) -> web.StreamResponse | None:
        if self.asked == 0:
            self.asked += 1
            return None
        return await super().faulty(request)


@pytest.fixture
async def vendor() -> AsyncIterator[FailsLater]:
    emulator = FailsLater()
    async with emulator.running():
        yield emulator


@pytest.fixture
async def tts(vendor: FailsLater) -> AsyncIterator[TTS]:
    async with create("openai", api_key=KEY, base_url=f"{vendor.url}/v1") as tts:
        await tts.warm()
        yield tts


FAULTS: dict[str, tuple[Fault, str, bool]] = {
    "wrong key": (Fault(401), "tts-auth", False),
    "too many requests": (Fault(429, {"Retry-After": "7"}), "tts-rate-limited", True),
    "failure": (Fault(503), "tts-unavailable", True),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_a_text_whose_voice_fails_has_failed_and_the_next_one_is_said(
    speaker: Speaker, viewer: Viewer, vendor: FailsLater, tts: TTS, what: str
) -> None:
    vendor.fault, slug, retryable = FAULTS[what]
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
    vendor.fault = None
    following = await (await speaker.say("And this one is said.", tts=tts)).finished(30)
    assert following.state is State.FINISHED


async def test_a_voice_that_is_cut_off_in_a_sentence_ends_as_failed(
    speaker: Speaker, viewer: Viewer, vendor: FailsLater, tts: TTS
) -> None:
    vendor.fault = Fault(cut_after=5)
    segment = await (await speaker.say(TEXT, tts=tts)).finished(30)
    assert segment.state is State.FAILED
    assert segment.error is not None
    assert segment.error.type == "tts-stream-cut"
    assert segment.error.retryable
    assert 0 < segment.position < FIRST
    vendor.fault = None
    following = await (await speaker.say(TEXT, tts=tts)).finished(30)
    assert following.state is State.FINISHED
    assert following.position > FIRST
