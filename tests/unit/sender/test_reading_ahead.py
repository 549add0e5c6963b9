"""When the stream of an attempt opens its sound, and when it lets go of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np

from mouthpiece.audio.pcm import Pcm
from mouthpiece_sender.playout import attempt_stream
from mouthpiece_sender.playout.attempt_stream import NotOpened, Progress
from mouthpiece_sender.playout.write_buffer import GATHERED
from tests.sounds import Tone
from tests.unit.sender.attempt_streams import ATTEMPT, Events, FakeWriter, Slow, stream


async def test_its_sound_is_read_before_its_beginning_is_stored_and_its_stream_opens_after() -> None:
    steps: list[str] = []
    read, stored = asyncio.Event(), asyncio.Event()

    class Noted(Tone):
        @asynccontextmanager
        async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
            async def blocks() -> AsyncIterator[Pcm]:
                steps.append("read")
                read.set()
                yield Pcm(np.ones(1600, dtype=np.int16), 16_000)

            yield blocks()

    async def begun() -> None:
        await stored.wait()
        steps.append("stored")

    async def open_stream() -> FakeWriter:
        steps.append("opened")
        return writer

    writer, events = FakeWriter(), Events()
    async with asyncio.TaskGroup() as group:
        running = stream(writer, Noted(0.1), events, begun=begun, open_stream=open_stream)
        running.grant(2.0)
        running.start(group)
        await read.wait()
        stored.set()
    assert steps == ["read", "stored", "opened"]
    assert writer.data == np.ones(1600, dtype=np.int16).tobytes()


async def test_stopped_before_its_beginning_is_stored_it_opens_no_stream_and_lets_go_of_its_sound() -> None:
    closed: list[str] = []

    class Noted(Tone):
        @asynccontextmanager
        async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
            async def blocks() -> AsyncIterator[Pcm]:
                try:
                    await asyncio.Event().wait()
                    yield Pcm(np.ones(1600, dtype=np.int16), 16_000)
                finally:
                    closed.append("blocks")

            try:
                yield blocks()
            finally:
                closed.append("sound")

    async def begun() -> None:
        await asyncio.Event().wait()

    async def open_stream() -> FakeWriter:
        raise AssertionError("it was opened")

    events = Events()
    async with asyncio.TaskGroup() as group:
        running = stream(FakeWriter(), Noted(0.1), events, begun=begun, open_stream=open_stream)
        running.start(group)
        await asyncio.sleep(0.01)
        await running.stop()
    assert (events, closed) == ([], ["blocks", "sound"])


class ComesIn(Tone):
    """A sound whose end is not known; ``opened`` counts how often it was opened."""

    opened = 0

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.info = replace(self.info, duration=None)

    @asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        self.opened += 1
        async with super().open(offset) as blocks:
            yield blocks


async def test_what_still_comes_in_is_not_opened_before_the_stream_and_gathers_its_beginning() -> None:
    async def refuse() -> FakeWriter:
        raise RuntimeError("closed")

    events, sound, writer = Events(), ComesIn(0.5), FakeWriter()
    async with asyncio.TaskGroup() as group:
        stream(writer, sound, events, open_stream=refuse).start(group)
    assert [type(event) for event in events] == [NotOpened]
    assert sound.opened == 0, "a text would have lost the sentence that was made of it"
    async with asyncio.TaskGroup() as group:
        running = stream(writer, sound, events)
        running.grant(0.3)
        running.start(group)
        await events.arrived(2)
        await running.stop()
    assert events[1] == Progress(ATTEMPT, GATHERED)


async def test_a_stop_during_a_write_does_not_wait_for_a_slow_source() -> None:
    class Held(FakeWriter):
        def __init__(self) -> None:
            super().__init__()
            self.writing, self.may_write = asyncio.Event(), asyncio.Event()

        async def write(self, data: bytes) -> None:
            self.writing.set()
            await self.may_write.wait()
            await super().write(data)

    writer, slow = Held(), Slow(1600)
    async with asyncio.TaskGroup() as group:
        running = stream(writer, slow, Events())
        running.grant(2.0)
        running.start(group)
        await writer.writing.wait()
        stopping = asyncio.create_task(running.stop())
        await asyncio.sleep(0)
        writer.may_write.set()
        async with asyncio.timeout(attempt_stream.STOP_TIMEOUT / 2):
            await stopping
    assert (writer.closed, slow.left) == (1, True)


async def test_its_end_is_reported_before_the_sound_is_let_go_of() -> None:
    """A receiver may report the end of a short sound while a busy machine still closes its file."""
    steps: list[str] = []

    class Noted(Tone):
        @asynccontextmanager
        async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
            async with super().open(offset) as blocks:
                yield blocks
            steps.append("left")

    running = stream(FakeWriter(), Noted(0.05), Events())
    running.listener = lambda event: steps.append(type(event).__name__)
    running.grant(1.0)
    async with asyncio.TaskGroup() as group:
        running.start(group)
    assert steps == ["Progress", "Progress", "left"]
