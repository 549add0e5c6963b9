"""Which voice speaks a text: providers list theirs in time or are passed over, and plugins are loaded on demand."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts import TTS, PcmData, TTSAuthError, TTSBadVoice, TTSProviderFailed, TTSTimeout, Voice
from mouthpiece_sender.speech.synthesis import TTSPool
from mouthpiece_sender.speech.voice_catalogue import BELIEVED_FOR, FAILED_FOR
from mouthpiece_sender.speech.voices import MOST_MISSING, Voices

Listing = Callable[[], Coroutine[Any, Any, list[Voice]]]


class ListingTTS(TTS):
    """Lists its voices as the test decides."""

    def __init__(self, name: str, listing: Listing | None = None) -> None:
        super().__init__(name)
        self.listing = listing or self.its_own
        self.asked = 0
        self.stopped = 0

    async def stream_audio(self, text: str, *_: Any, voice: str = "usual", **__: Any) -> PcmData:
        return PcmData(np.zeros(2400, np.int16), 24_000)

    async def stop_audio(self) -> None:
        self.stopped += 1

    async def voices(self) -> list[Voice]:
        self.asked += 1
        return await self.listing()

    async def its_own(self) -> list[Voice]:
        return [Voice(f"{self.provider_name}-voice", "A voice", "en", self.provider_name)]


async def never() -> list[Voice]:
    await asyncio.Event().wait()
    return []


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Providers are those that a test brings."""
    monkeypatch.setattr("mouthpiece_sender.speech.voices.available", list)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mouthpiece_sender.speech.voice_catalogue.LIST_WITHIN", 0.01)


@asynccontextmanager
async def speaking(*providers: ListingTTS, clock: Clock | None = None) -> AsyncIterator[Voices]:
    async with Voices(clock=clock or Clock()) as voices:
        for provider in providers:
            voices.use(provider.provider_name, provider)
        yield voices


def ids(listed: list[Any]) -> list[str]:
    return [one.voice.id for one in listed]


async def test_all_are_asked_at_the_same_time() -> None:
    async def waits_for_the_other() -> list[Voice]:
        if one.asked and other.asked:
            both.set()
        await both.wait()
        return []

    both = asyncio.Event()
    one, other = ListingTTS("one", waits_for_the_other), ListingTTS("other", waits_for_the_other)
    async with speaking(one, other, ListingTTS("third")) as voices, asyncio.timeout(10):
        assert ids(await voices.list_voices()) == ["third-voice"]


async def test_a_provider_that_does_not_answer_in_time_is_passed_over(impatient: None) -> None:
    slow = ListingTTS("a slow one", never)
    async with speaking(slow, ListingTTS("quick")) as voices:
        assert ids(await voices.list_voices()) == ["quick-voice"]
        assert await voices.choose("quick-voice", None) == ("quick", "quick-voice")
        assert slow.asked == 1
        with pytest.raises(TTSTimeout, match="did not list its voices"):
            await voices.list_voices("a slow one")


async def test_the_provider_that_has_the_voice_does_not_wait_for_those_after_it() -> None:
    async with speaking(ListingTTS("a quick one"), ListingTTS("slow", never)) as voices, asyncio.timeout(2):
        assert await voices.choose("a quick one-voice", None) == ("a quick one", "a quick one-voice")


@pytest.mark.parametrize(
    ("asked", "meant"), [("FR-BE", "fr-be"), ("fr", "fr-fr"), ("En", "en-gb"), ("b-voice", "B-voice")]
)
async def test_a_voice_is_known_by_its_language_and_in_letters_of_any_case(asked: str, meant: str) -> None:
    async def listing() -> list[Voice]:
        return [Voice(name, name, name, "a") for name in ("fr-be", "fr-fr", "en-gb")]

    async with speaking(ListingTTS("a", listing), ListingTTS("B")) as voices:
        assert (await voices.choose(asked, None))[1] == meant


async def test_an_unknown_voice_is_refused_with_the_names_of_some_that_are_there() -> None:
    async def listing() -> list[Voice]:
        return [Voice(f"voice-{number}", "", "en", "a") for number in range(20)]

    async with speaking(ListingTTS("a", listing)) as voices:
        with pytest.raises(TTSBadVoice, match=r"There are: voice-0, .*voice-11 and 8 more"):
            await voices.choose("nobody", None)


async def test_a_failure_is_remembered_for_a_while_and_a_list_for_longer() -> None:
    async def refuses() -> list[Voice]:
        raise TTSAuthError("The key is not accepted.")

    clock, tts = Clock(), ListingTTS("vendor", refuses)
    async with speaking(tts, clock=clock) as voices:
        for _ in range(2):
            assert await voices.list_voices() == []
            with pytest.raises(TTSAuthError):
                await voices.list_voices("vendor")
        assert tts.asked == 1
        clock.now += FAILED_FOR
        tts.listing = tts.its_own
        for _ in range(2):
            assert ids(await voices.list_voices()) == ["vendor-voice"]
        assert tts.asked == 2
        clock.now += BELIEVED_FOR
        await voices.list_voices()
        assert tts.asked == 3


async def test_concurrent_callers_ask_a_provider_once() -> None:
    tts = ListingTTS("vendor")
    async with speaking(tts) as voices:
        listed = await asyncio.gather(*(voices.list_voices() for _ in range(5)))
        assert [ids(one) for one in listed] == [["vendor-voice"]] * 5
        assert tts.asked == 1


