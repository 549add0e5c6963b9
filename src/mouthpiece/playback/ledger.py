"""The ledger: what is queued, what is on its way and what awaits its receipt, for one avatar. No I/O.

It is given inputs (methods, each with ``now``, monotonic seconds) and answers with commands; a thin shell carries
them out and calls ``tick`` again by ``next_wakeup``. It never sleeps, reads a clock or touches a room.

::

    queue ──Open──▶ flight: sending ──Close──▶ awaiting its receipt ──▶ one terminal state
                        │                            │
                        └──────── Clear ─────────────┘──▶ interrupted, cancelled, or back to the queue

A *flight* is an attempt that has been opened and has not ended. At most one has its stream open, and it is the last.
A range of audio that may have been heard is not sent again unless the caller chose ``on_loss=replay``.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field

from mouthpiece.errors import AvatarSilent, AvatarTimeout
from mouthpiece.playback.commands import Clear, Close, Command, Open, Report, Send, Utterance
from mouthpiece.playback.pacing import BURST, LEAD, step
from mouthpiece.profiles import Profile
from mouthpiece.segments import Attempt, Mode, OnLoss, Problem, Receipt, State

RECEIPT_GRACE = 2.0
"""Seconds that a receipt may be late before the playout clock's word is taken."""
SILENCE_GRACE = 20.0
"""Seconds that an avatar which always reports its ends may be silent about one before the segment is ``unknown``:
it died without LiveKit having noticed, so nothing may be estimated."""
CLEAR_GRACE = 2.0
"""Seconds that the receipt of a cleared attempt may take (stock senders give up after as many)."""
EARLY = 0.25
"""Seconds that a receipt may come before the audio could have been played; earlier is not believed."""
STARTED_GRACE = 1.0
"""Seconds after the first write until a start is taken for granted where the avatar should have reported it."""
NO_AVATAR = Problem.of(AvatarTimeout("No avatar came into the room in time."))
SILENT = Problem.of(AvatarSilent("The avatar never reported the end of the segment."))
REWIND = 20.0
"""Seconds that a replay goes back before the clock's position: LiveKit may show a killed avatar for so long."""
OPEN_ATTEMPTS = 3
"""Streams that may fail to open before the segment has failed."""


class _Fate(enum.Enum):
    """What becomes of a flight once it is over."""

    FINISH = "finish"
    INTERRUPT = "interrupt"
    CANCEL = "cancel"
    """Cancelled if nothing of it was heard, else interrupted."""
    REQUEUE = "requeue"
    """Back to the head of the queue, the rest as a new attempt."""
    FAIL = "fail"


class _Clearing(enum.Enum):
    NO = "no"
    ASKED = "asked"
    ANSWERED = "answered"
    FAILED = "failed"
    """The avatar did not answer: what was sent plays on."""


@dataclass(slots=True)
class Waiting:
    """A segment in the queue, for whoever moves it to another ledger."""

    utterance: Utterance
    order: int
    """Its place: a segment that comes back to the queue comes back to where it was."""
    since: float
    """When it began to wait for an avatar."""
    offset: float = 0.0
    attempts: int = 0


@dataclass(slots=True)
class _Flight:
    waiting: Waiting
    attempt: Attempt
    opened_at: float
    sent: float = 0.0
    granted: float = 0.0
    first_write_at: float | None = None
    started_at: float | None = None
    """By the avatar's word."""
    closed_at: float | None = None
    """None while the stream is open."""
    whole: bool = False
    """Everything there was has been sent."""
    fate: _Fate = _Fate.FINISH
    clearing: _Clearing = _Clearing.NO
    cleared_at: float = 0.0
    late: float = 0.0
    """Seconds by which playout fell behind because the source did."""
    problem: Problem | None = None
    reported_playing: bool = False

    @property
    def segment(self) -> str:
        return self.waiting.utterance.segment

    @property
    def open(self) -> bool:
        return self.closed_at is None


