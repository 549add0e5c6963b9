"""Classes that somebody may well write: what goes wrong in them ends the text with its reason, and nothing hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from mouthpiece.tts import (
    TTS,
    AudioFormat,
    PcmData,
    TTSAudioEvent,
    TTSBadText,
    TTSErrorEvent,
    TTSProviderFailed,
    TTSSynthesisCompleteEvent,
    check_text,
)
from tests.unit.tts.fakes import Ear, Plain, tone

pytestmark = pytest.mark.timeout(20)


class Unsteady(Exception):
    """Whose account of itself fails."""

    @property
    def status_code(self) -> int:
        raise RuntimeError("no answer yet")


class Panic(BaseException):
    """As the panics of native code are."""


@pytest.mark.parametrize("error", [Unsteady(), Panic()])
async def test_an_exception_of_any_kind_ends_the_text(error: BaseException) -> None:
    async def answer(text: str) -> AsyncIterator[PcmData]:
        raise error
        yield

    tts = Plain(answer)
    ear = Ear(tts)
    with pytest.raises(TTSProviderFailed, match=type(error).__name__):
        await tts.send("hello")
    assert ear.kinds == ["synthesis_start", "error"]


async def test_a_translation_that_fails_ends_the_text_all_the_same() -> None:
    class Untranslatable(Plain):
        def translate_error(self, error: Exception) -> Any:
            raise ModuleNotFoundError("the SDK")

    async def answer(text: str) -> AsyncIterator[PcmData]:
        raise OSError
        yield

    with pytest.raises(TTSProviderFailed, match=r"failed \(OSError\)"):
        await Untranslatable(answer).send("hello")


async def test_a_handler_may_speak_at_the_end_of_a_text_and_at_its_failure() -> None:
    failures = {"and more"}

    def answer(text: str) -> PcmData:
        if text in failures:
            raise OSError
        return tone(0.1)

    tts = Plain(answer)
    ear = Ear(tts)

    @tts.events.subscribe
    async def goes_on(event: TTSSynthesisCompleteEvent) -> None:
        if event.text == "hello":
            await tts.send("and more")

    @tts.events.subscribe
    async def is_sorry(event: TTSErrorEvent) -> None:
        await tts.send("sorry")

    await tts.send("hello")
    await tts.send("afterwards")
    assert [event.text for event in ear.starts] == ["hello", "and more", "sorry", "afterwards"]


async def test_a_handler_that_would_deadlock_gets_an_error(caplog: pytest.LogCaptureFixture) -> None:
    tts = Plain(lambda _: tone(0.1))
    ear = Ear(tts)

    @tts.events.subscribe
    async def impatient(event: TTSAudioEvent) -> None:
        await tts.send("already")

    await tts.send("hello")
    assert [event.text for event in ear.starts] == ["hello"]
    assert "a handler of tts.audio failed: RuntimeError" in caplog.text


async def test_a_handler_whose_own_work_was_cancelled_cancels_nobody(caplog: pytest.LogCaptureFixture) -> None:
    tts = Plain(lambda _: tone(0.1))
    ear = Ear(tts)

    @tts.events.subscribe
    async def waits(event: TTSAudioEvent) -> None:
        raise asyncio.CancelledError

    await tts.send("hello")
    assert ear.kinds[-1] == "synthesis_complete"
    assert "waited for something that was cancelled" in caplog.text


async def test_stop_and_close_that_come_from_a_base_beside_it_stop_it_too() -> None:
    class Beside:
        calls: list[str]

        async def stop_audio(self) -> None:
            self.calls.append("stop")

        async def close(self) -> None:
            self.calls.append("close")

    class Mixed(Beside, TTS):
        async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
            while True:
                await asyncio.sleep(0)
                yield tone(0.05)

    for end in ("stop_audio", "close"):
        tts = Mixed()
        tts.calls = []
        ear = Ear(tts)
        sending = asyncio.create_task(tts.send("hello"))
        while not ear.audio:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await getattr(tts, end)()
        heard = len(ear.audio)
        await sending
        assert (len(ear.audio), tts.calls) == (heard, [end.removesuffix("_audio")])


async def test_a_provider_that_ends_by_its_own_stop_alone_is_stopped_before_it_is_waited_for() -> None:
    class Deaf(TTS):
        def __init__(self) -> None:
            super().__init__()
            self.over = asyncio.Event()
            self.by_itself = False

        async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
            yield tone(0.1)
            while not self.over.is_set():
                try:
                    await self.over.wait()
                except asyncio.CancelledError:
                    continue
            self.by_itself = True

        async def stop_audio(self) -> None:
            self.over.set()

    tts = Deaf()
    async with tts.synthesize("hello") as synthesis:
        await anext(synthesis)
        await tts.stop_audio()
        assert tts.by_itself


async def test_methods_of_its_own_by_the_names_of_ours_do_no_harm() -> None:
    class Own(TTS):
        def __init__(self) -> None:
            super().__init__()
            self.clock = None  # type: ignore[assignment]

        async def synthesize(self, text: str) -> PcmData:  # type: ignore[override]
            return tone(0.1)

        async def stream_audio(self, text: str, *_: Any, **__: Any) -> PcmData:
            return await self.synthesize(text)

    tts = Own()  # type: ignore[abstract] # stop_audio may be left out
    ear = Ear(tts)
    await tts.send("hello")
    assert ear.frames == 1_600
    assert [chunk.data.frames async for chunk in tts.speak("One. Two.")] == [1_600, 1_600]


async def test_a_stop_ends_a_speech_that_waits_for_its_text() -> None:
    tts = Plain(lambda _: tone(0.1))
    more, read = asyncio.Event(), asyncio.Event()
    said: list[str] = []

    async def text() -> AsyncIterator[str]:
        yield "One. And "
        await more.wait()
        yield "two. Three. "

    async def speak() -> None:
        async for chunk in tts.speak(text()):
            said.append(chunk.sentence)
            read.set()

    speaking = asyncio.create_task(speak())
    await read.wait()
    await asyncio.sleep(0.01)
    await tts.stop_audio()
    await speaking
    assert said == ["One."]


async def test_a_text_whose_writer_was_cancelled_broke_off() -> None:
    async def text() -> AsyncIterator[str]:
        yield "One. And "
        raise asyncio.CancelledError

    tts = Plain(lambda _: tone(0.1))
    with pytest.raises(TTSBadText, match="broke off"):
        async for _ in tts.speak(text()):
            pass


@pytest.mark.parametrize("rates", [(24_000, 16_000), (16_000, 24_000)])
async def test_a_change_of_rate_in_odd_chunks_makes_no_noise(rates: tuple[int, int]) -> None:
    first, second = (tone(0.5, rate, hertz=300) for rate in rates)
    data = second.to_bytes()

    async def answer(text: str) -> AsyncIterator[PcmData]:
        yield first
        for start in range(0, len(data), 1001):
            yield PcmData.from_bytes(data[start : start + 1001], rates[1])

    heard = [chunk.samples async for chunk in Plain(answer).synthesize("hello")]
    samples = np.concatenate(heard).astype(int)
    assert len(samples) == 16_000
    step = np.abs(np.diff(tone(0.5, 16_000, hertz=300).samples.astype(int))).max()
    assert np.abs(np.diff(samples[8_100:])).max() < 1.2 * step


async def test_half_a_sample_is_not_put_in_front_of_another_format() -> None:
    wave = tone(0.5, hertz=300).samples

    async def answer(text: str) -> AsyncIterator[PcmData]:
        yield PcmData.from_bytes(wave.tobytes() + b"\1", 16_000)
        yield PcmData(wave.astype(np.float32) / 32_768, 16_000, format=AudioFormat.F32)

    heard = [chunk.samples async for chunk in Plain(answer).synthesize("hello")]
    assert np.array_equal(np.concatenate(heard), np.concatenate([wave, wave]))


async def test_an_array_that_is_used_again_is_heard_as_it_was() -> None:
    wave = tone(1.0).samples

    async def answer(text: str) -> AsyncIterator[PcmData]:
        block = np.zeros(320, np.int16)
        for start in range(0, len(wave), 320):
            block[:] = wave[start : start + 320]
            yield PcmData(block, 16_000)

    heard = [chunk.samples async for chunk in Plain(answer).synthesize("hello")]
    assert np.array_equal(np.concatenate(heard), wave)


async def test_sound_that_comes_byte_by_byte_is_sound() -> None:
    wave = tone(0.02)

    async def answer(text: str) -> AsyncIterator[PcmData]:
        for byte in wave.to_bytes():
            yield PcmData.from_bytes(bytes([byte]), 16_000)

    heard = [chunk.samples async for chunk in Plain(answer).synthesize("hello")]
    assert np.array_equal(np.concatenate(heard), wave.samples)


@pytest.mark.parametrize("samples", [np.array([0.5, -0.5]), np.array([70_000, 0], np.int32), [1e6]])
def test_samples_that_would_be_silence_or_wrap_round_are_refused(samples: Any) -> None:
    with pytest.raises(ValueError, match=r"F32|do not fit"):
        PcmData(samples, 24_000)


@pytest.mark.parametrize("samples", [np.zeros(4), np.array([1.0, -32768.0]), [1, 2], np.array([3], np.int32)])
def test_whole_samples_of_another_kind_are_taken(samples: Any) -> None:
    assert PcmData(samples, 24_000).samples.tolist() == [int(one) for one in samples]


@pytest.mark.parametrize("text", [None, b"Hello", 7])
async def test_what_is_no_text_is_the_callers_fault(text: Any) -> None:
    with pytest.raises(TTSBadText, match="is a str, not"):
        await Plain(lambda _: tone(0.1)).send(text)


@pytest.mark.parametrize("format", [(48_000.5, 1), (48_000, 1.5), (0, 1), (48_000, -1)])
def test_an_output_format_that_is_none_is_refused(format: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match="positive and whole"):
        Plain(lambda _: tone(0.1)).set_output_format(*format)


def test_looking_for_tags_takes_no_longer_than_reading() -> None:
    """A pattern that tries every way to part the spaces would take minutes."""
    for hard in ("<a x=" + " " * 190_000, "<p" + " " * 190_000, "<b:c " + " " * 190_000, "< " * 90_000):
        check_text(hard)
