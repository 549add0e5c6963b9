"""send and synthesize: whatever shape a provider answers in, the same events and the same sound."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from mouthpiece.tts import TTS, AudioFormat, PcmData, SynthesisState, TTSAudioEvent, TTSSynthesisStartEvent
from tests.unit.tts.fakes import Ear, Endless, Plain, Silent, tone

CHUNKS = [tone(0.1, hertz=hertz) for hertz in (300, 500, 700)]
WHOLE = np.concatenate([chunk.samples for chunk in CHUNKS])


async def asynchronously(text: str) -> AsyncIterator[PcmData]:
    for chunk in CHUNKS:
        yield chunk


def synchronously(text: str) -> Iterator[PcmData]:
    yield from CHUNKS


SHAPES: dict[str, Callable[[str], Any]] = {
    "one buffer": lambda _: PcmData(WHOLE, 16_000),
    "a list": lambda _: CHUNKS,
    "an iterator": synchronously,
    "an async iterator": asynchronously,
}


class Generator(TTS):
    """An async generator function itself, as in the document's streaming example."""

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
        for chunk in CHUNKS:
            yield chunk

    async def stop_audio(self) -> None:
        pass


class Immediate(TTS):
    """A plain function."""

    def stream_audio(self, text: str, *_: Any, **__: Any) -> Any:
        return iter(CHUNKS)

    async def stop_audio(self) -> None:
        pass


VOICES: dict[str, Callable[[], TTS]] = {
    **{name: partial(Plain, answer) for name, answer in SHAPES.items()},
    "an async generator function": Generator,
    "a plain function": Immediate,
}


@pytest.mark.parametrize("make", VOICES.values(), ids=VOICES)
async def test_every_shape_gives_the_same_sound(make: Callable[[], TTS]) -> None:
    tts = make()
    ear = Ear(tts)
    await tts.send("hello")
    assert np.array_equal(ear.samples, WHOLE)
    assert ear.kinds[0] == "synthesis_start"
    assert ear.kinds[-1] == "synthesis_complete"
    assert set(ear.kinds[1:-1]) == {"audio"}
    assert [event.chunk_index for event in ear.audio] == list(range(len(ear.audio)))
    assert [event.is_final_chunk for event in ear.audio] == [False] * (len(ear.audio) - 1) + [True]


@pytest.mark.parametrize("make", VOICES.values(), ids=VOICES)
async def test_a_synthesis_yields_the_sound_that_the_events_carry(make: Callable[[], TTS]) -> None:
    tts = make()
    ear = Ear(tts)
    async with tts.synthesize("hello") as synthesis:
        pulled = [chunk async for chunk in synthesis]
    assert all(chunk.frames for chunk in pulled)
    assert np.array_equal(np.concatenate([chunk.samples for chunk in pulled]), ear.samples)
    assert synthesis.state is SynthesisState.FINISHED
    assert {event.synthesis_id for event in ear.events} == {synthesis.id}


async def test_one_buffer_is_one_chunk_and_the_final_one() -> None:
    tts = Plain(lambda _: tone(1.0, 24_000))
    ear = Ear(tts)
    await tts.send("hello")
    assert ear.kinds == ["synthesis_start", "audio", "synthesis_complete"]
    assert ear.audio[0].is_final_chunk
    assert ear.audio[0].data.frames == 16_000


async def test_events_carry_who_what_and_for_whom() -> None:
    tts = Plain(lambda _: tone(0.1))
    ear = Ear(tts)
    await tts.send("hello", "somebody")
    for event in ear.events:
        assert (event.session_id, event.plugin_name, event.participant) == (tts.session_id, "plain", "somebody")
    assert ear.starts[0].text == "hello"
    assert ear.audio[0].text_source == "hello"
    assert ear.complete.text == "hello"


async def test_further_arguments_go_to_the_provider() -> None:
    tts = Plain(lambda _: tone(0.1))
    await tts.send("hello", None, 7, voice="x")
    assert tts.asked == [("hello", (7,), {"voice": "x"})]


def test_the_provider_is_called_by_its_class_unless_it_has_a_name() -> None:
    assert Generator().provider_name == "Generator"
    assert Plain(lambda _: None).provider_name == "plain"
    assert Generator().session_id != Generator().session_id


