"""The playout while LiveKit goes away and comes back: what LiveKit took is every stream, whole, in order, once, and of
one that was cleared as much as its end says."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.playout import SETTLE_WITHIN, Finished, PlayoutQueue, Started
from mouthpiece_avatar.playout_stream import RATE, PlayoutStream
from tests.unit.avatar.simulated_source import SimulatedSource

BLOCK = 240
"""Samples that carry one number: which stream, and where in it."""
UNCERTAIN = 0.03
"""Seconds that may be taken for lost at each absence though LiveKit took them."""


class Absences(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.playout = PlayoutQueue(acknowledged=True)
        self.source = SimulatedSource(self.playout)
        self.streams: list[PlayoutStream] = []
        self.pushed: list[int] = []
        self.closed: set[int] = set()
        self.cleared: set[int] = set()
        self.taken: list[np.ndarray] = []
        """What LiveKit took."""
        self.taken_until = 0
        self.away_since: float | None = None
        self.held_at: float | None = None
        self.unheard: list[np.ndarray] = []
        """What has left since ``away_since``, until the hold."""
        self.waiting: dict[int, float] = {}
        """Streams that were cleared while held, and when."""
        self.late: set[int] = set()
        """Those for which the resume may have come too late."""
        self.absences = 0

    @rule(sender=st.sampled_from("ab"))
    def open(self, sender: str) -> None:
        if len(self.streams) < 15:
            self.streams.append(self.playout.open(sender, StreamHeader(RATE, 1)))
            self.pushed.append(0)

    @precondition(lambda self: len(self.closed) < len(self.streams))
    @rule(data=st.data(), blocks=st.integers(1, 60), close=st.booleans())
    def push(self, data: st.DataObject, blocks: int, close: bool) -> None:
        which = data.draw(st.sampled_from([i for i in range(len(self.streams)) if i not in self.closed]))
        places = self.pushed[which] // BLOCK + np.arange(blocks)
        samples = np.repeat(1 + which * 2_000 + places % 2_000, BLOCK)
        self.playout.push(self.streams[which], samples.astype("<i2").tobytes())
        if which not in self.cleared:
            self.pushed[which] += blocks * BLOCK
        if close:
            self.playout.end(self.streams[which])
            self.closed.add(which)

    @precondition(lambda self: self.away_since is None or self.held_at is not None)
    @rule(sender=st.sampled_from("ab"))
    def clear(self, sender: str) -> None:
        """It comes through LiveKit: while that is there, or is back and has not reported what it took."""
        for which in (self.streams.index(stream) for stream in self.playout.streams(sender)):
            if which not in self.cleared and self.held_at is not None:
                self.waiting[which] = self.source.now
            self.cleared.add(which)
        self.playout.clear(sender)

    @rule(milliseconds=st.integers(1, 400), acknowledge=st.booleans())
    def wait(self, milliseconds: int, acknowledge: bool) -> None:
        self.source.run(milliseconds / 1000)
        self.look()
        if acknowledge and self.away_since is None:
            self.playout.acknowledge(self.source.now)

    @precondition(lambda self: self.away_since is None)
    @rule()
    def livekit_goes_away(self) -> None:
        self.look()
        self.away_since = self.source.now
        self.absences += 1

    @precondition(lambda self: self.away_since is not None and self.held_at is None)
    @rule()
    def it_is_noticed(self) -> None:
        assert self.away_since is not None
        self.look()
        self.playout.acknowledge(self.away_since)
        self.playout.hold(self.source.now)
        self.held_at = self.source.now

    @precondition(lambda self: self.held_at is not None)
    @rule(report=st.booleans(), arrived=st.floats(0, 1))
    def livekit_is_back(self, report: bool, arrived: float) -> None:
        """:param report: it says how much of ``unheard`` it took: the first ``arrived`` of it, otherwise nothing."""
        assert self.away_since is not None
        assert self.held_at is not None
        self.source.run(0.05)
        self.look()
        self.late |= {which for which, at in self.waiting.items() if self.source.now - at > SETTLE_WITHIN - 0.5}
        self.waiting.clear()
        lost = (self.held_at - self.away_since) * (1 - arrived)
        if report:
            unheard = np.concatenate([*self.unheard, np.zeros(0, np.int16)])
            self.taken.append(unheard[: max(0, len(unheard) - round(lost * RATE))])
        self.unheard.clear()
        self.away_since = self.held_at = None
        self.playout.resume(lost if report else None)

    def look(self) -> None:
        """Take what has left, unless LiveKit is away."""
        sound = self.source.sound()
        if self.away_since is None:
            self.taken.append(sound[self.taken_until :])
        elif self.held_at is None:
            self.unheard.append(sound[self.taken_until :])
        self.taken_until = len(sound)

    @invariant()
    def every_stream_begins_and_ends_at_most_once_and_they_begin_in_order(self) -> None:
        starts = [self.streams.index(event.stream) for event in self.source.events if isinstance(event, Started)]
        assert starts == sorted(starts)
        for stream in self.streams:
            kinds = [type(event) for event in self.source.events if event.stream is stream]
            assert kinds in ([], [Started], [Finished], [Started, Finished])

    def teardown(self) -> None:
        if self.away_since is not None:
            if self.held_at is None:
                self.it_is_noticed()
            self.livekit_is_back(False, 0.0)
        for which, stream in enumerate(self.streams):
            if which not in self.closed:
                self.playout.end(stream)
        for _ in range(2):
            self.source.run(1.0 + sum(self.pushed) / RATE)
            self.look()
            self.playout.acknowledge(self.source.now)
        ends = {id(event.stream): event for event in self.source.events if isinstance(event, Finished)}
        assert len(ends) == len(self.streams)
        assert not self.playout.unheard
        taken = np.concatenate([*self.taken, np.zeros(0, np.int16)]).astype(int)
        spoken = taken[taken > 0] - 1
        for which, stream in enumerate(self.streams):
            mine = spoken[spoken // 2_000 == which] % 2_000
            over_before = which in self.closed and stream.left == self.pushed[which]  # of the clear, as was found later
            assert ends[id(stream)].interrupted == (which in self.cleared) or (over_before and which in self.cleared)
            if which in self.cleared:
                heard, uncertain = len(set(mine.tolist())) * BLOCK / RATE, UNCERTAIN * (1 + self.absences)
                assert stream.left / RATE <= heard + uncertain, "less was heard than its end says"
                assert which in self.late or stream.left / RATE >= heard - uncertain, "more was heard than its end says"
                continue
            assert stream.left == self.pushed[which]
            blocks = set(mine.tolist())
            assert blocks == set((np.arange(self.pushed[which] // BLOCK) % 2_000).tolist()), "something was not heard"
            assert len(mine) - self.pushed[which] <= UNCERTAIN * self.absences * RATE, "something was heard twice"


Absences.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAbsences = Absences.TestCase
