"""Who speaks, what leaves the source, and what is reported about it."""

from __future__ import annotations

import numpy as np
import pytest

from mouthpiece.errors import QueueFull
from mouthpiece.receiving.inbound_streams import MAX_BACKLOG
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.playout import Finished, PlayoutQueue, Started
from mouthpiece_avatar.playout_stream import RATE
from tests.unit.avatar.simulated_source import SimulatedSource

MONO = StreamHeader(RATE, 1)


def ramp(samples: int, start: int = 1) -> bytes:
    """Sound in which every sample differs from its neighbours and none is silence."""
    return (start + np.arange(samples) % 20_000).astype("<i2").tobytes()


def speech(source: SimulatedSource) -> np.ndarray:
    sound: np.ndarray = source.sound()
    spoken: np.ndarray = sound[sound != 0]
    return spoken


@pytest.fixture
def playout() -> PlayoutQueue:
    return PlayoutQueue()


@pytest.fixture
def source(playout: PlayoutQueue) -> SimulatedSource:
    source = SimulatedSource(playout)
    source.run(0.5)  # silence lies in the source, as in a quiet room
    return source


def test_a_stream_is_spoken_whole_and_reported_with_its_length(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(24_000))
    playout.end(stream)
    source.run(1.0)
    assert speech(source).tobytes() == ramp(24_000)
    assert source.events == [Started(stream), Finished(stream, interrupted=False)]
    assert stream.position == 0.5


def test_speech_does_not_wait_behind_queued_silence(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(4_800))
    before = len(source.sound())
    source.run(0.02)
    assert source.sound()[before:].all(), "silence left before the speech"


def test_the_next_stream_follows_without_a_gap(playout: PlayoutQueue, source: SimulatedSource) -> None:
    first, second = playout.open("a", MONO), playout.open("a", MONO)
    playout.push(first, ramp(9_600))
    playout.push(second, ramp(9_600, start=5_000))
    playout.end(first)
    playout.end(second)
    source.run(1.0)
    sound = source.sound()
    start = int(np.flatnonzero(sound)[0])
    assert sound[start : start + 19_200].tobytes() == ramp(9_600) + ramp(9_600, start=5_000)
    assert [type(event) for event in source.events] == [Started, Finished, Started, Finished]


def test_voices_take_turns_in_order_of_arrival(playout: PlayoutQueue, source: SimulatedSource) -> None:
    one, other = playout.open("a", MONO), playout.open("b", MONO)
    playout.push(other, ramp(4_800, start=9_000))
    playout.end(other)
    source.run(0.5)
    assert not speech(source).size, "the second voice spoke before the first had"
    playout.push(one, ramp(4_800))
    playout.end(one)
    source.run(0.5)
    assert speech(source).tobytes() == ramp(4_800) + ramp(4_800, start=9_000)


def test_a_clear_silences_the_caller_at_once(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(96_000))
    source.run(0.4)
    assert playout.clear("a")
    before = len(speech(source))
    source.run(1.0)
    assert len(speech(source)) == before
    assert source.events[-1] == Finished(stream, interrupted=True)
    assert stream.position == pytest.approx(0.4, abs=0.001)
    assert stream.position * RATE == pytest.approx(before, abs=RATE * 0.001)


def test_a_clear_drops_what_the_caller_has_queued_and_reports_in_order(
    playout: PlayoutQueue, source: SimulatedSource
) -> None:
    playing, queued = playout.open("a", MONO), playout.open("a", MONO)
    playout.push(playing, ramp(48_000))
    playout.push(queued, ramp(48_000))
    playout.end(playing)
    playout.end(queued)
    source.run(0.3)
    playout.clear("a")
    source.run(0.1)
    assert source.events[1:] == [Finished(playing, interrupted=True), Finished(queued, interrupted=True)]
    assert queued.position == 0


def test_a_stream_opened_after_the_clear_is_spoken(playout: PlayoutQueue, source: SimulatedSource) -> None:
    playout.push(playout.open("a", MONO), ramp(48_000))
    source.run(0.2)
    playout.clear("a")
    after = playout.open("a", MONO)
    playout.push(after, ramp(4_800, start=15_000))
    playout.end(after)
    source.run(0.5)
    assert speech(source)[-4_800:].tobytes() == ramp(4_800, start=15_000)
    assert source.events[-1] == Finished(after, interrupted=False)


