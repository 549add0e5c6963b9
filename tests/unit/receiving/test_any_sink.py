"""The receiver with a sink that is not the avatar's: what a relay is built on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mouthpiece import wire
from mouthpiece.receiving.inbound_streams import InboundStream, StreamQueue, StreamState
from mouthpiece.receiving.stream_receiver import StreamReceiver
from tests.unit.receiving.fakes import FakeReader, FakeTasks

HEADER = wire.StreamHeader(16_000, 1, "seg_1").attributes()
SOUND = b"\1\0" * 1_600


class FakeRoom:
    """A room that keeps what is registered with it, and says by its name that it is none."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[[Any, str], None]] = {}
        self.listeners: dict[str, Callable[..., None]] = {}

    def register_byte_stream_handler(self, topic: str, handler: Callable[[Any, str], None]) -> None:
        self.handlers[topic] = handler

    def on(self, event: str, listener: Callable[..., None]) -> None:
        self.listeners[event] = listener


class FakeStream(FakeReader):
    info = SimpleNamespace(attributes=HEADER)


class Relay:
    """A receiver, its queue of streams, and the participants that the room has announced."""

    def __init__(self) -> None:
        self.kinds: dict[str, bool] = {}
        self.queue = StreamQueue(InboundStream)
        self.tasks = FakeTasks()
        self.room = FakeRoom()
        self.receiver = StreamReceiver(self.queue, is_agent=self.kinds.get, spawn=self.tasks.spawn)
        self.receiver.register(self.room)  # type: ignore[arg-type]

    def open(self, sender: str) -> FakeStream:
        stream = FakeStream()
        self.room.handlers[wire.AUDIO_STREAM_TOPIC](stream, sender)
        return stream

    def announce(self, sender: str, *, agent: bool) -> None:
        self.kinds[sender] = agent
        self.room.listeners["participant_connected"](SimpleNamespace(identity=sender))


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    made = Relay()
    yield made
    await made.tasks.cancel()


async def test_a_stream_arrives_with_its_sender_its_segment_and_its_own_rate(relay: Relay) -> None:
    stream = relay.open("sender")
    stream.write(SOUND)
    await relay.tasks.settle()
    assert relay.queue.first is None
    relay.announce("sender", agent=True)
    stream.end()
    await relay.tasks.done()
    taken = relay.queue.first
    assert taken is not None
    assert (taken.sender, taken.header.segment, taken.state) == ("sender", "seg_1", StreamState.ENDED)
    block = taken.take_block(1.0)
    assert block is not None
    assert (block.sample_rate, block.to_bytes()) == (16_000, SOUND)


async def test_streams_of_two_senders_wait_in_order_of_admission(relay: Relay) -> None:
    relay.announce("one", agent=True)
    relay.announce("two", agent=True)
    streams = [relay.open(sender) for sender in ("two", "one", "two")]
    assert [stream.sender for stream in relay.queue] == ["two", "one", "two"]
    for stream in streams:
        stream.end()
    await relay.tasks.done()


async def test_a_clear_interrupts_what_is_queued(relay: Relay) -> None:
    relay.announce("sender", agent=True)
    stream = relay.open("sender")
    stream.write(SOUND)
    await relay.tasks.settle()
    relay.receiver.clear("sender")
    stream.write(SOUND)
    stream.end()
    await relay.tasks.done()
    [queued] = relay.queue
    assert (queued.state, queued.backlog) == (StreamState.CLEARED, 0)


async def test_leaving_the_room_ends_what_was_open(relay: Relay) -> None:
    relay.announce("sender", agent=True)
    stream = relay.open("sender")
    await relay.tasks.settle()
    await relay.tasks.cancel()
    assert stream.closed
    [queued] = relay.queue
    assert queued.state is StreamState.ENDED
