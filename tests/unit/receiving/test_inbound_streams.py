"""Streams in turn: what a player that is not our avatar, such as a relay, takes from them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mouthpiece.errors import QueueFull
from mouthpiece.receiving.inbound_streams import InboundStream, StreamQueue, StreamState
from mouthpiece.wire import StreamHeader

MONO, STEREO = StreamHeader(16_000, 1), StreamHeader(16_000, 2)


@pytest.fixture
def queue() -> StreamQueue[InboundStream]:
    return StreamQueue(InboundStream)


def taken(stream: InboundStream, seconds: float = 0.1) -> np.ndarray:
    blocks = []
    while (block := stream.take_block(seconds)) is not None:
        assert block.sample_rate == stream.header.sample_rate
        assert block.duration <= seconds
        blocks.append(block.samples)
    return np.concatenate([np.zeros(0, np.int16), *blocks])


def ramp(samples: int) -> np.ndarray:
    return np.arange(samples, dtype=np.int16)


def test_the_first_that_came_is_first_until_it_is_removed(queue: StreamQueue[InboundStream]) -> None:
    one, other = queue.open("a", MONO), queue.open("b", MONO)
    queue.push(other, ramp(160).tobytes())
    assert queue.first is one
    queue.end(one)
    assert queue.first is one, "the player has not said that it is through with it"
    queue.remove(one)
    assert queue.first is other
    assert list(queue) == [other]


@given(cuts=st.lists(st.integers(0, 2_000), max_size=8))
def test_sound_comes_out_as_it_went_in_however_it_was_cut(cuts: list[int]) -> None:
    stream, data = InboundStream("a", MONO), ramp(1_000).tobytes()
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        stream.push(data[start:end])
    assert stream.backlog == pytest.approx(1_000 / 16_000)
    assert taken(stream, 0.01).tobytes() == data
    assert stream.backlog == 0


def test_two_channels_become_one() -> None:
    stream = InboundStream("a", STEREO)
    stream.push(np.array([[100, 300], [-4, 4]], "<i2").tobytes())
    stream.end()
    assert taken(stream).tolist() == [200, 0]


def test_half_a_frame_waits_and_is_dropped_at_the_end() -> None:
    stream = InboundStream("a", STEREO)
    stream.push(b"\1\0\1")
    assert stream.take_block(1) is None
    stream.push(b"\0" + b"\5\0")
    stream.end()
    assert taken(stream).tolist() == [1]


def test_a_clear_interrupts_the_callers_streams_alone(queue: StreamQueue[InboundStream]) -> None:
    mine, theirs = queue.open("a", MONO), queue.open("b", MONO)
    for stream in (mine, theirs):
        queue.push(stream, ramp(160).tobytes())
    assert queue.clear("a")
    assert not queue.clear("a"), "there was nothing left to interrupt"
    queue.push(mine, ramp(160).tobytes())
    queue.end(mine)
    assert (mine.state, len(taken(mine))) == (StreamState.CLEARED, 0)
    assert (theirs.state, len(taken(theirs))) == (StreamState.OPEN, 160)


def test_what_has_been_reported_is_not_interrupted(queue: StreamQueue[InboundStream]) -> None:
    stream = queue.open("a", MONO)
    stream.close()
    assert not queue.abort(stream)
    assert stream.state is StreamState.OVER


def test_half_an_hour_may_wait_in_all(queue: StreamQueue[InboundStream]) -> None:
    slow = StreamHeader(4_000, 1)
    one, other = queue.open("a", slow), queue.open("b", slow)
    queue.push(one, bytes(2 * 4_000 * 60 * 20))
    with pytest.raises(QueueFull, match="half an hour"):
        queue.push(other, bytes(2 * 4_000 * 60 * 11))
    assert other.backlog == 0
    queue.abort(one)
    queue.push(one, bytes(2 * 4_000 * 60 * 31))
    queue.push(other, bytes(2 * 4_000 * 60 * 11))
    assert queue.backlog == pytest.approx(11 * 60)


@pytest.mark.parametrize("header", [StreamHeader(3_999, 1), StreamHeader(192_001, 1), StreamHeader(16_000, 3)])
def test_what_cannot_be_played_is_refused(queue: StreamQueue[InboundStream], header: StreamHeader) -> None:
    with pytest.raises(ValueError, match="must"):
        queue.open("a", header)
    assert queue.first is None
