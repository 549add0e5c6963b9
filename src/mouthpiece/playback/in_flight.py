"""The attempts that are on their way: how each ends, and what becomes of its segment then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mouthpiece.playback.absence import Found
from mouthpiece.playback.at_most_once import SHORT, after_absence, after_loss
from mouthpiece.playback.commands import AttemptEnd, Clear, Close, Command, Open
from mouthpiece.playback.ends import end_of, end_of_waiting, ended, noted
from mouthpiece.playback.flight import Flight, FlightState, Outcome
from mouthpiece.playback.heard import Heard
from mouthpiece.playback.queue import SegmentQueue, Waiting
from mouthpiece.segments import Attempt, AttemptState, EndedBy, Problem, Receipt, State


@dataclass(slots=True)
class InFlight:
    """In the order in which they play; iterating is over a copy, so that the loop may end flights."""

    queue: SegmentQueue
    """Where the rest of a segment goes back to."""
    out: list[Command] = field(default_factory=list)
    """The commands so far; the ledger takes them."""
    _flights: list[Flight] = field(default_factory=list)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self._flights))

    def __len__(self) -> int:
        return len(self._flights)

    @property
    def present(self) -> list[Flight]:
        """The flights that are followed; the others are absent."""
        return [flight for flight in self._flights if flight.state is not FlightState.ABSENT]

    @property
    def absent(self) -> list[Flight]:
        """The flights of which it has to be asked what became of them."""
        return [flight for flight in self._flights if flight.state is FlightState.ABSENT]

    def of(self, attempt: Attempt) -> Flight | None:
        return next((flight for flight in self._flights if flight.attempt == attempt), None)

    def named(self, segment: str) -> Flight | None:
        return next((flight for flight in self._flights if flight.segment == segment), None)

    # Streams

    def open(self, waiting: Waiting, session: str, now: float) -> None:
        """Open the next attempt of a segment that was taken from the queue."""
        waiting.attempts += 1
        attempt = Attempt(waiting.segment, waiting.attempts, waiting.offset)
        self.add(Flight(waiting, attempt, self._last, session=session, opened_at=now))
        self.out.append(Open(attempt))
        self.out.append(noted(waiting, "attempt.opened", attempt))

    def restore(self, waiting: Waiting, attempt: Attempt, session: str, length: float | None, now: float) -> None:
        """Take over an attempt that an earlier process opened.

        :param length: seconds of the attempt; None if that is not known.
        """
        flight = Flight(waiting, attempt, self._last, session=session, restored=True)
        flight.move(FlightState.ABSENT, now)
        flight.sent, flight.whole = (float("inf"), False) if length is None else (length, True)
        self.add(flight)

    def add(self, flight: Flight) -> None:
        self._flights.append(flight)

    @property
    def _last(self) -> Flight | None:
        return self._flights[-1] if self._flights else None

    def close(self, flight: Flight, now: float) -> None:
        """Close the stream of a flight that plays out."""
        flight.move(FlightState.AWAITING, now)
        self.out.append(Close(flight.attempt))

    def clear(self, flights: list[Flight], now: float) -> None:
        """Ask the avatar to clear ``flights``, which are all that it has of ours."""
        self.out.append(Clear())
        for flight in flights:
            self._leave_stream(flight)
            flight.move(FlightState.CLEARING, now)

    def make_absent(self, now: float) -> None:
        """Nothing that is sent arrives any more."""
        for flight in self.present:
            self._leave_stream(flight)
            flight.move(FlightState.ABSENT, now)

    def _leave_stream(self, flight: Flight) -> None:
        if flight.open:
            self.out.append(Close(flight.attempt))

    # Starts and ends

    def start(self, flight: Flight) -> None:
        """Report that a flight began to play; nothing if that was reported."""
        if flight.started_reported:
            return
        flight.started_reported = True
        waiting = flight.waiting
        goes_on = waiting.begun and not waiting.paused
        waiting.begun, waiting.paused = True, False
        self.out.append(noted(waiting, "attempt.started" if goes_on else "segment.playing", flight.attempt))

    def pause(self, waiting: Waiting) -> None:
        """Report that a segment waits in the queue for ``resume``."""
        waiting.paused = True
        self.out.append(noted(waiting, f"segment.{State.PAUSED}", None))

    def settle(self, flight: Flight, heard: Heard, resume_at: float | None, now: float) -> None:
        """End a flight: its segment ends, or its rest goes back to the queue.

        :param heard: of the attempt, in seconds of it.
        :param resume_at: the second of the attempt at which the rest begins; None: nothing is sent again.
        """
        if flight.outcome is Outcome.REQUEUE and resume_at is not None:
            self._requeue(flight, heard, resume_at, now)
        else:
            self._end(flight, heard, now)

    def settle_unsent(self, flight: Flight, now: float) -> None:
        """End a flight of which nothing was sent."""
        self.settle(flight, Heard(), 0.0, now)

    def settle_absent(self, flight: Flight, found: Found, now: float) -> None:
        """End a flight of which nothing is at the avatar any more."""
        rest = after_absence(flight, found)
        if rest.resume_at is None and not found.interrupted and flight.outcome is not Outcome.FAIL:
            flight.decide(Outcome.FINISH)
        else:
            flight.go_on()
        self.settle(flight, rest.heard, rest.resume_at, now)

    def lose(self, flight: Flight, problem: Problem, by: EndedBy, now: float, *, reports_starts: bool) -> None:
        """End a flight whose avatar was lost.

        :param reports_starts: that avatar reports each start.
        """
        rest = after_loss(flight, now, reports_starts=reports_starts)
        flight.lost = not (flight.followed and flight.whole)
        if flight.lost and flight.outcome in (Outcome.FINISH, Outcome.REQUEUE):
            if rest.resume_at is None:
                flight.decide(Outcome.UNKNOWN, by, problem)
            else:
                flight.decide(Outcome.REQUEUE)
                flight.waiting.lost = True
        self.settle(flight, rest.heard, rest.resume_at, now)

    def _end(self, flight: Flight, attempt: Heard, now: float) -> None:
        """End the segment of a flight, of which ``attempt`` was heard (in seconds of the attempt)."""
        self._remove(flight, now)
        waiting = flight.waiting
        waiting.heard = _of_segment(flight, attempt)
        state = end_of(flight.outcome, waiting.heard, begun=waiting.begun)
        self._note_end(flight, attempt)
        self.out.append(
            ended(
                waiting,
                state,
                waiting.heard,
                problem=flight.problem,
                attempt=flight.attempt,
                ended_by=flight.ended_by,
            )
        )

    def end_waiting(self, waiting: Waiting, state: State, by: EndedBy, problem: Problem | None = None) -> None:
        """End a segment that waits, in ``state`` if nothing of it may have been heard."""
        self.queue.take(waiting.segment)
        state = end_of_waiting(state, waiting)
        self.out.append(ended(waiting, state, waiting.heard, problem=problem, ended_by=by))

    def _requeue(self, flight: Flight, attempt: Heard, resume_at: float, now: float) -> None:
        """Put the rest of a segment back, from second ``resume_at`` of the attempt on."""
        waiting = flight.waiting
        waiting.heard = _of_segment(flight, attempt)
        waiting.offset = flight.attempt.offset + resume_at
        waiting.since = now
        self._remove(flight, now)
        self.queue.put(waiting)
        self._note_end(flight, attempt)
        if self.queue.paused and waiting.begun:
            self.pause(waiting)

    def _remove(self, flight: Flight, now: float) -> None:
        end = flight.cleared_at if flight.state is FlightState.CLEARED else now
        end = min(flight.expected_end(now), end)
        self._flights.remove(flight)
        for other in self._flights:
            if other.previous is flight:
                other.follow_no_longer(end)

    def _note_end(self, flight: Flight, attempt: Heard) -> None:
        if flight.lost:
            state = AttemptState.LOST
        elif flight.whole and attempt.position >= flight.sent - SHORT:
            state = AttemptState.FINISHED
        else:
            state = AttemptState.INTERRUPTED
        by_avatar = flight.ended_by is EndedBy.AVATAR and flight.outcome is Outcome.INTERRUPT
        short = by_avatar and flight.whole and not flight.clear_asked and attempt.receipt is Receipt.ESTIMATED
        end = AttemptEnd(state, Heard(flight.attempt.offset + attempt.position, attempt.receipt), short)
        self.out.append(noted(flight.waiting, "attempt.ended", flight.attempt, end))


def _of_segment(flight: Flight, attempt: Heard) -> Heard:
    """Return what was heard of the segment, ``attempt`` (in seconds of the attempt) included."""
    return flight.waiting.heard.furthest(Heard(flight.attempt.offset + attempt.position, attempt.receipt))
