"""Handlers get what their first parameter is annotated with."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mouthpiece.tts import EventManager, TTSAudioEvent, TTSErrorEvent, TTSEvent, TTSSynthesisStartEvent, TTSUnavailable
from tests.unit.tts.fakes import tone

IDS: dict[str, Any] = {"session_id": "s", "plugin_name": "p", "synthesis_id": "y"}


def start() -> TTSSynthesisStartEvent:
    return TTSSynthesisStartEvent(text="hello", **IDS)


def audio() -> TTSAudioEvent:
    return TTSAudioEvent(data=tone(0.01), chunk_index=0, is_final_chunk=True, text_source="hello", **IDS)


def error() -> TTSErrorEvent:
    return TTSErrorEvent(error=TTSUnavailable("away"), **IDS)


async def test_a_handler_gets_the_event_of_its_type_and_no_other() -> None:
    events, heard = EventManager(), []

    @events.subscribe
    async def on_audio(event: TTSAudioEvent) -> None:
        heard.append(event)

    sound = audio()
    for event in (start(), sound, error()):
        await events.emit(event)
    assert heard == [sound]


async def test_a_union_gets_each_of_its_events() -> None:
    events, heard = EventManager(), []

    @events.subscribe
    async def on_two(event: TTSSynthesisStartEvent | TTSErrorEvent) -> None:
        heard.append(event.type)

    for event in (start(), audio(), error()):
        await events.emit(event)
    assert heard == ["tts.synthesis_start", "tts.error"]


async def test_the_base_event_gets_all() -> None:
    events, heard = EventManager(), []

    @events.subscribe
    async def on_all(event: TTSEvent) -> None:
        heard.append(event.type)

    for event in (start(), audio(), error()):
        await events.emit(event)
    assert heard == ["tts.synthesis_start", "tts.audio", "tts.error"]


async def test_methods_and_plain_functions_are_handlers_too() -> None:
    events, heard = EventManager(), []

    class Listener:
        async def on_audio(self, event: TTSAudioEvent) -> None:
            heard.append("method")

    def on_audio(event: TTSAudioEvent) -> None:
        heard.append("function")

    events.subscribe(Listener().on_audio)
    events.subscribe(on_audio)
    await events.emit(audio())
    assert heard == ["method", "function"]


async def test_handlers_are_awaited_one_after_the_other_in_the_order_of_subscription() -> None:
    import asyncio

    events, heard = EventManager(), []

    @events.subscribe
    async def slow(event: TTSAudioEvent) -> None:
        heard.append("slow begins")
        await asyncio.sleep(0)
        heard.append("slow ends")

    @events.subscribe
    async def quick(event: TTSAudioEvent) -> None:
        heard.append("quick")

    await events.emit(audio())
    assert heard == ["slow begins", "slow ends", "quick"]


async def test_a_failing_handler_is_reported_without_its_message_and_the_others_are_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events, heard = EventManager(), []

    @events.subscribe
    async def fails(event: TTSAudioEvent) -> None:
        raise RuntimeError(f"could not handle {event.text_source}")

    @events.subscribe
    async def works(event: TTSAudioEvent) -> None:
        heard.append(event)

    with caplog.at_level(logging.ERROR):
        await events.emit(audio())
    assert len(heard) == 1
    assert "a handler of tts.audio failed: RuntimeError at " in caplog.text
    assert "test_event_manager.py" in caplog.text
    assert "hello" not in caplog.text


async def test_an_unsubscribed_handler_hears_no_more() -> None:
    events, heard = EventManager(), []

    async def on_audio(event: TTSAudioEvent) -> None:
        heard.append(event)

    events.subscribe(on_audio)
    events.unsubscribe(on_audio)
    await events.emit(audio())
    assert heard == []
    with pytest.raises(ValueError, match="not subscribed"):
        events.unsubscribe(on_audio)


def test_a_handler_without_an_annotation_is_refused() -> None:
    def nothing(event) -> None:  # type: ignore[no-untyped-def]
        raise AssertionError(event)

    def no_parameter() -> None:
        raise AssertionError

    def wrong(event: int) -> None:
        raise AssertionError(event)

    for handler in (nothing, no_parameter, wrong):
        with pytest.raises(TypeError, match=r"must be annotated with the event that it wants"):
            EventManager().subscribe(handler)  # type: ignore[type-var]


def test_events_show_no_speech_in_their_repr() -> None:
    assert "hello" not in repr(start())
    assert "hello" not in repr(audio())


def test_every_event_has_an_id_of_its_own_and_a_time_in_utc() -> None:
    first, second = start(), start()
    assert first.event_id != second.event_id
    assert first.timestamp.utcoffset() is not None
    assert first.timestamp <= second.timestamp
