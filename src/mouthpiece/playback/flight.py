"""One attempt that has been opened and has not ended: its state, and its playout clock.

::

    SENDING ──▶ AWAITING ─────────────────────▶ settled
       │            │                              ▲
       └──▶ CLEARING ◀──┘ ──▶ CLEARED | UNCLEARED ─┘

Any of them becomes ABSENT when the connection or the avatar is away, or when an avatar that can be asked did not say
what became of a clear; and from there CLEARING or settled.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from mouthpiece.playback.queue import Waiting
from mouthpiece.segments import Attempt, EndedBy, Problem

CLOCK_LAG = 0.25
"""Seconds by which the playout clock may be behind the avatar: until so long before a start by the clock, nothing can
have been heard."""


class FlightState(enum.Enum):
    SENDING = "sending"
    """Its stream is open."""
    AWAITING = "awaiting"
    """Its stream is closed; it plays out, and its receipt is awaited."""
    CLEARING = "clearing"
    """Its stream is closed, and the avatar was asked to clear it."""
    CLEARED = "cleared"
    """The avatar cleared it; the receipt with its position is awaited."""
    UNCLEARED = "uncleared"
    """The avatar did not answer the clear, and cannot be asked: what was sent plays out."""
    ABSENT = "absent"
    """The connection, the avatar or this process was away, or a clear was not answered: what became of it has to be
    asked."""


_NEXT = {
    FlightState.SENDING: (FlightState.AWAITING, FlightState.CLEARING, FlightState.ABSENT),
    FlightState.AWAITING: (FlightState.CLEARING, FlightState.ABSENT),
    FlightState.CLEARING: (FlightState.CLEARED, FlightState.UNCLEARED, FlightState.ABSENT),
    FlightState.CLEARED: (FlightState.ABSENT,),
    FlightState.UNCLEARED: (FlightState.ABSENT,),
    FlightState.ABSENT: (FlightState.CLEARING,),
}


class Outcome(enum.Enum):
    """What becomes of the segment once the flight has ended."""

    FINISH = "finish"
    INTERRUPT = "interrupt"
    CANCEL = "cancel"
    """Cancelled if nothing of it was heard, interrupted otherwise."""
    REQUEUE = "requeue"
    """Back to its place in the queue; the rest is a new attempt."""
    FAIL = "fail"
    UNKNOWN = "unknown"
    """What was heard of it is not known, and it is not sent again."""


@dataclass(slots=True)
class Flight:
    """One attempt. Times are monotonic seconds, positions are seconds of the attempt."""

    waiting: Waiting
    attempt: Attempt
    previous: Flight | None
    """The flight that plays before this one, while it has not ended."""
    state: FlightState = FlightState.SENDING
    """Written by ``move`` alone."""
    outcome: Outcome = Outcome.FINISH
    """Written by ``decide`` alone, with ``ended_by``, ``problem`` and ``by_clock``."""
    ended_by: EndedBy | None = None
    problem: Problem | None = None
    by_clock: bool = False
    """With ``Outcome.REQUEUE``: its rest may begin where the clock says that it was cut."""
    sent: float = 0.0
    granted: float = 0.0
    whole: bool = False
    """All there is has been sent."""
    opened_at: float = float("-inf")
    """Nothing of it can have been played before: when it was opened, or the flight before it ended."""
    reported_end: float | None = None
    """The position at which the avatar reported its end, before that can be true."""
    first_write_at: float | None = None
    started_at: float | None = None
    """When the avatar reported that it began to play; None while it has not."""
    closed_at: float = 0.0
    absent_since: float = 0.0
    absent_at: float = 0.0
    """When it stopped playing, by the clock: at a clear that came before, or with the absence."""
    cleared_at: float = 0.0
    """When the clear was asked for."""
    said: float | None = None
    """The position that the avatar gave last when it was asked; None while it has given none."""
    said_at: float = 0.0
    stands: bool = False
    """It gave the same one before, though it had more to play."""
    shown: float = 0.0
    """The furthest position that a caller was given: no later one is below it."""
    held_at: float | None = None
    """Since when LiveKit stands still: what is played from then on counts as not heard; None: it does not."""
    stalled: float = 0.0
    """Seconds by which playout fell behind because the source did."""
    session: str = ""
    """Of the avatar that it was sent to."""
    restored: bool = False
    """An earlier process opened it: what it sent is not known, only what it meant to send."""
    lost: bool = False
    """Its avatar was lost."""
    followed: bool = False
    """The avatar reported that the flight behind it began: all that was sent of this one has left the avatar."""
    started_reported: bool = False

    @property
    def segment(self) -> str:
        return self.waiting.segment

    @property
    def open(self) -> bool:
        return self.state is FlightState.SENDING

    @property
    def clear_asked(self) -> bool:
        """The avatar was asked to clear it, whatever it answered."""
        return self.state in (FlightState.CLEARING, FlightState.CLEARED, FlightState.UNCLEARED)

    def move(self, state: FlightState, now: float) -> None:
        """Enter ``state``.

        :raises RuntimeError: no transition leads there.
        """
        if state not in _NEXT[self.state]:
            raise RuntimeError(f"a flight that is {self.state.value} cannot become {state.value}")
        if self.open:
            self.closed_at = now
        if state is FlightState.CLEARING:
            self.cleared_at, self.reported_end = now, None
        if state is FlightState.ABSENT:
            self.absent_since, self.absent_at = now, self._plays_until(now)
        self.state = state

    def decide(
        self,
        outcome: Outcome,
        by: EndedBy | None = None,
        problem: Problem | None = None,
        *,
        by_clock: bool = False,
    ) -> None:
        """Choose what becomes of the segment once the flight has ended; it takes the place of an earlier choice."""
        self.outcome, self.ended_by, self.problem, self.by_clock = outcome, by, problem, by_clock

    def go_on(self, *, by_clock: bool = False) -> None:
        """Choose that its rest goes back to the queue, unless the segment is to end with it."""
        if self.outcome is Outcome.FINISH:
            self.decide(Outcome.REQUEUE, by_clock=by_clock)

    def write(self, sent: float, now: float) -> None:
        """Note that ``sent`` seconds have been written by ``now``."""
        if sent <= self.sent:
            return
        if self.first_write_at is None:
            self.first_write_at = now
        elif self.previous is None:
            # All that was sent has been played already: what comes now is played that much later.
            self.stalled += max(0.0, now - self.begins(now) - self.sent)
        self.sent = sent

    def say(self, position: float, now: float) -> None:
        """Note the position that the avatar gave when it was asked."""
        more_to_play = position < self.sent - CLOCK_LAG
        self.stands = self.said is not None and position <= self.said and more_to_play
        self.said, self.said_at = position, now

    def follow_no_longer(self, end: float) -> None:
        """The flight before this one ended at ``end``."""
        self.previous, self.opened_at = None, max(self.opened_at, end)
        if self.first_write_at is not None:
            self.first_write_at = max(self.first_write_at, end)

    # The playout clock

    def begins(self, now: float) -> float:
        """Return when its playout began or will begin: by the avatar's report, or else by the first write.

        Gapless flights follow one another.
        """
        start = self.started_at if self.started_at is not None else self.first_write_at
        begins = now if start is None else start + self.stalled
        if self.started_at is None and self.previous is not None and not self.previous.clear_asked:
            begins = max(begins, self.previous.expected_end(now))
        return begins

    def expected_end(self, now: float) -> float:
        return self.begins(now) + self.sent

    def played(self, now: float) -> float:
        """Return the seconds that have been played: by the clock, and no further than the avatar can have come since
        it was asked."""
        if self.first_write_at is None:
            return 0.0
        played = min(self.elapsed(now), self.sent)
        if self.said is not None:
            since = 0.0 if self.stands else max(0.0, self._plays_until(now) - self.said_at)
            played = min(played, self.said + since)
        return max(played, self.shown)

    def reported_played(self, now: float, *, reports_starts: bool) -> float:
        """Return the seconds that have been played, by the clock, but none before a start that had to be reported.

        :param reports_starts: the avatar reports each start.
        """
        if reports_starts and self.started_at is None and self.said is None:
            return self.shown
        return self.played(now)

    def elapsed(self, now: float) -> float:
        """Return the seconds since its playout began, until it was cleared or absent; negative before it begins."""
        return self._plays_until(now) - self.begins(now)

    def may_have_been_heard(self, now: float, *, reports_starts: bool) -> bool:
        """Whether anything of it may have been heard.

        :param reports_starts: the avatar reports each start, so the second of two gapless flights that it did not
            report has not begun while the first one lasts. (If the avatar dies while our line to LiveKit is down and
            nobody has noticed that, it may have: an avatar that dies looks the same, and what was sent ahead of the
            next segment would be lost with each.)
        """
        if self.restored:
            return True
        if self.first_write_at is None:
            return False
        if self.started_at is not None or self.held_at is not None:
            return True
        if self.previous is None:
            return self._plays_until(now) >= self.first_write_at - CLOCK_LAG
        return not reports_starts and now >= self.previous.expected_end(now) - CLOCK_LAG

    def _plays_until(self, now: float) -> float:
        if self.held_at is not None and self.state is not FlightState.ABSENT:
            now = min(now, self.held_at)
        match self.state:
            case FlightState.CLEARED:
                return self.cleared_at
            case FlightState.ABSENT:
                return self.absent_at
        return now
