"""The playout in any order of streams, sounds, clears, ends and passing time."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.playout import Finished, PlayoutQueue, Started
from mouthpiece_avatar.playout_stream import RATE, PlayoutStream
from tests.unit.avatar.simulated_source import SimulatedSource

SENDERS = st.sampled_from("abc")


class Streams(RuleBasedStateMachine):
    """Every sample says which stream it is of and where in it, so that what was heard can be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.playout = PlayoutQueue()
        self.source = SimulatedSource(self.playout)
        self.streams: list[PlayoutStream] = []
        self.pushed: dict[int, int] = {}
        self.closed: set[int] = set()
        self.cleared: set[int] = set()

    @rule(sender=SENDERS)
    def open(self, sender: str) -> None:
        if len(self.streams) < 15:
            self.streams.append(self.playout.open(sender, StreamHeader(RATE, 1)))
            self.pushed[len(self.streams) - 1] = 0

    @precondition(lambda self: len(self.closed) < len(self.streams))
    @rule(data=st.data(), blocks=st.integers(1, 20))
    def push(self, data: st.DataObject, blocks: int) -> None:
        which = data.draw(st.sampled_from([i for i in range(len(self.streams)) if i not in self.closed]))
        count = 240 * blocks
        at = self.pushed[which] + np.arange(count)
        samples = 1 + which * 2_000 + at // 240 % 2_000  # stream and, by the block of 5 ms, place
        self.playout.push(self.streams[which], samples.astype("<i2").tobytes())
        if which not in self.cleared:
            self.pushed[which] += count

    @precondition(lambda self: len(self.closed) < len(self.streams))
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        which = data.draw(st.sampled_from([i for i in range(len(self.streams)) if i not in self.closed]))
        self.playout.end(self.streams[which])
        self.closed.add(which)

    @rule(sender=SENDERS)
    def clear(self, sender: str) -> None:
        over = {id(event.stream) for event in self.source.events if isinstance(event, Finished)}
        for which, stream in enumerate(self.streams):
            if stream.sender == sender and id(stream) not in over:
                self.cleared.add(which)
        self.playout.clear(sender)

    @rule(milliseconds=st.integers(1, 400))
    def wait(self, milliseconds: int) -> None:
        self.source.run(milliseconds / 1000)

    @invariant()
    def every_stream_ends_at_most_once_and_after_it_began(self) -> None:
        for stream in self.streams:
            mine = [event for event in self.source.events if event.stream is stream]
            kinds = [type(event) for event in mine]
            assert kinds in ([], [Started], [Finished], [Started, Finished])
            if kinds == [Finished]:
                assert stream.left == 0

    @invariant()
    def what_was_heard_is_whole_and_in_order(self) -> None:
        heard = self.source.sound().astype(int)
        spoken = heard[heard > 0] - 1
        streams = spoken // 2_000
        assert (np.diff(streams) >= 0).all(), "a later stream was heard before an earlier one"
        for which, stream in enumerate(self.streams):
            mine = spoken[streams == which] % 2_000
            expected = np.arange(len(mine)) // 240 % 2_000
            assert (mine == expected).all(), "a part of a stream was lost, doubled or out of place"
            assert abs(len(mine) - stream.left) <= RATE * 0.002, "the position is not what was heard"

    def teardown(self) -> None:
        for which, stream in enumerate(self.streams):
            if which not in self.closed:
                self.playout.end(stream)
        self.source.run(2.5)
        total = sum(self.pushed.values()) / RATE
        self.source.run(total)
        finished = [event for event in self.source.events if isinstance(event, Finished)]
        assert len(finished) == len(self.streams), "every stream ends exactly once"
        for which, stream in enumerate(self.streams):
            event = next(event for event in finished if event.stream is stream)
            assert event.interrupted == (which in self.cleared)
            if not event.interrupted:
                assert stream.left == self.pushed[which]


Streams.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestStreams = Streams.TestCase
