"""The stage in any order of streams, sounds, clears, ends and passing time."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.inbound_stream import RATE, Turn
from mouthpiece_avatar.playout import Finished, Stage, Started
from tests.unit.avatar.simulated_source import SimulatedSource

SENDERS = st.sampled_from("abc")


class Streams(RuleBasedStateMachine):
    """Every sample says which stream it is of and where in it, so that what was heard can be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.source = SimulatedSource(self.stage)
        self.turns: list[Turn] = []
        self.pushed: dict[int, int] = {}
        self.closed: set[int] = set()
        self.cleared: set[int] = set()

    @rule(sender=SENDERS)
    def open(self, sender: str) -> None:
        if len(self.turns) < 15:
            self.turns.append(self.stage.open(sender, StreamHeader(RATE, 1)))
            self.pushed[len(self.turns) - 1] = 0

    @precondition(lambda self: len(self.closed) < len(self.turns))
    @rule(data=st.data(), blocks=st.integers(1, 20))
    def push(self, data: st.DataObject, blocks: int) -> None:
        which = data.draw(st.sampled_from([i for i in range(len(self.turns)) if i not in self.closed]))
        count = 240 * blocks
        at = self.pushed[which] + np.arange(count)
        samples = 1 + which * 2_000 + at // 240 % 2_000  # stream and, by the block of 5 ms, place
        self.stage.push(self.turns[which], samples.astype("<i2").tobytes())
        if which not in self.cleared:
            self.pushed[which] += count

    @precondition(lambda self: len(self.closed) < len(self.turns))
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        which = data.draw(st.sampled_from([i for i in range(len(self.turns)) if i not in self.closed]))
        self.stage.end(self.turns[which])
        self.closed.add(which)

    @rule(sender=SENDERS)
    def clear(self, sender: str) -> None:
        over = {id(event.turn) for event in self.source.events if isinstance(event, Finished)}
        for which, turn in enumerate(self.turns):
            if turn.sender == sender and id(turn) not in over:
                self.cleared.add(which)
        self.stage.clear(sender)

    @rule(milliseconds=st.integers(1, 400))
    def wait(self, milliseconds: int) -> None:
        self.source.run(milliseconds / 1000)

    @invariant()
    def every_turn_ends_at_most_once_and_after_it_began(self) -> None:
        for turn in self.turns:
            mine = [event for event in self.source.events if event.turn is turn]
            kinds = [type(event) for event in mine]
            assert kinds in ([], [Started], [Finished], [Started, Finished])
            if kinds == [Finished]:
                assert turn.left == 0

    @invariant()
    def what_was_heard_is_whole_and_in_order(self) -> None:
        heard = self.source.sound().astype(int)
        spoken = heard[heard > 0] - 1
        streams = spoken // 2_000
        assert (np.diff(streams) >= 0).all(), "a later stream was heard before an earlier one"
        for which, turn in enumerate(self.turns):
            mine = spoken[streams == which] % 2_000
            expected = np.arange(len(mine)) // 240 % 2_000
            assert (mine == expected).all(), "a part of a stream was lost, doubled or out of place"
            assert abs(len(mine) - turn.left) <= RATE * 0.002, "the position is not what was heard"

    def teardown(self) -> None:
        for which, turn in enumerate(self.turns):
            if which not in self.closed:
                self.stage.end(turn)
        self.source.run(2.5)
        total = sum(self.pushed.values()) / RATE
        self.source.run(total)
        finished = [event for event in self.source.events if isinstance(event, Finished)]
        assert len(finished) == len(self.turns), "every turn ends exactly once"
        for which, turn in enumerate(self.turns):
            event = next(event for event in finished if event.turn is turn)
            assert event.interrupted == (which in self.cleared)
            if not event.interrupted:
                assert turn.left == self.pushed[which]


Streams.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestStreams = Streams.TestCase
