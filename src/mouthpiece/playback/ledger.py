"""The ledger: what is queued, what plays and what awaits its receipt, for one avatar. No I/O.

It takes inputs (methods, each with ``now``, monotonic seconds) and answers with commands; a thin shell carries them
out and calls ``tick`` again by ``next_wakeup``. It never sleeps, reads a clock or touches a room.

::

    queue ──Open──▶ flight: sending ──Close──▶ awaiting its receipt ──▶ one terminal state
      ▲                 │                            │
      │                 └──────── Clear ─────────────┴──▶ interrupted or cancelled
      └──────────────── its rest, as a new attempt ──┘

A *flight* is an attempt that has been opened and has not ended. At most one has its stream open, and it is the last.

Rules that hold whatever happens:

- A range of audio that may have been heard is not sent again unless the caller chose ``on_loss=replay``.
- A segment that was reported as ``playing`` is never reported as ``queued`` again.
- Nothing of which something may have been heard ends as ``cancelled`` or ``expired``.
- The position of a segment never falls.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mouthpiece.errors import AvatarSilent, AvatarTimeout
from mouthpiece.playback.clearing import (
    cancel_one,
    drop_requeued,
    interrupt_first,
    interruptible,
    playing_out,
    would_end,
)
from mouthpiece.playback.commands import Clear, Close, Command, Open, Report, Send, Utterance
from mouthpiece.playback.ends import end_of, end_of_waiting, ended, noted
from mouthpiece.playback.flight import Flight, FlightState, Outcome
from mouthpiece.playback.heard import Heard
from mouthpiece.playback.loss import Loss, at_loss
from mouthpiece.playback.pacing import allowance, write_length
from mouthpiece.playback.queue import SegmentQueue, Waiting
from mouthpiece.playback.receipts import judge, without_id
from mouthpiece.playback.receiver import Receiver
from mouthpiece.profiles import Profile
from mouthpiece.segments import Attempt, Mode, Problem, Receipt, State

FAILED_OPENS = 3
"""Streams that may fail to open before the segment fails."""

NO_AVATAR = Problem.of(AvatarTimeout("No avatar came into the room in time."))
SILENT = Problem.of(AvatarSilent("The avatar never reported the end of the segment."))


@dataclass(slots=True)
class Ledger:
    """The ledger of one avatar (or of whichever avatar comes). See the module's docstring."""

    avatar_timeout: float = 30.0
    """Seconds that a segment waits for an avatar before it fails."""
    absence: Problem = NO_AVATAR
    """The error of a segment for which no avatar came in time; the shell keeps it up to date."""
    _queue: SegmentQueue = field(default_factory=SegmentQueue)
    _flights: list[Flight] = field(default_factory=list)
    _receiver: Receiver | None = None
    """The avatar that is there and listens; while there is none, nothing is in flight."""
    _viewers: int | None = None
    _held: bool = False
    _out: list[Command] = field(default_factory=list)

    # Questions

    @property
    def idle(self) -> bool:
        """Nothing is queued and nothing awaits its end."""
        return not len(self._queue) and not self._flights

    @property
    def quiet(self) -> bool:
        """Nothing of ours may be playing."""
        return not self._flights

    @property
    def queued(self) -> list[str]:
        """Ids of the segments that wait, in order."""
        return [waiting.segment for waiting in self._queue]

    @property
    def in_flight(self) -> list[str]:
        """Ids of the segments that have been opened and have not ended, in order."""
        return [flight.segment for flight in self._flights]

    def position(self, segment: str, now: float) -> float | None:
        """Return the furthest second of a segment that has been heard; None if it is not on its way.

        Where the avatar reports each start, nothing counts before that report.
        """
        flight = self._named(segment)
        if flight is None:
            return None
        heard = flight.waiting.heard.position
        if self._exact and flight.started_at is None:
            return heard
        return max(heard, flight.attempt.offset + flight.played(now))

    def playhead(self, segment: str, now: float) -> float | None:
        """Return the second of a segment that plays now, which a replay puts back; None if it is not on its way."""
        flight = self._named(segment)
        return None if flight is None else flight.attempt.offset + flight.played(now)

    def would_end(self, *, drop_queued: bool) -> list[str]:
        """Return the ids of the segments that ``interrupt`` would end now."""
        return would_end(self._flights, drop_queued=drop_queued) + (self.queued if drop_queued else [])

    # Inputs from callers

    def enqueue(self, utterance: Utterance, mode: Mode, now: float) -> list[Command]:
        """Accept a segment. ``mode=interrupt`` stops what plays and goes first; ``ignore`` ends it if anything is
        queued or plays."""
        if mode is Mode.IGNORE and not self.idle:
            return [Report(utterance.segment, "segment.ignored", State.IGNORED)]
        if mode is Mode.INTERRUPT:
            self._interrupt(now)
            order = self._queue.first_order()
        else:
            order = self._queue.last_order()
        self._queue.put(Waiting(utterance, order, utterance.accepted_at))
        return self.tick(now)

    def withdraw(self, segment: str) -> Waiting | None:
        """Take a waiting segment out of the queue without a report, to ``admit`` it to another ledger."""
        return self._queue.take(segment)

    def admit(self, waiting: Waiting, now: float) -> list[Command]:
        """Take over a segment that another ledger withdrew, behind what waits here."""
        waiting.order = self._queue.last_order()
        waiting.since = now
        self._queue.put(waiting)
        return self.tick(now)

    def hold(self) -> None:
        """Begin nothing that waits any more: the shell is about to leave."""
        self._held = True

    def cancel(self, segment: str, now: float) -> list[Command]:
        """End one segment: cancelled if nothing of it was heard, interrupted otherwise."""
        if (waiting := self._queue.take(segment)) is not None:
            self._end_waiting(waiting, State.CANCELLED)
            return self.tick(now)
        playing, target = playing_out(self._flights), self._named(segment)
        if target is not None and target in playing:
            self._clear(playing, now)
            cancel_one(playing, target)
        elif target is not None and target.outcome is Outcome.REQUEUE:
            target.outcome = Outcome.CANCEL
        return self.tick(now)

    def interrupt(self, now: float, *, drop_queued: bool = False) -> list[Command]:
        """Stop what plays, unless it may not be interrupted; the queue goes on, or is dropped too."""
        if drop_queued:
            for waiting in self._queue:
                self._queue.take(waiting.segment)
                self._end_waiting(waiting, State.CANCELLED)
            drop_requeued(self._flights)
        self._interrupt(now, drop_next=drop_queued)
        return self.tick(now)

    # Inputs from the streams

    def opened_failed(self, attempt: Attempt, problem: Problem, now: float) -> list[Command]:
        """The stream could not be opened: nothing of the attempt was sent. It is tried again, ``FAILED_OPENS`` times
        in all."""
        flight = self._of(attempt)
        if flight is not None and flight.open:
            flight.move(FlightState.AWAITING, now)
            flight.waiting.failed_opens += 1
            if flight.outcome is Outcome.FINISH:
                again = flight.waiting.failed_opens < FAILED_OPENS
                flight.outcome = Outcome.REQUEUE if again else Outcome.FAIL
                flight.problem = problem
            self._settle(flight, Heard(), now)
        return self._flush()

    def progress(self, attempt: Attempt, sent: float, now: float, *, whole: bool = False) -> list[Command]:
        """``sent`` seconds of the attempt have been written; ``whole``: that was all there is."""
        flight = self._of(attempt)
        if flight is None or not flight.open:
            return []
        flight.write(sent, now)
        if whole:
            flight.whole = True
            self._close(flight, now)
        return self.tick(now)

    def source_failed(self, attempt: Attempt, problem: Problem, now: float) -> list[Command]:
        """The source broke: what was sent plays out, then the segment has failed."""
        flight = self._of(attempt)
        if flight is not None and flight.open:
            if flight.outcome is Outcome.FINISH:
                flight.outcome, flight.problem = Outcome.FAIL, problem
            self._close(flight, now)
            if flight.sent == 0:
                self._settle(flight, Heard(), now)
        return self.tick(now)

    # Inputs from the avatar

    def started(self, segment: str | None, now: float) -> list[Command]:
        """The avatar began to play; ``segment`` is None where its receipts carry no id.

        One without an id counts only while a stream of ours is open and has been written to: stock runners also
        send it right after the previous end (docs/wire.md, way 7).
        """
        if segment is not None:
            flight = self._named(segment)
        else:
            flight = next((flight for flight in self._flights if not flight.clear_asked), None)
        if flight is not None and flight.first_write_at is not None and (segment is not None or flight.open):
            if flight.started_at is None:
                flight.started_at = now
            self._report_start(flight)
        return self.tick(now)

    def finished(self, segment: str | None, position: float, interrupted: bool, now: float) -> list[Command]:
        """The avatar ended an attempt.

        :param position: seconds of the attempt, as reported; receipts.py says when it is believed.
        """
        flight = self._named(segment) if segment is not None else without_id(self._flights, interrupted, now)
        if flight is None or self._receiver is None:
            return self.tick(now)
        self._receiver.reports_ends = True
        if flight.open:  # by its id: the avatar gave it up while we still sent
            self._close(flight, now)
            interrupted = True
        verdict = judge(flight, self._receiver.profile, position, interrupted, now)
        flight.outcome = verdict.outcome
        self._settle(flight, verdict.heard, now)
        return self.tick(now)

    def clear_answered(self, ok: bool, now: float) -> list[Command]:
        """The avatar cleared what it had of ours (``ok``), or did not answer."""
        for flight in self._flights:
            if flight.state is FlightState.CLEARING:
                flight.move(FlightState.CLEARED if ok else FlightState.UNCLEARED, now)
        return self.tick(now)

    def avatar_ready(self, profile: Profile, now: float) -> list[Command]:
        """An avatar is there and listens to us."""
        self._receiver = Receiver(profile)
        return self.tick(now)

    def avatar_left(self, problem: Problem, now: float) -> list[Command]:
        """The avatar, the room or our own connection is gone. A segment that may have been heard ends as ``unknown``,
        or goes back to the queue with ``on_loss=replay``."""
        exact, self._receiver = self._exact, None
        for flight in reversed(list(self._flights)):  # the second of two gapless ones while the first is still there
            if flight.open:
                self._close(flight, now)
            self._lose(flight, at_loss(flight, now, reports_starts=exact), problem, now)
        for waiting in self._queue:
            waiting.since = max(waiting.since, now)
        return self.tick(now)

    def viewers(self, count: int, now: float) -> list[Command]:
        """``count`` people are in the room."""
        if count and not self._viewers:
            for waiting in self._queue:
                waiting.since = max(waiting.since, now)  # now there is somebody for whom an avatar should come
        self._viewers = count
        return self.tick(now)

    def give_up(self, problem: Problem, now: float) -> list[Command]:
        """No avatar will play any of this (the room ended, or it listens to another sender): what waits fails."""
        commands = self.avatar_left(problem, now)
        for waiting in self._queue:
            self._queue.take(waiting.segment)
            self._end_waiting(waiting, State.FAILED, problem)
        return commands + self._flush()

    # Time

    def tick(self, now: float) -> list[Command]:
        """Do what time alone brings about: ends, expiries, time-outs, the next stream, the next audio."""
        self._end_by_clock(now)
        self._expire(now)
        self._open_next(now)
        for flight in self._flights:
            self._assume_start(flight, now)
            self._grant(flight, now)
        return self._flush()

    def next_wakeup(self, now: float) -> float | None:
        """Return when ``tick`` has something to do again at the latest; None if only an input can change anything."""
        times: list[float] = []
        for flight in self._flights:
            if self._receiver is None:
                break
            times.append(now + write_length(flight.granted) if flight.open else self._receiver.deadline(flight, now))
            if (starts := self._receiver.starts_by(flight)) is not None:
                times.append(starts)
        for waiting in self._queue:
            times += [at for at in (waiting.expires_at, self._fails_at(waiting)) if at is not None]
        return max(now + 0.005, min(times)) if times else None

    # Which flight

    def _flush(self) -> list[Command]:
        out, self._out = self._out, []
        return out

    def _of(self, attempt: Attempt) -> Flight | None:
        return next((flight for flight in self._flights if flight.attempt == attempt), None)

    def _named(self, segment: str) -> Flight | None:
        return next((flight for flight in self._flights if flight.segment == segment), None)

    @property
    def _exact(self) -> bool:
        return self._receiver is not None and self._receiver.exact

    def _fails_at(self, waiting: Waiting) -> float | None:
        """Return when a segment has waited for an avatar long enough. One that wants a viewer waits for that first: no
        avatar is kept in a room without viewers."""
        if self._receiver is not None or (waiting.utterance.wait_for_viewer and not self._viewers):
            return None
        return waiting.since + self.avatar_timeout

    # What time brings about

    def _end_by_clock(self, now: float) -> None:
        for flight in list(self._flights):
            if self._receiver is None or flight.open or now < self._receiver.deadline(flight, now):
                continue
            if not flight.clear_asked:
                self._receiver.missed_end()
            if flight.outcome is Outcome.REQUEUE and flight.clear_asked and flight.sent > 0:
                # Cleared beside another one and never confirmed: how much was heard is not known.
                flight.outcome = Outcome.INTERRUPT
            played = flight.played(now)
            if not flight.clear_asked and flight.outcome is Outcome.FINISH and self._exact:
                flight.problem = SILENT
                self._end(flight, State.UNKNOWN, Heard(played, Receipt.UNKNOWN), now)
                continue
            possible = flight.may_have_been_heard(now, reports_starts=self._exact)
            self._settle(flight, Heard(played, Receipt.ESTIMATED) if possible else Heard(), now)

    def _assume_start(self, flight: Flight, now: float) -> None:
        starts = None if self._receiver is None else self._receiver.starts_by(flight)
        if starts is not None and now >= starts:
            self._report_start(flight)

    def _expire(self, now: float) -> None:
        for waiting in self._queue:
            expires, fails = waiting.expires_at, self._fails_at(waiting)
            if expires is not None and now >= expires:
                self._queue.take(waiting.segment)
                self._end_waiting(waiting, State.EXPIRED)
            elif fails is not None and now >= fails:
                self._queue.take(waiting.segment)
                self._end_waiting(waiting, State.FAILED, self.absence)

    def _open_next(self, now: float) -> None:
        waiting = self._queue.head
        if self._receiver is None or waiting is None or self._held:
            return
        for flight in self._flights:
            comes_back = flight.outcome is Outcome.REQUEUE and flight.state is FlightState.CLEARED
            if flight.open or flight.state is FlightState.CLEARING or comes_back:
                return
        playing = [flight for flight in self._flights if flight.state is not FlightState.CLEARED]
        if len(playing) >= self._receiver.profile.outstanding:
            return
        if waiting.utterance.wait_for_viewer and not self._viewers:
            return
        self._queue.take(waiting.segment)
        waiting.attempts += 1
        attempt = Attempt(waiting.segment, waiting.attempts, waiting.offset)
        self._flights.append(Flight(waiting, attempt, self._flights[-1] if self._flights else None))
        self._out.append(Open(attempt))
        self._note(waiting, "attempt.opened", attempt)

    def _grant(self, flight: Flight, now: float) -> None:
        if not flight.open or self._receiver is None:
            return
        if not self._receiver.profile.paced:
            up_to = float("inf")
        elif flight.first_write_at is None and flight.previous is None:
            up_to = allowance(None)
        else:
            up_to = allowance(now - flight.begins(now))
        if up_to >= flight.granted + write_length(flight.granted):
            flight.granted = up_to
            self._out.append(Send(flight.attempt, up_to))

    # Acts on flights

    def _interrupt(self, now: float, *, drop_next: bool = False) -> None:
        playing = playing_out(self._flights)
        if interruptible(playing):
            self._clear(playing, now)
            interrupt_first(playing, drop_next=drop_next)

    def _clear(self, flights: list[Flight], now: float) -> None:
        self._out.append(Clear())
        for flight in flights:
            if flight.open:
                self._out.append(Close(flight.attempt))
            flight.move(FlightState.CLEARING, now)

    def _close(self, flight: Flight, now: float) -> None:
        flight.move(FlightState.AWAITING, now)
        self._out.append(Close(flight.attempt))

    def _lose(self, flight: Flight, loss: Loss, problem: Problem, now: float) -> None:
        """End a flight whose avatar was lost."""
        if flight.outcome not in (Outcome.FINISH, Outcome.REQUEUE):
            self._settle(flight, loss.heard, now)
        elif loss.resume_at is None:
            flight.problem = problem
            self._end(flight, State.UNKNOWN, loss.heard, now)
        else:
            flight.waiting.lost = True
            self._requeue(flight, loss.heard, loss.resume_at, now)

    def _settle(self, flight: Flight, attempt: Heard, now: float) -> None:
        """End a flight of which ``attempt`` was heard (in seconds of the attempt): its segment ends, or its rest goes
        back to the queue."""
        if flight.outcome is Outcome.REQUEUE and not (flight.whole and attempt.position >= flight.sent > 0):
            self._requeue(flight, attempt, attempt.position, now)
            return
        heard = self._heard(flight, attempt)
        self._end(flight, end_of(flight.outcome, heard, begun=flight.waiting.begun), attempt, now)

    @staticmethod
    def _heard(flight: Flight, attempt: Heard) -> Heard:
        """Return what was heard of the segment, ``attempt`` (in seconds of the attempt) included."""
        return flight.waiting.heard.furthest(Heard(flight.attempt.offset + attempt.position, attempt.receipt))

    def _remove(self, flight: Flight, now: float) -> None:
        end = min(flight.expected_end(now), now)
        self._flights.remove(flight)
        for other in self._flights:
            if other.previous is flight:
                other.follow_no_longer(end)

    def _requeue(self, flight: Flight, attempt: Heard, resume_at: float, now: float) -> None:
        """Put the rest of a segment back, from second ``resume_at`` of the attempt on."""
        waiting = flight.waiting
        waiting.heard = self._heard(flight, attempt)
        waiting.offset = flight.attempt.offset + resume_at
        waiting.since = now
        self._remove(flight, now)
        self._queue.put(waiting)
        self._note(waiting, "attempt.ended", flight.attempt)

    # Reports

    def _report_start(self, flight: Flight) -> None:
        if flight.started_reported:
            return
        flight.started_reported = True
        first, flight.waiting.begun = not flight.waiting.begun, True
        self._note(flight.waiting, "segment.playing" if first else "attempt.started", flight.attempt)

    def _note(self, waiting: Waiting, type: str, attempt: Attempt) -> None:
        self._out.append(noted(waiting, type, attempt))

    def _end(self, flight: Flight, state: State, attempt: Heard, now: float) -> None:
        """End the segment of a flight, of which ``attempt`` was heard (in seconds of the attempt)."""
        self._remove(flight, now)
        self._out.append(ended(flight.waiting, state, self._heard(flight, attempt), flight.problem, flight.attempt))

    def _end_waiting(self, waiting: Waiting, state: State, problem: Problem | None = None) -> None:
        """End a segment that waits."""
        self._out.append(ended(waiting, end_of_waiting(state, waiting), waiting.heard, problem))
