"""What is taken back and said again when LiveKit takes no sound, and when ends are reported."""

from __future__ import annotations

import numpy as np
import pytest

from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.playout import SETTLE_WITHIN, Finished, PlayoutQueue, Started
from mouthpiece_avatar.playout_stream import RATE, PlayoutStream
from tests.unit.avatar.simulated_source import SimulatedSource
from tests.unit.avatar.test_playout import MONO, ramp, speech


@pytest.fixture
def playout() -> PlayoutQueue:
    return PlayoutQueue(acknowledged=True)


@pytest.fixture
def source(playout: PlayoutQueue) -> SimulatedSource:
    source = SimulatedSource(playout)
    source.run(0.5)
    return source


def test_an_end_is_reported_once_it_was_acknowledged(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(9_600))
    playout.end(stream)
    start = source.now
    source.run(0.5)
    assert source.events == [Started(stream)]
    assert playout.end_waits
    playout.acknowledge(start + 0.1)
    source.run(0.01)
    assert source.events == [Started(stream)]
    assert playout.streams("a") == [stream], "its sender would take it for one that never arrived"
    playout.acknowledge(source.now)
    assert not playout.end_waits
    assert playout.streams("a") == [stream]
    source.run(0.01)
    assert playout.streams("a") == []
    assert source.events[1:] == [Finished(stream, interrupted=False)]
    assert not playout.unheard


def test_the_next_one_is_spoken_without_a_gap_and_its_start_is_reported_at_once(
    playout: PlayoutQueue, source: SimulatedSource
) -> None:
    first, second = playout.open("a", MONO), playout.open("a", MONO)
    for stream in (first, second):
        playout.push(stream, ramp(9_600))
        playout.end(stream)
    source.run(1.0)
    assert speech(source).tobytes() == ramp(9_600) * 2
    assert source.events == [Started(first), Started(second)]
    playout.acknowledge(source.now)
    source.run(0.01)
    assert source.events[2:] == [Finished(first, False), Finished(second, False)]


def test_while_it_is_held_nothing_leaves_and_what_was_not_acknowledged_does_not_count(
    playout: PlayoutQueue, source: SimulatedSource
) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(96_000))
    start = source.now
    source.run(1.0)
    playout.acknowledge(start + 0.4)
    playout.hold(source.now)
    before = len(speech(source))
    source.run(3.0)
    assert len(speech(source)) == before
    assert stream.position == pytest.approx(0.4, abs=0.03)
    assert playout.unheard
    assert playout.speaking


def held(playout: PlayoutQueue, source: SimulatedSource) -> tuple[PlayoutStream, int]:
    """A stream of 2 s that is held after 1 s, of which 0.4 s were acknowledged, and how many samples have left."""
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(96_000))
    playout.end(stream)
    start = source.now
    source.run(1.0)
    playout.acknowledge(start + 0.4)
    playout.hold(source.now)
    source.run(1.0)
    return stream, len(speech(source))