def test_the_base_class_cannot_be_made() -> None:
    assert inspect.isabstract(TTS)
    assert TTS.__abstractmethods__ == {"stream_audio", "stop_audio"}


async def test_sound_comes_at_16_khz_mono_unless_another_format_was_set() -> None:
    tts = Plain(lambda _: tone(0.5, 44_100, channels=2))
    ear = Ear(tts)
    await tts.send("hello")
    data = ear.audio[0].data
    assert (data.sample_rate, data.channels, data.format, data.frames) == (16_000, 1, AudioFormat.PCM_S16, 8_000)


@pytest.mark.parametrize("format", AudioFormat)
@pytest.mark.parametrize("channels", [1, 2])
async def test_sound_comes_in_the_format_that_was_set(channels: int, format: AudioFormat) -> None:
    tts = Plain(lambda _: tone(0.5, 24_000))
    tts.set_output_format(48_000, channels=channels, audio_format=format)
    ear = Ear(tts)
    await tts.send("hello")
    data = ear.audio[0].data
    assert (data.sample_rate, data.channels, data.format, data.frames) == (48_000, channels, format, 24_000)
    assert (tts._desired_sample_rate, tts._desired_channels, tts._desired_format) == (48_000, channels, format)
    peak = np.abs(data.samples).max()
    assert peak == pytest.approx(10_000 if format is AudioFormat.S16 else 10_000 / 32_768, rel=0.01)


async def test_a_format_set_in_the_middle_is_for_the_next_text() -> None:
    tts = Plain(asynchronously)
    async with tts.synthesize("one") as synthesis:
        first = await anext(synthesis)
        tts.set_output_format(48_000)
        rest = [chunk async for chunk in synthesis]
    assert {chunk.sample_rate for chunk in [first, *rest]} == {16_000}
    assert {chunk.sample_rate async for chunk in tts.synthesize("two")} == {48_000}


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (-8_000, 1), (16_000, 0)])
def test_a_format_that_makes_no_sense_is_refused(rate: int, channels: int) -> None:
    with pytest.raises(ValueError, match="both must be positive"):
        Generator().set_output_format(rate, channels)


async def test_a_provider_may_change_its_rate_in_the_middle() -> None:
    tts = Plain(lambda _: [tone(0.5, 22_050), tone(0.5, 48_000, channels=2), tone(0.5, 16_000)])
    ear = Ear(tts)
    await tts.send("hello")
    assert ear.frames == 24_000


async def test_metrics_count_time_and_sound() -> None:
    now = 100.0

    def clock() -> float:
        return now

    async def provider(text: str) -> AsyncIterator[PcmData]:
        nonlocal now
        for _ in range(2):
            now += 0.25
            yield tone(0.5)

    tts = Plain(provider)
    tts.clock = clock
    ear = Ear(tts)

    @tts.events.subscribe
    async def takes_its_time(event: TTSAudioEvent) -> None:
        nonlocal now
        now += 60

    tts.buffer_seconds = 0.1  # the provider waits for the handler before it goes on
    await tts.send("hello")
    complete = ear.complete
    assert complete.audio_duration_ms == pytest.approx(1_000)
    assert complete.total_audio_bytes == 32_000
    assert complete.chunk_count == sum(event.data.frames > 0 for event in ear.audio) == 2
    assert complete.first_audio_ms == pytest.approx(250)
    assert complete.real_time_factor == pytest.approx(complete.synthesis_time_ms / 1_000)
    assert not complete.interrupted


async def test_texts_are_spoken_one_after_the_other_in_the_order_in_which_they_came() -> None:
    tts = Plain(asynchronously)
    ear = Ear(tts)
    await asyncio.gather(*(tts.send(text) for text in ("one", "two", "three")))
    ids = [event.synthesis_id for event in ear.events]
    assert ids == sorted(ids, key=ids.index)  # no synthesis between the events of another
    assert [event.text for event in ear.starts] == ["one", "two", "three"]


async def test_the_provider_has_one_stream_open_at_a_time() -> None:
    tts, most = Endless(), 0
    first, second = tts.synthesize("one"), tts.synthesize("two")
    async with first, second:
        await first.start()
        await second.start()
        for _ in range(3):
            await anext(first)
            most = max(most, tts.open)
        await first.aclose()
        await anext(second)
        most = max(most, tts.open)
    assert most == 1


