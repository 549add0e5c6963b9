"""stop_audio: nothing of what was asked for before comes out after it, whatever the provider does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from mouthpiece.tts import TTS, PcmData, SynthesisState, TTSAudioEvent, TTSClosed, TTSSynthesisStartEvent
from tests.unit.tts.fakes import Ear, Endless, Plain, Silent, tone


class Stubborn(TTS):
    """Ignores its cancellation for as long as it is not let go, and then goes on giving sound."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = asyncio.Event()
        self.let = asyncio.Event()
        self.gone = asyncio.Event()

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
        try:
            yield tone(0.1)
            while not self.let.is_set():
                self.stuck.set()
                try:
                    await self.let.wait()
                except asyncio.CancelledError:
                    continue
            yield tone(0.1)
        finally:
            self.gone.set()

    async def stop_audio(self) -> None:
        pass


async def test_a_stop_in_the_middle_ends_send_and_closes_the_provider() -> None:
    tts = Endless()
    ear = Ear(tts)
    heard_at_stop = 0

    @tts.events.subscribe
    async def stops_at_the_third(event: TTSAudioEvent) -> None:
        nonlocal heard_at_stop
        if event.chunk_index == 2:
            heard_at_stop = len(ear.audio)
            await tts.stop_audio()

    await tts.send("hello")
    assert len(ear.audio) == heard_at_stop == 3
    assert ear.kinds[-1] == "synthesis_complete"
    assert ear.complete.interrupted
    assert (tts.open, tts.closed) == (0, 1)
    assert len(asyncio.all_tasks()) == 1


async def test_what_was_made_ahead_is_dropped() -> None:
    tts = Endless()
    async with tts.synthesize("hello") as synthesis:
        await anext(synthesis)
        for _ in range(50):
            await asyncio.sleep(0)
        assert tts.given > 10
        await tts.stop_audio()
        assert [chunk async for chunk in synthesis] == []
    assert synthesis.state is SynthesisState.INTERRUPTED


async def test_a_stop_before_the_first_sound_ends_the_wait_for_it() -> None:
    tts = Silent()
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send("hello"))
    await tts.begun.wait()
    await tts.stop_audio()
    await sending
    assert ear.kinds == ["synthesis_start", "synthesis_complete"]
    assert ear.complete.interrupted
    assert ear.complete.first_audio_ms is None


async def test_a_stop_reaches_texts_that_wait_and_not_those_that_come_later() -> None:
    tts = Silent()
    ear = Ear(tts)
    waiting = [asyncio.create_task(tts.send(text)) for text in ("one", "two")]
    pulled = tts.synthesize("three")
    await tts.begun.wait()
    await tts.stop_audio()
    await asyncio.gather(*waiting)
    assert [chunk async for chunk in pulled] == []
    assert pulled.state is SynthesisState.INTERRUPTED
    assert ear.audio == []
    tts.let.set()
    await tts.send("four")
    assert {event.text_source for event in ear.audio} == {"four"}


async def test_a_provider_that_ignores_the_stop_is_heard_no_more_and_keeps_nobody_waiting() -> None:
    tts = Stubborn()
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send("one"))
    await tts.stuck.wait()
    await tts.stop_audio()
    await sending
    assert not tts.gone.is_set()
    assert len(tts._jobs._readers) == 1  # still owned

    tts.let.set()
    await tts.send("two")
    await tts.gone.wait()
    await tts.close()
    assert not tts._jobs._readers
    assert {event.text_source for event in ear.audio} == {"one", "two"}
    assert [event.chunk_index for event in ear.audio if event.text_source == "one"] == [0]


async def test_a_send_cancelled_while_it_waits_for_the_provider_to_let_go_still_emits_its_end() -> None:
    tts = Stubborn()
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send("one"))
    await tts.stuck.wait()
    stopping = asyncio.create_task(tts.stop_audio())
    for _ in range(5):
        await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert ear.kinds == ["synthesis_start", "audio", "synthesis_complete"]
    tts.let.set()
    await stopping
    await tts.gone.wait()


async def test_a_blocking_iterator_is_closed_after_a_stop() -> None:
    begun, go, closed = threading.Event(), threading.Event(), threading.Event()

    def blocking(text: str) -> Iterator[PcmData]:
        try:
            begun.set()
            assert go.wait(10)
            yield tone(0.1)
            raise AssertionError("asked for more after the stop")
        finally:
            closed.set()

    tts = Plain(blocking)
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send("hello"))
    assert await asyncio.to_thread(begun.wait, 10)
    await tts.stop_audio()
    await sending
    assert ear.complete.interrupted
    go.set()
    assert await asyncio.to_thread(closed.wait, 10)
    assert ear.audio == []


async def test_the_subclass_is_stopped_too_after_the_sound_has_ended() -> None:
    order = []

    class Stopped(Endless):
        async def stop_audio(self) -> None:
            order.append(("stop", self.open))
            await super().stop_audio()

    tts = Stopped()
    async with tts.synthesize("hello") as synthesis:
        await anext(synthesis)
        await tts.stop_audio()
    assert order == [("stop", 0)]


async def test_a_subclass_whose_stop_fails_has_stopped_all_the_same() -> None:
    class Fails(Endless):
        async def stop_audio(self) -> None:
            raise ConnectionError("the service does not answer")

    tts = Fails()
    async with tts.synthesize("hello") as synthesis:
        await anext(synthesis)
        with pytest.raises(ConnectionError):
            await tts.stop_audio()
        assert [chunk async for chunk in synthesis] == []


async def test_a_class_without_a_stop_of_its_own_stops() -> None:
    class Undefined(TTS):
        async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
            while True:
                yield tone(0.1)

    tts = Undefined()  # type: ignore[abstract]
    async with tts.synthesize("hello") as synthesis:
        await anext(synthesis)
        await tts.stop_audio()
        assert [chunk async for chunk in synthesis] == []


async def test_stopping_when_nothing_is_spoken_does_nothing() -> None:
    tts = Plain(lambda _: tone(0.1))
    await tts.stop_audio()
    ear = Ear(tts)
    await tts.send("hello")
    assert ear.frames == 1_600
    assert tts.stops == 1


async def test_a_stop_during_the_start_event_opens_no_stream() -> None:
    tts = Endless()
    ear = Ear(tts)

    @tts.events.subscribe
    async def on_start(event: TTSSynthesisStartEvent) -> None:
        await tts.stop_audio()

    await tts.send("hello")
    assert ear.kinds == ["synthesis_start", "synthesis_complete"]
    assert tts.given == 0


async def test_close_ends_what_is_spoken_and_refuses_what_comes() -> None:
    tts = Endless()
    ear = Ear(tts)
    synthesis = tts.synthesize("hello")
    await anext(synthesis)
    await tts.close()
    await tts.close()
    assert [chunk async for chunk in synthesis] == []
    assert (tts.open, tts.closed) == (0, 1)
    assert not tts._jobs._readers
    with pytest.raises(TTSClosed, match="was closed"):
        await tts.send("again")
    assert ear.error.error_code == "tts-closed"


async def test_close_reaches_the_base_class_though_the_subclass_does_not_call_it() -> None:
    released = []

    class Closes(Endless):
        async def close(self) -> None:
            released.append(self.open)

    async with Closes() as tts, tts.synthesize("hello") as synthesis:
        await anext(synthesis)
    assert released == [0]