def test_it_goes_on_from_what_was_acknowledged(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream, heard = held(playout, source)
    acknowledged = stream.left
    assert playout.resume(None) == pytest.approx((heard - acknowledged) / RATE, abs=0.002)
    source.run(4.0)
    assert speech(source)[heard:].tobytes() == ramp(96_000)[2 * acknowledged :]
    playout.acknowledge(source.now)
    source.run(0.01)
    assert source.events == [Started(stream), Finished(stream, interrupted=False)]
    assert stream.position == 2.0


def test_only_what_was_lost_is_said_again(playout: PlayoutQueue, source: SimulatedSource) -> None:
    _, heard = held(playout, source)
    assert playout.resume(0.2) == pytest.approx(0.2, abs=0.02)
    source.run(4.0)
    assert len(speech(source)) == pytest.approx(96_000 + 0.2 * RATE, abs=0.02 * RATE)
    again = speech(source)[heard:]
    assert again.tobytes() == ramp(96_000)[-2 * len(again) :]


def test_an_end_that_was_not_acknowledged_is_none(playout: PlayoutQueue, source: SimulatedSource) -> None:
    first, second = playout.open("a", MONO), playout.open("a", MONO)
    for stream in (first, second):
        playout.push(stream, ramp(9_600))
        playout.end(stream)
    source.run(0.3)  # the first has left whole, half of the second too
    playout.hold(source.now)
    source.run(1.0)
    assert [stream.position for stream in playout.streams("a")] == [0.0, 0.0]
    assert source.events == [Started(first), Started(second)]
    heard = len(speech(source))
    playout.resume(None)
    source.run(1.0)
    assert speech(source)[heard:].tobytes() == ramp(9_600) * 2
    playout.acknowledge(source.now)
    source.run(0.01)
    assert source.events == [Started(first), Started(second), Finished(first, False), Finished(second, False)]


def test_an_end_that_turns_out_to_have_arrived_is_reported(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(9_600))
    playout.end(stream)
    source.run(0.3)
    playout.hold(source.now)
    source.run(1.0)
    assert playout.resume(0.0) == 0
    source.run(0.1)
    assert source.events == [Started(stream), Finished(stream, interrupted=False)]
    assert stream.position == 0.2


class Cleared:
    """A stream of 2 s that was held after 1 s, of which 0.4 s were acknowledged, and cleared; another one waits."""

    def __init__(self, playout: PlayoutQueue, source: SimulatedSource) -> None:
        self.stream, self.other = playout.open("a", MONO), playout.open("b", MONO)
        playout.push(self.stream, ramp(96_000))
        playout.push(self.other, ramp(4_800, start=9_000))
        playout.end(self.other)
        start = source.now
        source.run(1.0)
        playout.acknowledge(start + 0.4)
        playout.hold(source.now)
        source.run(0.5)
        playout.clear("a")
        source.run(0.5)
        self.heard = len(speech(source))


@pytest.fixture
def cleared(playout: PlayoutQueue, source: SimulatedSource) -> Cleared:
    return Cleared(playout, source)


@pytest.mark.parametrize(("lost", "heard"), [(None, 0.4), (0.25, 0.75), (0.0, 1.0)])
def test_a_clear_while_it_is_held_waits_for_the_resume_to_say_how_much_was_heard(
    playout: PlayoutQueue, source: SimulatedSource, cleared: Cleared, lost: float | None, heard: float
) -> None:
    assert source.events == [Started(cleared.stream)]
    assert playout.resume(lost) == 0
    source.run(1.0)
    assert source.events[:2] == [Started(cleared.stream), Finished(cleared.stream, interrupted=True)]
    assert cleared.stream.position == pytest.approx(heard, abs=0.03)
    assert speech(source)[cleared.heard :].tobytes() == ramp(4_800, start=9_000)


def test_a_clear_does_not_wait_for_longer_than_senders_do(
    playout: PlayoutQueue, source: SimulatedSource, cleared: Cleared
) -> None:
    playout.hold(source.now)  # LiveKit went away again
    source.run(SETTLE_WITHIN - 0.51)
    assert source.events == [Started(cleared.stream)]
    source.run(0.02)
    assert source.events == [Started(cleared.stream), Finished(cleared.stream, interrupted=True)]
    assert cleared.stream.position == pytest.approx(0.4, abs=0.03)
    playout.resume(0.0)
    source.run(1.0)
    assert cleared.stream.position == pytest.approx(0.4, abs=0.03)
    assert speech(source)[cleared.heard :].tobytes() == ramp(4_800, start=9_000)


def test_what_comes_after_a_clear_that_waits_is_spoken_after_the_resume(
    playout: PlayoutQueue, source: SimulatedSource, cleared: Cleared
) -> None:
    after = playout.open("a", MONO)
    playout.push(after, ramp(4_800, start=20_000))
    playout.end(after)
    source.run(0.5)
    assert playout.streams("a") == [cleared.stream, after]
    playout.resume(0.0)
    source.run(1.0)
    playout.acknowledge(source.now)
    source.run(0.01)
    assert speech(source)[cleared.heard :].tobytes() == ramp(4_800, start=9_000) + ramp(4_800, start=20_000)
    ends = [(event.stream, event.interrupted) for event in source.events if isinstance(event, Finished)]
    assert ends == [(cleared.stream, True), (cleared.other, False), (after, False)]


def test_a_second_clear_waits_no_longer_than_the_first(
    playout: PlayoutQueue, source: SimulatedSource, cleared: Cleared
) -> None:
    after = playout.open("a", MONO)
    playout.push(after, ramp(4_800))
    source.run(0.5)
    playout.clear("a")
    source.run(SETTLE_WITHIN - 0.99)
    assert source.events[1:] == [Finished(cleared.stream, interrupted=True), Finished(after, interrupted=True)]


def test_a_stream_that_was_over_before_the_clear_was_not_interrupted(
    playout: PlayoutQueue, source: SimulatedSource
) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(9_600))
    playout.end(stream)
    source.run(0.3)
    playout.hold(source.now)
    source.run(0.3)
    playout.clear("a")
    source.run(0.3)
    playout.resume(0.0)
    source.run(0.1)
    assert source.events == [Started(stream), Finished(stream, interrupted=False)]
    assert stream.position == 0.2


def test_a_clear_of_what_has_not_begun_is_settled_at_once(playout: PlayoutQueue, source: SimulatedSource) -> None:
    first, waiting = playout.open("a", MONO), playout.open("b", MONO)
    playout.push(first, ramp(96_000))
    playout.push(waiting, ramp(4_800))
    source.run(0.5)
    playout.hold(source.now)
    source.run(0.3)
    playout.clear("b")
    assert playout.unheard
    source.run(0.01)
    assert source.events == [Started(first), Finished(waiting, interrupted=True)]


def test_a_clear_while_livekit_is_there_reports_what_has_left(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(96_000))
    source.run(0.5)
    playout.clear("a")
    source.run(0.1)
    assert source.events[-1] == Finished(stream, interrupted=True)
    assert stream.position == pytest.approx(0.5, abs=0.01)


def test_what_comes_while_it_is_held_waits(playout: PlayoutQueue, source: SimulatedSource) -> None:
    playout.hold(source.now)
    stream = playout.open("a", StreamHeader(16_000, 1))
    playout.push(stream, bytes(2) + b"\1\1" * 1_600)
    playout.end(stream)
    source.run(1.0)
    assert not speech(source).size
    assert playout.unheard
    playout.resume(None)
    source.run(1.0)
    assert speech(source).size


def test_a_second_hold_takes_back_what_was_said_again(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(48_000))
    playout.end(stream)
    for _ in range(3):
        source.run(0.3)
        playout.hold(source.now)
        source.run(0.5)
        playout.hold(source.now)
        assert stream.position == 0
        heard = len(speech(source))
        playout.resume(None)
    source.run(2.0)
    assert speech(source)[heard:].tobytes() == ramp(48_000)
    playout.acknowledge(source.now)
    source.run(0.01)
    assert source.events == [Started(stream), Finished(stream, interrupted=False)]


def test_going_on_without_having_been_held_changes_nothing(playout: PlayoutQueue, source: SimulatedSource) -> None:
    stream = playout.open("a", MONO)
    playout.push(stream, ramp(9_600))
    source.run(0.1)
    assert playout.resume(None) == 0
    source.run(0.2)
    assert np.array_equal(speech(source), np.frombuffer(ramp(9_600), "<i2"))