@dataclass(slots=True)
class _Avatar:
    profile: Profile
    reports_ends: bool | None = None
    """Whether receipts of ends come at all; None until one came or was missed."""


@dataclass(slots=True)
class Ledger:
    """The ledger of one avatar (or of whichever avatar comes). See the module's docstring."""

    avatar_timeout: float = 30.0
    """Seconds that a segment waits for an avatar before it fails."""
    _queue: deque[Waiting] = field(default_factory=deque)
    _flights: deque[_Flight] = field(default_factory=deque)
    _avatar: _Avatar | None = None
    _viewers: int | None = None
    _out: list[Command] = field(default_factory=list)
    _last_order: int = 0
    _first_order: int = 0
    _held: bool = False
    absence: Problem = NO_AVATAR
    """What a segment fails with when no avatar came in time; whoever looks for the avatar keeps it up to date."""

    # What others may ask

    @property
    def idle(self) -> bool:
        """Nothing is queued and nothing awaits its end."""
        return not self._queue and not self._flights

    @property
    def quiet(self) -> bool:
        """Nothing of ours may be playing."""
        return not self._flights

    @property
    def queued(self) -> list[str]:
        """Ids of the segments that wait, in order."""
        return [waiting.utterance.segment for waiting in self._queue]

    @property
    def in_flight(self) -> list[str]:
        """Ids of the segments that have been opened and have not ended, in order."""
        return [flight.segment for flight in self._flights]

    def position(self, segment: str, now: float) -> float | None:
        """Seconds of a segment that have been played, as far as the clock knows; None if it is not on its way."""
        for flight in self._flights:
            if flight.segment == segment:
                return flight.waiting.offset + self._played(flight, now)
        return None

    def would_end(self, *, drop_queued: bool) -> list[str]:
        """Ids of the segments that ``interrupt`` would end now."""
        ids: list[str] = []
        flights = self._playing_out()
        if flights and flights[0].waiting.utterance.interruptible:
            ids.append(flights[0].segment)
            if drop_queued:
                ids += [flight.segment for flight in flights[1:] if flight.waiting.utterance.interruptible]
        if drop_queued:
            ids += [flight.segment for flight in self._flights if flight.fate is _Fate.REQUEUE] + self.queued
        return ids

    # Inputs

    def enqueue(self, utterance: Utterance, mode: Mode, now: float) -> list[Command]:
        """A new segment. ``mode=interrupt`` stops what plays and goes first; ``ignore`` ends it if anything is busy."""
        if mode is Mode.IGNORE and not self.idle:
            return [Report(utterance.segment, "segment.ignored", State.IGNORED)]
        if mode is Mode.INTERRUPT:
            self._interrupt(now)
            self._first_order -= 1
            order = self._first_order
        else:
            self._last_order += 1
            order = self._last_order
        self._put(Waiting(utterance, order, utterance.accepted_at))
        return self.tick(now)

    def withdraw(self, segment: str) -> Waiting | None:
        """Takes a segment that waits out of the queue without a word, to ``admit`` it to another ledger."""
        for waiting in self._queue:
            if waiting.utterance.segment == segment:
                self._queue.remove(waiting)
                return waiting
        return None

    def admit(self, waiting: Waiting, now: float) -> list[Command]:
        """Takes over a segment that another ledger withdrew, behind what waits here."""
        self._last_order += 1
        waiting.order = self._last_order
        waiting.since = now
        self._put(waiting)
        return self.tick(now)

    def hold(self) -> None:
        """Nothing that waits is begun any more: we are about to leave."""
        self._held = True

    def cancel(self, segment: str, now: float) -> list[Command]:
        """Ends one segment: cancelled if it waits, interrupted if it plays."""
        for waiting in self._queue:
            if waiting.utterance.segment == segment:
                self._queue.remove(waiting)
                self._end_waiting(waiting, State.CANCELLED)
                return self.tick(now)
        flights = self._playing_out()
        target = self._named(segment)
        if target in flights:
            self._clear(flights, now)
            for flight in flights:
                # a clear takes everything of ours; what was not meant goes on from where it was
                if flight is target:
                    flight.fate = _Fate.CANCEL
                elif flight.fate is _Fate.FINISH:
                    flight.fate = _Fate.REQUEUE
        elif target is not None and target.fate is _Fate.REQUEUE:
            target.fate = _Fate.CANCEL
        return self.tick(now)

    def interrupt(self, now: float, *, drop_queued: bool = False) -> list[Command]:
        """Stops what plays, unless it may not be interrupted; the queue goes on, or is dropped too."""
        if drop_queued:
            for waiting in list(self._queue):
                self._queue.remove(waiting)
                self._end_waiting(waiting, State.CANCELLED)
            for flight in self._flights:
                if flight.fate is _Fate.REQUEUE:
                    flight.fate = _Fate.CANCEL
        self._interrupt(now, drop_next=drop_queued)
        return self.tick(now)

    def opened_failed(self, attempt: Attempt, problem: Problem, now: float) -> list[Command]:
        """The stream could not be opened: nothing of the attempt was sent, and it is tried again, with a bound."""
        flight = self._flight(attempt)
        if flight is not None and flight.open:
            flight.closed_at = now
            if flight.fate is _Fate.FINISH:
                flight.fate = _Fate.REQUEUE if attempt.number < OPEN_ATTEMPTS else _Fate.FAIL
                flight.problem = problem
            self._land(flight, 0.0, Receipt.NONE, now)
        return self._flush()

    def progress(self, attempt: Attempt, sent: float, now: float, *, whole: bool = False) -> list[Command]:
        """``sent`` seconds of the attempt have been written; ``whole``: that was all there is."""
        flight = self._flight(attempt)
        if flight is None or not flight.open:
            return []
        if sent > flight.sent:
            if flight.first_write_at is None:
                flight.first_write_at = now
            elif self._previous(flight) is None:
                # All that was sent has been played already: what comes now is played that much later.
                flight.late += max(0.0, now - self._begins(flight, now) - flight.sent)
            flight.sent = sent
        if whole:
            flight.whole = True
            self._close(flight, now)
        return self.tick(now)

    def source_failed(self, attempt: Attempt, problem: Problem, now: float) -> list[Command]:
        """There is no more audio, for a bad reason: what was sent plays out, then the segment has failed."""
        flight = self._flight(attempt)
        if flight is not None and flight.open:
            if flight.fate is _Fate.FINISH:
                flight.fate, flight.problem = _Fate.FAIL, problem
            self._close(flight, now)
            if flight.sent == 0:
                self._land(flight, 0.0, Receipt.NONE, now)
        return self.tick(now)

    def started(self, segment: str | None, now: float) -> list[Command]:
        """The avatar began to play; ``segment`` None where its receipts carry no id.

        One without an id counts only while a stream of ours is open and has been written to: stock runners also
        send it right after the previous end (wire.md, 7).
        """
        flight = self._named(segment) if segment else self._head()
        if flight is not None and flight.first_write_at is not None and (segment or flight.open):
            if flight.started_at is None:
                flight.started_at = now
            self._playing(flight)
        return self.tick(now)

    def finished(self, segment: str | None, position: float, interrupted: bool, now: float) -> list[Command]:
        """The avatar ended an attempt. ``position``: seconds of the attempt, believed where the profile says so."""
        flight = self._named(segment) if segment else self._plausible(interrupted, now)
        if flight is None or self._avatar is None:
            return self.tick(now)
        self._avatar.reports_ends = True
        trusted = self._avatar.profile.trusts_position
        if flight.open:  # by its id: the avatar gave it up while we still sent
            self._close(flight, now)
            interrupted = True
        if interrupted and flight.fate is _Fate.FINISH:
            flight.fate = _Fate.INTERRUPT
        elif not interrupted and flight.whole and flight.fate is not _Fate.FAIL:
            flight.fate = _Fate.FINISH  # it was over before our clear came
        if trusted:
            heard = min(max(position, 0.0), flight.sent)
        else:
            heard = self._played(flight, now) if interrupted else flight.sent
        self._land(flight, heard, Receipt.CONFIRMED, now)
        return self.tick(now)

    def clear_answered(self, ok: bool, now: float) -> list[Command]:
        """The avatar cleared what it had of ours (``ok``), or did not answer."""
        for flight in self._flights:
            if flight.clearing is _Clearing.ASKED:
                flight.clearing = _Clearing.ANSWERED if ok else _Clearing.FAILED
        return self.tick(now)

    def avatar_ready(self, profile: Profile, now: float) -> list[Command]:
        """An avatar is there and listens to us."""
        self._avatar = _Avatar(profile, None if profile.receipts else False)
        return self.tick(now)

    def avatar_left(self, problem: Problem, now: float) -> list[Command]:
        """The avatar, the room or our own connection is gone. What may have been heard is ``unknown``."""
        exact = self._exact()
        self._avatar = None
        heard_until = self._expected_end(self._flights[0], now) if self._flights else now
        for index, flight in reversed(list(enumerate(self._flights))):
            if flight.open:
                self._close(flight, now)
            # The second of two gapless flights begins when the first ends: until then nothing of it was heard.
            untouched = flight.sent == 0 or (
                index > 0 and flight.started_at is None and (exact or now < heard_until - EARLY)
            )
            played = 0.0 if untouched else self._played(flight, now)
            if flight.fate in (_Fate.FINISH, _Fate.REQUEUE):
                flight.problem = problem
                surely = min(max(now - self._begins(flight, now) - REWIND, 0.0), flight.sent)
                replay = flight.waiting.utterance.on_loss is OnLoss.REPLAY and not (
                    flight.whole and surely >= flight.sent
                )
                if not untouched and not replay:
                    self._drop(flight, now)
                    self._report(flight, State.UNKNOWN, Receipt.UNKNOWN, played)
                    continue
                flight.fate = _Fate.REQUEUE
                played = 0.0 if untouched else surely
            receipt = Receipt.NONE if untouched else Receipt.UNKNOWN
            self._land(flight, played, receipt, now)
        for waiting in self._queue:
            waiting.since = max(waiting.since, now)
        return self.tick(now)

    def viewers(self, count: int, now: float) -> list[Command]:
        """How many people are in the room."""
        if count and not self._viewers:
            for waiting in self._queue:
                waiting.since = max(waiting.since, now)  # now there is somebody for whom an avatar should come
        self._viewers = count
        return self.tick(now)

    def give_up(self, problem: Problem, now: float) -> list[Command]:
        """No avatar will say any of this (the room ended, or it listens to somebody else): all that waits fails."""
        commands = self.avatar_left(problem, now)
        for waiting in list(self._queue):
            self._queue.remove(waiting)
            self._end_waiting(waiting, State.FAILED, problem)
        return commands + self._flush()

    # Time

    def tick(self, now: float) -> list[Command]:
        """What time alone brings about: ends, expiries, time-outs, the next stream, the next audio."""
        self._end_by_clock(now)
        self._expire(now)
        self._open_next(now)
        for flight in self._flights:
            self._assume_start(flight, now)
            self._grant(flight, now)
        return self._flush()

    def next_wakeup(self, now: float) -> float | None:
        """When ``tick`` has something to do again at the latest; None if only an input can change anything."""
        times: list[float] = []
        for flight in self._flights:
            if flight.open:
                times.append(now + step(flight.granted))
            else:
                times.append(self._deadline(flight, now))
            if (assumed := self._starts_by(flight)) is not None:
                times.append(assumed)
        for waiting in self._queue:
            if waiting.utterance.expires_at is not None and waiting.offset == 0:
                times.append(waiting.utterance.expires_at)
            if (fails := self._fails_at(waiting)) is not None:
                times.append(fails)
        return max(now + 0.005, min(times)) if times else None

    # Inside

    def _flush(self) -> list[Command]:
        out, self._out = self._out, []
        return out

    def _flight(self, attempt: Attempt) -> _Flight | None:
        return next((flight for flight in self._flights if flight.attempt == attempt), None)

    def _named(self, segment: str) -> _Flight | None:
        return next((flight for flight in self._flights if flight.segment == segment), None)

    def _head(self) -> _Flight | None:
        """The flight that an idless receipt can be about: the first that was not cleared."""
        return next((flight for flight in self._flights if flight.clearing is _Clearing.NO), None)

    def _plausible(self, interrupted: bool, now: float) -> _Flight | None:
        """The flight that a receipt without an id is about, if it can be about any.

        An interruption is believed only where we asked for one: nobody else can clear us, so it is the late receipt
        of an earlier clear. An end is believed only if everything was sent and could have been played by now.
        """
        if interrupted:
            return next((flight for flight in self._flights if flight.clearing is not _Clearing.NO), None)
        for flight in self._flights:
            if flight.clearing is not _Clearing.NO or flight.open or flight.first_write_at is None:
                continue
            return flight if now >= flight.first_write_at + flight.sent - EARLY else None
        return None

    def _start(self, flight: _Flight) -> float | None:
        """When its playout began, by the avatar's word or else by the first write."""
        return flight.started_at if flight.started_at is not None else flight.first_write_at

    def _previous(self, flight: _Flight) -> _Flight | None:
        index = self._flights.index(flight)
        return self._flights[index - 1] if index else None

    def _begins(self, flight: _Flight, now: float) -> float:
        """When its playout began or will begin: gapless flights follow one another."""
        start = self._start(flight)
        begins = now if start is None else start + flight.late
        previous = self._previous(flight)
        if flight.started_at is None and previous is not None and previous.clearing is _Clearing.NO:
            begins = max(begins, self._expected_end(previous, now))
        return begins

    def _expected_end(self, flight: _Flight, now: float) -> float:
        return self._begins(flight, now) + flight.sent

    def _played(self, flight: _Flight, now: float) -> float:
        if flight.first_write_at is None:
            return 0.0
        until = flight.cleared_at if flight.clearing is _Clearing.ANSWERED else now
        return min(max(until - self._begins(flight, now), 0.0), flight.sent)

    def _deadline(self, flight: _Flight, now: float) -> float:
        """When a closed flight ends without a receipt."""
        receipts = self._avatar is None or self._avatar.profile.receipts
        if flight.clearing in (_Clearing.ASKED, _Clearing.ANSWERED):
            answered_for_good = flight.clearing is _Clearing.ANSWERED and not receipts
            return flight.cleared_at + (0.0 if answered_for_good else CLEAR_GRACE)
        if self._exact():
            return self._expected_end(flight, now) + SILENCE_GRACE
        end = self._expected_end(flight, now) + (RECEIPT_GRACE if receipts else 0.0)
        if self._patient(flight) and flight.closed_at is not None:
            # A receiver may wait for the end of the stream before it plays, so the clock may have begun too early.
            end = max(end, flight.closed_at + flight.sent + RECEIPT_GRACE)
        return end

    def _exact(self) -> bool:
        return self._avatar is not None and self._avatar.profile.segment_ids

    def _patient(self, flight: _Flight) -> bool:
        avatar = self._avatar
        return (
            avatar is not None
            and not avatar.profile.segment_ids
            and avatar.reports_ends is not False
            and flight.started_at is None
        )

    def _end_by_clock(self, now: float) -> None:
        for flight in list(self._flights):
            if flight.open or now < self._deadline(flight, now):
                continue
            if flight.clearing is _Clearing.NO and self._avatar is not None and self._avatar.reports_ends is None:
                self._avatar.reports_ends = False
            if flight.fate is _Fate.REQUEUE and flight.clearing is not _Clearing.NO and flight.sent > 0:
                # Cleared beside another one and never confirmed: how much was heard is not known.
                flight.fate = _Fate.INTERRUPT
            if flight.clearing is _Clearing.NO and flight.fate is _Fate.FINISH and self._exact():
                flight.problem = SILENT
                played = self._played(flight, now)
                self._drop(flight, now)
                self._report(flight, State.UNKNOWN, Receipt.UNKNOWN, played)
                continue
            self._land(flight, self._played(flight, now), Receipt.ESTIMATED, now)

    def _expire(self, now: float) -> None:
        for waiting in list(self._queue):
            expires = waiting.utterance.expires_at
            if expires is not None and now >= expires and waiting.offset == 0:
                self._queue.remove(waiting)
                self._end_waiting(waiting, State.EXPIRED)
            elif (fails := self._fails_at(waiting)) is not None and now >= fails:
                self._queue.remove(waiting)
                self._end_waiting(waiting, State.FAILED, self.absence)

    def _fails_at(self, waiting: Waiting) -> float | None:
        """When a segment has waited for an avatar long enough. One that wants a viewer waits for that first: no avatar
        is kept in a room that nobody looks at."""
        if self._avatar is not None or (waiting.utterance.wait_for_viewer and not self._viewers):
            return None
        return waiting.since + self.avatar_timeout

    def _open_next(self, now: float) -> None:
        if self._avatar is None or not self._queue or self._held:
            return
        uncleared = [flight for flight in self._flights if flight.clearing is not _Clearing.ANSWERED]
        if any(
            flight.open
            or flight.clearing is _Clearing.ASKED
            or (flight.fate is _Fate.REQUEUE and flight.clearing is _Clearing.ANSWERED)
            for flight in self._flights
        ):
            return
        if len(uncleared) >= self._avatar.profile.outstanding:
            return
        waiting = self._queue[0]
        if waiting.utterance.wait_for_viewer and not self._viewers:
            return
        self._queue.popleft()
        waiting.attempts += 1
        attempt = Attempt(waiting.utterance.segment, waiting.attempts, waiting.offset)
        self._flights.append(_Flight(waiting, attempt, now))
        self._out.append(Open(attempt))
        self._out.append(
            Report(attempt.segment, "attempt.opened", self._state(waiting), position=waiting.offset, attempt=attempt)
        )

    def _grant(self, flight: _Flight, now: float) -> None:
        if not flight.open or self._avatar is None:
            return
        if not self._avatar.profile.paced:
            up_to = float("inf")
        elif flight.first_write_at is None and self._previous(flight) is None:
            up_to = BURST
        else:
            elapsed = now - self._begins(flight, now)
            up_to = min(elapsed + LEAD, max(BURST + 2 * elapsed, BURST)) if elapsed >= 0 else elapsed + LEAD
        if up_to >= flight.granted + step(flight.granted):
            flight.granted = up_to
            self._out.append(Send(flight.attempt, up_to))

    def _assume_start(self, flight: _Flight, now: float) -> None:
        """Without its word: a start is taken for granted with the first write, or a while after it."""
        starts = self._starts_by(flight)
        if starts is not None and now >= starts:
            self._playing(flight)

    def _starts_by(self, flight: _Flight) -> float | None:
        """When a start is taken for granted that was not reported; None: it was, or another one plays before."""
        if flight.reported_playing or flight.first_write_at is None or self._avatar is None:
            return None
        if flight.clearing is not _Clearing.NO or self._previous(flight) is not None:
            return None
        return flight.first_write_at + (STARTED_GRACE if self._avatar.profile.segment_ids else 0.0)

    def _playing(self, flight: _Flight) -> None:
        if flight.reported_playing:
            return
        flight.reported_playing = True
        self._out.append(
            Report(
                flight.segment, "segment.playing", State.PLAYING, position=flight.waiting.offset, attempt=flight.attempt
            )
        )

    def _interrupt(self, now: float, *, drop_next: bool = False) -> None:
        flights = self._playing_out()
        if not flights or not flights[0].waiting.utterance.interruptible:
            return
        self._clear(flights, now)
        for index, flight in enumerate(flights):
            keep = index > 0 and not (drop_next and flight.waiting.utterance.interruptible)
            if not keep:
                flight.fate = _Fate.CANCEL if index > 0 else _Fate.INTERRUPT
            elif flight.fate is _Fate.FINISH:
                flight.fate = _Fate.REQUEUE

    def _playing_out(self) -> list[_Flight]:
        """The flights that a clear would end: not those for which one is on its way."""
        return [flight for flight in self._flights if flight.fate in (_Fate.FINISH, _Fate.FAIL)]

    def _clear(self, flights: list[_Flight], now: float) -> None:
        self._out.append(Clear())
        for flight in flights:
            flight.clearing, flight.cleared_at = _Clearing.ASKED, now
            if flight.open:
                self._close(flight, now)

    def _close(self, flight: _Flight, now: float) -> None:
        flight.closed_at = now
        self._out.append(Close(flight.attempt))

    def _drop(self, flight: _Flight, now: float) -> None:
        index = self._flights.index(flight)
        end = min(self._expected_end(flight, now), now)
        self._flights.remove(flight)
        if index < len(self._flights):
            following = self._flights[index]
            if following.first_write_at is not None:
                following.first_write_at = max(following.first_write_at, end)

    def _put(self, waiting: Waiting) -> None:
        """Into the queue, at its place."""
        index = next((i for i, other in enumerate(self._queue) if other.order > waiting.order), len(self._queue))
        self._queue.insert(index, waiting)

    def _land(self, flight: _Flight, played: float, receipt: Receipt, now: float) -> None:
        """A flight is over: its segment ends, or its rest goes back to the head of the queue."""
        self._drop(flight, now)
        if flight.fate is _Fate.REQUEUE and not (flight.whole and played >= flight.sent > 0):
            waiting = flight.waiting
            waiting.offset += played
            waiting.since = now
            self._put(waiting)
            state = State.PLAYING if flight.reported_playing else self._state(waiting)
            self._out.append(
                Report(flight.segment, "attempt.ended", state, position=waiting.offset, attempt=flight.attempt)
            )
            return
        state = {
            _Fate.FINISH: State.FINISHED,
            _Fate.REQUEUE: State.FINISHED,  # all of it was heard
            _Fate.INTERRUPT: State.INTERRUPTED,
            _Fate.CANCEL: State.INTERRUPTED if played > 0 else State.CANCELLED,
            _Fate.FAIL: State.FAILED,
        }[flight.fate]
        self._report(flight, state, receipt, played)

    def _report(self, flight: _Flight, state: State, receipt: Receipt, played: float) -> None:
        self._out.append(
            Report(
                flight.segment,
                f"segment.{state}",
                state,
                receipt,
                flight.waiting.offset + played,
                interrupted=state is State.INTERRUPTED,
                problem=flight.problem if state in (State.FAILED, State.UNKNOWN) else None,
                attempt=flight.attempt,
            )
        )

    @staticmethod
    def _state(waiting: Waiting) -> State:
        return State.PLAYING if waiting.offset > 0 else State.QUEUED

    def _end_waiting(self, waiting: Waiting, state: State, problem: Problem | None = None) -> None:
        """Ends a segment that waits. One that was heard in part before it came back to the queue was interrupted."""
        if waiting.offset > 0 and state is State.CANCELLED:
            state = State.INTERRUPTED
        self._out.append(
            Report(
                waiting.utterance.segment,
                f"segment.{state}",
                state,
                Receipt.CONFIRMED if waiting.offset > 0 else Receipt.NONE,
                waiting.offset,
                interrupted=state is State.INTERRUPTED,
                problem=problem,
            )
        )