def test_a_clear_leaves_other_voices_alone(playout: PlayoutQueue, source: SimulatedSource) -> None:
    mine, theirs = playout.open("a", MONO), playout.open("b", MONO)
    playout.push(mine, ramp(4_800))
    playout.end(mine)
    playout.push(theirs, ramp(9_600, start=9_000))
    playout.end(theirs)
    source.run(0.07)  # both lie in the source
    playout.clear("b")
    source.run(0.5)
    assert speech(source).tobytes() == ramp(4_800)
    assert source.events[-2:] == [Finished(theirs, interrupted=True), Finished(mine, interrupted=False)] or (
        source.events[-2:] == [Finished(mine, interrupted=False), Finished(theirs, interrupted=True)]
    )
    assert not playout.clear("c")


def test_sound_that_comes_after_the_clear_on_the_same_stream_is_not_spoken(
    playout: PlayoutQueue, source: SimulatedSource
) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(4_800))
    source.run(0.02)
    playout.clear("a")
    source.run(0.02)
    before = len(speech(source))
    playout.push(stream, ramp(4_800))
    playout.end(stream)
    source.run(0.3)
    assert len(speech(source)) == before
    assert sum(isinstance(event, Finished) for event in source.events) == 1


def test_an_empty_stream_is_reported_too(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.end(stream)
    source.run(0.05)
    assert source.events == [Finished(stream, interrupted=False)]
    assert stream.position == 0


def test_a_stream_that_runs_dry_gathers_before_it_goes_on_and_loses_nothing(
    playout: PlayoutQueue, source: SimulatedSource
) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(4_800))
    source.run(0.4)
    playout.push(stream, ramp(480, start=4_801))
    source.run(0.1)
    assert len(speech(source)) == 4_800, "ten milliseconds are too little to go on with"
    playout.push(stream, ramp(4_800, start=5_281))
    playout.end(stream)
    source.run(0.5)
    assert speech(source).tobytes() == ramp(10_080)
    assert stream.position == pytest.approx(0.21)


def test_the_source_never_runs_dry(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(9_600))
    playout.end(stream)
    before, start = len(source.sound()), source.now
    source.run(2.0)
    assert len(source.sound()) - before == pytest.approx((source.now - start) * RATE, abs=2)


def test_other_rates_and_channels_keep_their_length(playout: PlayoutQueue, source: SimulatedSource) -> None:
    for header in (StreamHeader(16_000, 1), StreamHeader(22_050, 2), StreamHeader(44_100, 1), StreamHeader(8_000, 2)):
        stream = playout.open("a", header)
        playout.push(stream, ramp(header.sample_rate * header.num_channels // 2))
        playout.end(stream)
        source.run(1.0)
        assert stream.position == pytest.approx(0.5, abs=1e-4)


def test_more_than_half_an_hour_is_refused_and_what_came_stays(playout: PlayoutQueue) -> None:
    stream = playout.open("a", StreamHeader(4_000, 1))
    minute = bytes(2 * 4_000 * 60)
    for _ in range(30):
        playout.push(stream, minute)
    with pytest.raises(QueueFull, match="half an hour"):
        playout.push(stream, b"\1\0" * 400)
    assert playout.backlog == pytest.approx(MAX_BACKLOG)


@pytest.mark.parametrize("header", [StreamHeader(3_999, 1), StreamHeader(16_000, 7), StreamHeader(1_000_000_000, 1)])
def test_what_cannot_be_played_is_refused(playout: PlayoutQueue, header: StreamHeader) -> None:
    with pytest.raises(ValueError, match="must"):
        playout.open("a", header)


def test_odd_bytes_wait_for_their_other_half(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    data = ramp(4_800)
    for at in range(0, len(data), 7):
        playout.push(stream, data[at : at + 7])
    playout.push(stream, b"\1")  # half a sample, never completed
    playout.end(stream)
    source.run(0.5)
    assert speech(source).tobytes() == data


def test_it_knows_which_sample_is_leaving(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(48_000))
    source.run(0.25)
    assert playout.leaving(source.now) == pytest.approx(len(source.sound()), abs=RATE * 0.002)
    assert playout.next_index >= playout.leaving(source.now)
    assert playout.speaking


def test_it_knows_which_sample_left_a_while_ago(playout: PlayoutQueue, source: SimulatedSource) -> None:
    moments = []
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(48_000))  # from here on speech leaves; the silence behind the first moments was cut
    for _ in range(30):
        moments.append((source.now, playout.leaving(source.now)))
        source.run(0.01)
        delayed = source.now - 0.025
        times, indexes = zip(*moments, strict=True)
        expected = np.interp(delayed, times, indexes)
        if delayed >= moments[0][0]:
            assert playout.leaving(delayed) == pytest.approx(expected, abs=RATE * 0.001)


def test_nothing_had_left_before_the_first_sample(playout: PlayoutQueue) -> None:
    source = SimulatedSource(playout)
    source.run(0.01)
    assert playout.leaving(source.now - 1.0) == 0
