from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import NotAudio
from mouthpiece.segments import Problem
from mouthpiece_sender.playout import attempt_stream
from mouthpiece_sender.playout.attempt_stream import AttemptStream, NotOpened, Progress, SourceFailed, WriteFailed
from tests.sounds import Tone
from tests.unit.sender.attempt_streams import ATTEMPT, Events, FakeWriter, Slow, stream


async def test_it_writes_as_far_as_it_is_granted_then_all_and_closes() -> None:
    writer, events, tone = FakeWriter(), Events(), Tone(1.05)
    async with asyncio.TaskGroup() as group:
        running = stream(writer, tone, events)
        running.grant(0.5)
        running.start(group)
        await events.arrived(2)
        assert len(writer.data) == 2 * 16_000 // 2
        running.grant(2.0)
    assert writer.data == tone.samples.tobytes()
    assert writer.closed == 1
    assert events[-1] == Progress(ATTEMPT, 1.05, whole=True)


async def test_stopped_in_the_middle_it_closes_its_stream() -> None:
    writer, events = FakeWriter(), Events()
    async with asyncio.TaskGroup() as group:
        running = stream(writer, Tone(10), events)
        running.grant(0.5)
        running.start(group)
        await events.arrived()
        await running.stop()
        assert writer.closed == 1
    assert not any(isinstance(event, Progress) and event.whole for event in events)


async def test_cancelled_from_outside_it_closes_its_stream() -> None:
    writer, events = FakeWriter(), Events()
    group_task = asyncio.create_task(_run_for_ever(stream(writer, Tone(10), events)))
    await events.arrived()
    group_task.cancel()
    await asyncio.wait([group_task])
    assert writer.closed == 1


async def _run_for_ever(running: AttemptStream) -> None:
    async with asyncio.TaskGroup() as group:
        running.grant(0.5)
        running.start(group)
        await asyncio.Event().wait()


async def test_a_sound_that_breaks_is_reported_and_the_stream_is_closed() -> None:
    class Broken(Tone):
        @asynccontextmanager
        async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
            async def blocks() -> AsyncIterator[Pcm]:
                yield Pcm(np.zeros(1600, dtype=np.int16), 16_000)
                raise NotAudio("It is broken.")

            yield blocks()

    writer, events = FakeWriter(), Events()
    async with asyncio.TaskGroup() as group:
        running = stream(writer, Broken(1), events)
        running.grant(2.0)
        running.start(group)
    assert isinstance(events[-1], SourceFailed)
    assert events[-1].problem.type == "not-audio"
    assert writer.closed == 1


async def test_a_connection_that_breaks_is_reported() -> None:
    writer, events = FakeWriter(error=RuntimeError("gone")), Events()
    async with asyncio.TaskGroup() as group:
        running = stream(writer, Tone(1), events)
        running.grant(2.0)
        running.start(group)
    assert isinstance(events[-1], WriteFailed)
    assert writer.closed == 1


async def test_a_stream_that_does_not_open_is_reported() -> None:
    async def refuse() -> FakeWriter:
        raise RuntimeError("no")

    events = Events()
    async with asyncio.TaskGroup() as group:
        stream(FakeWriter(), Tone(1), events, open_stream=refuse).start(group)
    assert [type(event) for event in events] == [NotOpened]


async def test_it_opens_once_the_previous_stream_is_closed() -> None:
    first, second = FakeWriter(), FakeWriter()
    events = Events()
    async with asyncio.TaskGroup() as group:
        one = stream(first, Tone(10), events)
        one.grant(0.5)
        one.start(group)
        two = stream(second, Tone(0.1), events, previous=one)
        two.grant(1.0)
        two.start(group)
        await events.arrived()
        assert second.data == b""
        await one.stop()
    assert second.closed == 1


async def test_a_slow_source_does_not_hold_up_a_stop() -> None:
    writer, events, slow = FakeWriter(), Events(), Slow()
    async with asyncio.TaskGroup() as group:
        running = stream(writer, slow, events)
        running.grant(2.0)
        running.start(group)
        await asyncio.sleep(0)
        async with asyncio.timeout(attempt_stream.STOP_TIMEOUT / 2):
            await running.stop()
    assert (writer.closed, slow.left) == (1, True)