async def test_a_caller_that_is_cancelled_does_not_take_the_answer_from_the_others() -> None:
    gate = asyncio.Event()

    async def waits() -> list[Voice]:
        await gate.wait()
        return await tts.its_own()

    tts = ListingTTS("vendor", waits)
    async with speaking(tts) as voices:
        leaving, staying = (asyncio.create_task(voices.list_voices()) for _ in range(2))
        while not tts.asked:  # noqa: ASYNC110
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        gate.set()
        assert ids(await staying) == ["vendor-voice"]


@pytest.mark.parametrize("error", [KeyError("sk-secret"), asyncio.CancelledError("sk-secret")])
async def test_a_provider_whose_own_code_fails_is_reported_without_its_words(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails() -> list[Voice]:
        raise error

    async with speaking(ListingTTS("vendor", fails), ListingTTS("well")) as voices:
        assert ids(await voices.list_voices()) == ["well-voice"]
        with pytest.raises(TTSProviderFailed) as caught:
            await voices.list_voices("vendor")
        assert "sk-secret" not in f"{caught.value}{caplog.text}"
        assert "vendor" in caplog.text


async def test_listing_voices_neither_waits_for_a_synthesis_nor_stops_it() -> None:
    tts = ListingTTS("own")
    pool = TTSPool("own", lambda: tts, tts, 24_000, own=False)
    async with pool.acquire():
        assert [voice.id for voice in await pool.voices()] == ["own-voice"]
        assert tts.stopped == 0
    async with pool.acquire() as again:
        assert again is tts


class Plugins:
    """Stands for ``mouthpiece.tts.load``."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.made: list[ListingTTS] = []
        self.threads: set[str] = set()

    def load(self, name: str) -> Callable[[], TTS]:
        self.loads.append(name)
        self.threads.add(threading.current_thread().name)
        if name != "livekit:there":
            raise ConfigurationError(f"There is no {name}.")
        return self.make

    def make(self) -> TTS:
        self.made.append(ListingTTS("livekit:there"))
        return self.made[-1]


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    found = Plugins()
    monkeypatch.setattr("mouthpiece_sender.speech.voices.load", found.load)
    return found


async def test_a_plugin_is_loaded_in_a_thread_and_once_for_concurrent_callers(plugins: Plugins) -> None:
    async with speaking() as voices:
        chosen = await asyncio.gather(*(voices.choose(None, "livekit:there") for _ in range(3)))
        assert {name for name, _ in chosen} == {"livekit:there"}
        assert (plugins.loads, len(plugins.made)) == (["livekit:there"], 1)
        assert threading.main_thread().name not in plugins.threads


async def test_a_provider_that_cannot_be_made_is_not_tried_again_at_once(plugins: Plugins) -> None:
    clock = Clock()
    async with speaking(clock=clock) as voices:
        for _ in range(3):
            with pytest.raises(ConfigurationError, match="There is no livekit:gone"):
                await voices.choose(None, "livekit:gone")
        assert plugins.loads == ["livekit:gone"]
        clock.now += 30
        with pytest.raises(ConfigurationError):
            await voices.choose(None, "livekit:gone")
        assert plugins.loads == ["livekit:gone"] * 2


async def test_names_that_a_client_makes_up_do_not_pile_up(plugins: Plugins) -> None:
    clock = Clock()
    async with speaking(clock=clock) as voices:
        for number in range(MOST_MISSING + 10):
            with pytest.raises(ConfigurationError):
                await voices.choose(None, f"livekit:n{number}")
        with pytest.raises(ConfigurationError):
            await voices.choose(None, "livekit:n0")
        assert plugins.loads.count("livekit:n0") == 1
        assert len(voices._missing) == MOST_MISSING


async def test_no_voice_of_that_name_is_an_error() -> None:
    async with speaking(ListingTTS("one")) as voices:
        with pytest.raises(TTSBadVoice):
            await voices.choose("nobody", None)


class Faulty(ListingTTS):
    async def stop_audio(self) -> None:
        raise RuntimeError("sk-secret")

    async def close(self) -> None:
        raise RuntimeError("sk-secret")


@pytest.mark.parametrize("level", [logging.WARNING, logging.DEBUG])
async def test_a_provider_that_fails_to_stop_or_close_is_logged_without_its_words(
    caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level, "mouthpiece_sender.speech.synthesis")
    pool = TTSPool("vendor", lambda: Faulty("vendor"), Faulty("vendor"), 24_000)
    with pytest.raises(ValueError, match="the reader's own"):
        async with pool.acquire():
            raise ValueError("the reader's own")
    assert "the voice vendor failed to stop; it is closed (RuntimeError)" in caplog.text
    assert "the voice vendor failed to close (RuntimeError)" in caplog.text
    assert "sk-secret" not in caplog.text


async def test_a_voice_that_cannot_be_set_up_is_reported_without_its_words() -> None:
    def fails() -> TTS:
        raise ValueError("sk-secret")

    pool = TTSPool("vendor", fails, ListingTTS("vendor"), 24_000)
    async with pool.acquire():
        with pytest.raises(TTSProviderFailed, match=r"could not be set up \(ValueError\)\."):
            async with pool.acquire():
                pass