async def test_a_blocking_iterator_does_not_block_the_loop() -> None:
    loop, blocked, go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    threads: set[threading.Thread] = set()

    def blocking(text: str) -> Iterator[PcmData]:
        for chunk in CHUNKS:
            threads.add(threading.current_thread())
            loop.call_soon_threadsafe(blocked.set)
            assert go.wait(10)
            yield chunk

    tts = Plain(blocking)
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send("hello"))
    await blocked.wait()
    go.set()  # from the loop, which is free
    await sending
    assert np.array_equal(ear.samples, WHOLE)
    assert threading.main_thread() not in threads
    assert len(threads) == 1


async def test_a_provider_waits_when_nobody_takes_its_sound() -> None:
    tts = Endless()
    tts.buffer_seconds = 0.95
    async with tts.synthesize("hello") as synthesis:
        await synthesis.start()
        for _ in range(200):
            await asyncio.sleep(0)
        assert tts.given == 11  # ten that are held, and one in hand
        for _ in range(5):
            await anext(synthesis)
        for _ in range(50):
            await asyncio.sleep(0)
        assert tts.given == 16


async def test_a_synthesis_that_is_dropped_half_way_lets_its_provider_go() -> None:
    tts = Endless()
    synthesis = tts.synthesize("hello")
    await anext(synthesis)
    del synthesis
    gc.collect()
    for _ in range(50):
        await asyncio.sleep(0)
    assert (tts.open, tts.closed) == (0, 1)
    assert not tts._jobs._readers


async def test_a_cancelled_send_ends_its_synthesis_as_interrupted() -> None:
    tts = Silent()
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send("hello"))
    await tts.begun.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert ear.kinds == ["synthesis_start", "synthesis_complete"]
    assert ear.complete.interrupted
    assert not tts._jobs._readers
    tts.let.set()
    await tts.send("again")
    assert ear.frames == 1_600


async def test_a_consumer_cancelled_during_the_start_event_ends_its_synthesis() -> None:
    tts = Endless()
    ear = Ear(tts)
    emitting = asyncio.Event()

    @tts.events.subscribe
    async def on_start(event: TTSSynthesisStartEvent) -> None:
        emitting.set()
        await asyncio.Event().wait()

    async def consume() -> None:
        async for _ in tts.synthesize("hello"):
            pass

    consumer = asyncio.create_task(consume())
    await emitting.wait()
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert ear.kinds == ["synthesis_start", "synthesis_complete"]
    assert not tts._jobs._running


async def test_a_synthesis_started_and_never_read_ends_when_it_is_closed() -> None:
    tts = Endless()
    ear = Ear(tts)
    synthesis = tts.synthesize("hello")
    await synthesis.start()
    await synthesis.aclose()
    assert ear.complete.interrupted
    assert not tts._jobs._readers


async def test_chunks_that_break_inside_a_sample_are_mended() -> None:
    sound = np.arange(-3_000, 3_000, dtype="<i2")
    data = sound.tobytes()

    async def broken(text: str) -> AsyncIterator[PcmData]:
        start = 0
        for size in (1, 2, 3, 1, 1, 1_001, 5, 7_777, 20_000):
            yield PcmData.from_bytes(data[start : start + size], sample_rate=16_000)
            start += size

    tts = Plain(broken)
    ear = Ear(tts)
    await tts.send("hello")
    assert np.array_equal(ear.samples, sound)


async def test_punctuation_alone_may_be_silent() -> None:
    tts = Plain(lambda _: [])
    ear = Ear(tts)
    await tts.send("…!")
    assert ear.complete.audio_duration_ms == 0
    assert ear.complete.real_time_factor is None


async def test_a_handler_that_fails_does_not_end_the_synthesis() -> None:
    tts = Plain(asynchronously)

    @tts.events.subscribe
    async def fails(event: TTSAudioEvent | TTSSynthesisStartEvent) -> None:
        raise RuntimeError("no")

    ear = Ear(tts)
    await tts.send("hello")
    assert np.array_equal(ear.samples, WHOLE)