async def test_what_is_held_back_for_a_chunk_is_sent_when_nothing_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_stream, "PAUSE", 0.01)
    writer, events, slow = FakeWriter(), Events(), Slow()
    async with asyncio.TaskGroup() as group:
        running = stream(writer, slow, events)
        running.grant(30.0)
        running.start(group)
        await events.arrived(2)
        assert np.frombuffer(writer.data, np.int16).tolist() == [1] * 2400
        await events.arrived(4)  # silence keeps the stream alive
        assert not np.frombuffer(writer.data, np.int16)[2400:].any()
        slow.on.set()
    said = np.frombuffer(writer.data, np.int16)
    assert said[said > 0].tolist() == [1] * 2400 + [2] * 1600
    assert events[-1] == Progress(ATTEMPT, len(said) / 16_000, whole=True)


async def test_on_pause_is_called_once_a_pause_and_no_silence_is_sent_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempt_stream, "PAUSE", 0.01)
    writer, events, slow, rests = FakeWriter(), Events(), Slow(), [0]
    rested = asyncio.Event()

    async def on_pause() -> None:
        rests.append(len(writer.data))
        rested.set()

    async with asyncio.TaskGroup() as group:
        running = stream(writer, slow, events, on_pause=on_pause)
        running.grant(30.0)
        running.start(group)
        await rested.wait()
        await asyncio.sleep(10 * attempt_stream.KEEP_ALIVE * attempt_stream.PAUSE)
        slow.on.set()
    assert rests == [0, 4800]
    assert np.frombuffer(writer.data, np.int16).tolist() == [1] * 2400 + [2] * 1600


async def test_an_on_pause_that_fails_is_reported_as_a_failed_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_stream, "PAUSE", 0.01)
    away = Problem("anam-unavailable", "Gone.", True)
    writer, events = FakeWriter(), Events()

    async def on_pause() -> None:
        raise ConnectionResetError

    async with asyncio.TaskGroup() as group:
        running = stream(writer, Slow(), events, on_pause=on_pause, unavailable=away)
        running.grant(30.0)
        running.start(group)
    assert (events[-1], writer.closed) == (WriteFailed(ATTEMPT, away), 1)


async def test_a_cancelled_stream_waits_for_a_close_that_has_begun() -> None:
    class Lingering(FakeWriter):
        def __init__(self) -> None:
            super().__init__()
            self.closing, self.may_close = asyncio.Event(), asyncio.Event()

        async def aclose(self) -> None:
            self.closing.set()
            await self.may_close.wait()
            await super().aclose()

    writer, events = Lingering(), Events()
    group_task = asyncio.create_task(_run_for_ever(stream(writer, Tone(0.3), events)))
    await writer.closing.wait()
    group_task.cancel()
    await asyncio.sleep(0.01)
    assert not group_task.done()
    writer.may_close.set()
    await asyncio.wait([group_task])
    assert writer.closed == 1


async def test_an_unexpected_error_of_the_source_is_reported_as_the_sources() -> None:
    class Unreadable(Tone):
        @asynccontextmanager
        async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
            raise OSError("the disk is gone")
            yield

    async def open_stream() -> FakeWriter:
        raise AssertionError("it was opened")

    events = Events()
    async with asyncio.TaskGroup() as group:
        stream(FakeWriter(), Unreadable(1), events, open_stream=open_stream).start(group)
    assert [type(event) for event in events] == [SourceFailed]


async def test_its_lag_is_how_late_a_block_was_written_after_the_pace_allowed_it() -> None:
    writer, events, now = FakeWriter(), Events(), [0.0]

    async def sent(seconds: float) -> None:
        while not any(isinstance(event, Progress) and event.sent >= seconds for event in events):
            await events.arrived(len(events) + 1)

    async with asyncio.TaskGroup() as group:
        running = stream(writer, Tone(3.0), events, clock=lambda: now[0])
        running.grant(0.5)
        running.start(group)
        now[0] = 10.0  # what is allowed at once waits for the stream and the sound
        await sent(0.5)
        assert running.lag == 0.0
        running.grant(1.0)
        now[0] = 10.25
        await sent(1.0)
        assert running.lag == pytest.approx(0.25)
        running.grant(3.0)
        await sent(3.0)
        assert running.lag == pytest.approx(0.25), "the worst so far"
