"""The ledger: what is queued, what plays and what awaits its receipt, for one avatar. No I/O.

It takes inputs (methods, each with ``now``, monotonic seconds) and answers with commands; a thin shell carries them
out and calls ``tick`` again by ``next_wakeup``. It never sleeps, reads a clock or touches a room.

::

    queue ──Open──▶ flight: sending ──Close──▶ awaiting its receipt ──▶ one terminal state
      ▲                 │                            │
      │                 └──────── Clear ─────────────┴──▶ interrupted or cancelled
      └──────────────── its rest, as a new attempt ──┘

A *flight* is an attempt that has been opened and has not ended. At most one has its stream open, and it is the last.
After an absence (of LiveKit, of the avatar, of this process) nothing is sent until the avatar has been asked what
became of each flight; where it cannot be asked, what may have been heard is ``unknown``.

Rules that hold whatever happens:

- A range of audio that may have been heard is not sent again unless the caller chose ``on_loss=replay``.
- A segment that was reported as ``playing`` is never reported as ``queued`` again.
- Nothing of which something may have been heard ends as ``cancelled`` or ``expired``.
- The position of a segment never falls.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from mouthpiece.errors import AvatarLeft, AvatarSilent, AvatarTimeout, LiveKitUnavailable, SenderRestarted
from mouthpiece.playback.absence import Place, find
from mouthpiece.playback.at_most_once import after_report, goes_on_unreported
from mouthpiece.playback.broken_off import JOINS_ANEW_WITHIN, BrokenOff
from mouthpiece.playback.clearing import (
    cancel_one,
    drop_requeued,
    hold_back,
    interrupt_first,
    interruptible,
    playing_out,
    supersede_requeued,
    would_end,
)
from mouthpiece.playback.commands import AskStatus, Command, Report, Send, SendSilence, Utterance
from mouthpiece.playback.flight import Flight, FlightState, Outcome
from mouthpiece.playback.heard import Heard
from mouthpiece.playback.in_flight import InFlight
from mouthpiece.playback.pacing import allowance, write_length
from mouthpiece.playback.queue import SegmentQueue, Waiting
from mouthpiece.playback.receipts import about, ends_from, heard_of, outcome_of
from mouthpiece.playback.receiver import AWAY_LIMIT, RECEIPT_GRACE, SILENCE_GRACE, Receiver
from mouthpiece.playback.restored import Restored
from mouthpiece.profiles import Profile
from mouthpiece.segments import Attempt, EndedBy, Mode, Problem, Receipt, State
from mouthpiece.wire import PlaybackReceipt, Status

FAILED_OPENS = 3
"""Streams that may fail to open before the segment fails."""

NO_AVATAR = Problem.of(AvatarTimeout("No avatar came into the room in time."))
SILENT = Problem.of(AvatarSilent("The avatar never reported the end of the segment."))
DEAF = Problem.of(
    AvatarSilent(
        "A stream to the avatar broke off before this one (the sender was killed, or lost LiveKit), and the avatar has "
        "reported nothing since: a receiver of livekit-agents hears nothing more. Start the avatar again."
    )
)
LIVEKIT_AWAY = Problem.of(LiveKitUnavailable("LiveKit was away for so long that nobody can say how much was heard."))
REPLACED = Problem.of(AvatarLeft("The avatar that played it is gone; another one has come."))
RESTARTED = Problem.of(
    SenderRestarted("The sender was restarted while it played, and this avatar cannot say how much was heard.")
)


@dataclass(slots=True)
class Ledger:
    """The ledger of one avatar (or of whichever avatar comes). See the module's docstring."""

    avatar_timeout: float = 30.0
    """Seconds that a segment waits for an avatar before it fails."""
    listens: bool = False
    """The shell calls ``judged`` after each whole attempt, where the avatar's profile asks for that."""
    absence: Problem = NO_AVATAR
    """The error of a segment for which no avatar came in time; the shell keeps it up to date."""
    number: Callable[[], int] = field(default_factory=lambda: itertools.count(1).__next__)
    """Returns the next number in order of acceptance, the same for all ledgers that hand segments to each other."""
    _queue: SegmentQueue = field(init=False)
    _flights: InFlight = field(init=False)
    _receiver: Receiver | None = None
    """The avatar that is there and listens."""
    _livekit_away: bool = False
    _viewers: int | None = None
    _held: bool = False
    _broken_off: BrokenOff = field(default_factory=BrokenOff)
    _held_by_stall: bool = False
    _flowed_at: float = float("-inf")
    """When LiveKit stood still no more."""

    def __post_init__(self) -> None:
        self._queue = SegmentQueue(self.number)
        self._flights = InFlight(self._queue)

    # Questions

    @property
    def idle(self) -> bool:
        """Nothing is queued and nothing awaits its end."""
        return not len(self._queue) and not len(self._flights)

    @property
    def quiet(self) -> bool:
        """Nothing of ours may be playing."""
        return not len(self._flights)

    @property
    def present(self) -> list[str]:
        """Ids of the segments in flight whose avatar can be reached, in order."""
        return [flight.segment for flight in self._flights.present]

    @property
    def queued(self) -> list[str]:
        """Ids of the segments that wait, in order."""
        return [waiting.segment for waiting in self._queue]

    @property
    def in_flight(self) -> list[str]:
        """Ids of the segments that have been opened and have not ended, in order."""
        return [flight.segment for flight in self._flights]

    @property
    def deaf(self) -> bool:
        """The avatar takes nothing any more, as far as its track shows."""
        return self._receiver is not None and self._receiver.deaf

    @property
    def may_be_deafened(self) -> bool:
        """LiveKit went away while something was at an avatar that goes deaf if its sender leaves meanwhile."""
        return self._broken_off.awaited

    @property
    def held_by_stall(self) -> bool:
        """LiveKit stands still: nothing is sent, and nothing ends by the clock."""
        return self._held_by_stall

    def position(self, segment: str, now: float) -> float | None:
        """Return the furthest second of a segment that has been heard; None if it is not on its way.

        Where the avatar reports each start, nothing counts before that report; where it can be asked how far it is,
        no more than it said counts, and the time since. No later position is below this one.
        """
        flight = self._flights.named(segment)
        if flight is None:
            return None
        heard = flight.waiting.heard.position
        flight.shown = flight.reported_played(now, reports_starts=self._exact)
        return max(heard, flight.attempt.offset + flight.shown) if flight.shown > 0 else heard

    def playhead(self, segment: str, now: float) -> float | None:
        """Return the second of a segment that plays now, which a replay puts back; None if it is not on its way."""
        flight = self._flights.named(segment)
        return None if flight is None else flight.attempt.offset + flight.played(now)

    def would_end(self, *, drop_queued: bool) -> list[str]:
        """Return the ids of the segments that ``interrupt`` would end now."""
        ids = would_end(list(self._flights), drop_queued=drop_queued)
        return ids + [waiting.segment for waiting in self._queue if drop_queued or waiting.paused]

    @property
    def paused(self) -> bool:
        """Nothing is played until ``resume``."""
        return self._queue.paused

    # Inputs from callers

    def enqueue(self, utterance: Utterance, mode: Mode, now: float) -> list[Command]:
        """Accept a segment. ``mode=interrupt`` stops what plays and goes first; ``ignore`` ends it if anything is
        queued or plays."""
        if mode is Mode.IGNORE and not self.idle:
            return [Report(utterance.segment, "segment.ignored", State.IGNORED)]
        first = mode is Mode.INTERRUPT
        if first:
            self._supersede(now)
        self._queue.put(Waiting(utterance, self._queue.next_order(first=first), utterance.accepted_at))
        return self.tick(now)

    def restore(self, restored: Restored, now: float) -> list[Command]:
        """Take over a segment that an earlier process left; call it in the order in which they were accepted."""
        waiting = Waiting(
            restored.utterance,
            self._queue.next_order(first=restored.put_first),
            now,
            offset=restored.offset,
            heard=restored.heard,
            attempts=restored.attempts,
            begun=restored.begun,
            paused=restored.paused,
        )
        unsettled = restored.unsettled
        if unsettled is None:
            self._queue.put(waiting)
            return self.tick(now)
        self._flights.restore(waiting, unsettled.attempt, unsettled.session, unsettled.length, now)
        self._broken_off.in_session(unsettled.session)
        return self.tick(now)

    def withdraw(self, segment: str) -> Waiting | None:
        """Take a waiting segment out of the queue without a report, to ``admit`` it to another ledger."""
        return self._queue.take(segment)

    def admit(self, waiting: Waiting, now: float) -> list[Command]:
        """Take over a segment that another ledger withdrew. It keeps its place in the order of acceptance."""
        waiting.since = now
        self._queue.put(waiting)
        return self.tick(now)

    def hold(self) -> None:
        """Begin nothing that waits any more: the shell is about to leave."""
        self._held = True

    def cut(self, now: float) -> list[Command]:
        """The shell leaves now: cut what plays. Where positions are exact it goes on from there after a restart, and
        is reported as it stands; elsewhere it is interrupted."""
        playing = playing_out(self._flights.present)
        if playing:
            self._flights.clear(playing, now)
            if self._exact:
                hold_back(playing)
            else:
                interrupt_first(playing, EndedBy.RESTART, drop_next=False)
        return self.tick(now)

    def pause(self, now: float) -> list[Command]:
        """Stop what plays, remember where, and begin nothing until ``resume``."""
        if not self._queue.paused:
            self._queue.paused = True
            if playing := playing_out(self._flights.present):
                self._flights.clear(playing, now)
                hold_back(playing)
            for waiting in self._queue:
                if waiting.begun:
                    self._flights.pause(waiting)
        return self.tick(now)

    def resume(self, now: float) -> list[Command]:
        """Go on with what was paused, and then with what waits."""
        self._queue.paused = False
        self._wait_anew(now)
        return self.tick(now)

    def cancel(self, segment: str, now: float) -> list[Command]:
        """End one segment: cancelled if nothing of it was heard, interrupted otherwise."""
        if (waiting := self._queue.take(segment)) is not None:
            self._flights.end_waiting(waiting, State.CANCELLED, EndedBy.CALLER)
            return self.tick(now)
        playing, target = playing_out(self._flights.present), self._flights.named(segment)
        if target is not None and target in playing:
            self._flights.clear(playing, now)
            cancel_one(playing, target)
        elif target is not None and (target.outcome is Outcome.REQUEUE or target.state is FlightState.ABSENT):
            cancel_one([target], target)
        return self.tick(now)

    def interrupt(self, now: float, *, drop_queued: bool = False) -> list[Command]:
        """Stop what plays, unless it may not be interrupted; the queue goes on, or is dropped too."""
        if drop_queued:
            for waiting in self._queue:
                self._flights.end_waiting(waiting, State.CANCELLED, EndedBy.CALLER)
            drop_requeued(self._flights)
        self._interrupt(EndedBy.CALLER, now, drop_next=drop_queued)
        return self.tick(now)

    # Inputs from the streams

    def not_opened(self, attempt: Attempt, problem: Problem, now: float) -> list[Command]:
        """The stream could not be opened: nothing of the attempt was sent. It is tried again, ``FAILED_OPENS`` times
        in all."""
        flight = self._flights.of(attempt)
        if flight is not None and flight.open:
            flight.move(FlightState.AWAITING, now)
            flight.waiting.failed_opens += 1
            if flight.outcome is Outcome.FINISH:
                again = flight.waiting.failed_opens < FAILED_OPENS
                flight.decide(Outcome.REQUEUE if again else Outcome.FAIL, EndedBy.CONNECTION, problem)
            self._flights.settle_unsent(flight, now)
        return self._flush()

    def progress(self, attempt: Attempt, sent: float, now: float, *, whole: bool = False) -> list[Command]:
        """``sent`` seconds of the attempt have been written; ``whole``: that was all there is."""
        flight = self._flights.of(attempt)
        if flight is None or not flight.open:
            return []
        flight.write(sent, now)
        if whole:
            flight.whole = True
            self._flights.close(flight, now)
        return self.tick(now)

    def source_failed(self, attempt: Attempt, problem: Problem, now: float) -> list[Command]:
        """The source broke: what was sent plays out, then the segment has failed."""
        flight = self._flights.of(attempt)
        if flight is not None and flight.open:
            if flight.outcome is Outcome.FINISH:
                flight.decide(Outcome.FAIL, EndedBy.SOURCE, problem)
            self._flights.close(flight, now)
            if flight.sent == 0:
                self._flights.settle_unsent(flight, now)
        return self.tick(now)

    # Inputs from the avatar

    def reported(self, receipt: PlaybackReceipt, now: float) -> list[Command]:
        """The avatar began to play an attempt, or ended one; receipts.py says which, and what is believed of it."""
        flight = about(receipt, self._flights, now)
        if flight is None and receipt.segment is None and receipt.event == "finished":
            self._reported_unasked(now)
        if flight is None or flight.state is FlightState.ABSENT:  # an absent one is settled by the status
            return self.tick(now)
        if receipt.event == "finished":
            self._finish(flight, receipt.position, receipt.interrupted, now)
        elif flight.first_write_at is not None:
            if self._receiver is not None:
                self._receiver.reported(end=False)
            if flight.started_at is None:
                flight.started_at = now
            if flight.previous is not None and not flight.previous.clear_asked:
                flight.previous.followed = True
            self._flights.start(flight)
        return self.tick(now)

    def _reported_unasked(self, now: float) -> None:
        """The avatar reported the end of what is over, or of the silence that tests its hearing."""
        if self._receiver is not None and self._receiver.reported_unasked(now):
            self._broken_off.reported_ends = True

    def _finish(self, flight: Flight, position: float, interrupted: bool, now: float) -> None:
        if self._receiver is None:
            return
        if self._exact and not (interrupted or flight.clear_asked) and now < ends_from(flight, position):
            flight.reported_end = position
            return
        self._receiver.reported(end=True)
        self._broken_off.reported_ends = True
        if flight.open:  # by its id: the avatar gave it up while we still sent
            self._flights.close(flight, now)
            interrupted = True
        heard = heard_of(flight, self._receiver.profile, position, interrupted, now)
        if (outcome := outcome_of(flight, heard, interrupted)) is not flight.outcome:
            flight.decide(outcome, EndedBy.AVATAR)
        self._flights.settle(flight, heard, after_report(flight, heard), now)

    def judged(self, heard: bool | None, now: float) -> list[Command]:
        """What the avatar's track proves of an attempt that ended: that it was heard, that it was not, or nothing."""
        if self._receiver is not None:
            self._receiver.judged(heard)
        return self.tick(now)

    def clear_answered(self, ok: bool, now: float) -> list[Command]:
        """The avatar cleared what it had of ours (``ok``), or did not answer: then it is asked, if it can be, what
        became of it."""
        unanswered = FlightState.ABSENT if self._answers_questions else FlightState.UNCLEARED
        for flight in self._flights:
            if flight.state is FlightState.CLEARING:
                flight.move(FlightState.CLEARED if ok else unanswered, now)
        return self.tick(now)

    def status(self, status: Status | None, now: float) -> list[Command]:
        """The answer to ``AskStatus``; None if there was none."""
        receiver = self._receiver
        if receiver is None:
            return self.tick(now)
        was_silent = receiver.silent
        receiver.answer(status is not None, now)
        if status is None:
            if receiver.silent and not was_silent:
                self._flights.make_absent(now)
                self._wait_anew(now)
            return self.tick(now)
        at_avatar = []
        for flight in list(self._flights):
            found = find(flight, status)
            if found.where is Place.AT_AVATAR and flight.state is FlightState.ABSENT:
                at_avatar.append(flight)
            elif flight.state is FlightState.ABSENT:
                self._flights.settle_absent(flight, found, now)
            elif found.where is Place.ENDED:  # its receipt was lost
                self._finish(flight, found.position, found.interrupted, now)
            elif found.where is Place.AT_AVATAR and found.position > 0:
                flight.say(found.position, now)
        if at_avatar:
            # What was sent ahead may be there in part: it is cut, and the rest is sent from where it was heard.
            self._flights.clear(at_avatar, now)
            hold_back(at_avatar)
        return self.tick(now)

    def avatar_ready(self, profile: Profile, now: float, *, session: str = "") -> list[Command]:
        """An avatar is there and listens to us.

        :param session: names this avatar session; another one knows nothing of what was sent to this one.
        """
        self._held_by_stall = False
        broke_off = self._broken_off.begins(session)
        self._receiver = Receiver(
            profile,
            session,
            now,
            may_be_deaf=broke_off and profile.receipts and not profile.status,
            has_reported=self._broken_off.reported_ends,
        )
        for flight in reversed(self._flights.absent):
            if not profile.status or flight.session != session:
                problem, by = (RESTARTED, EndedBy.RESTART) if flight.restored else (REPLACED, EndedBy.AVATAR)
                self._flights.lose(flight, problem, by, now, reports_starts=False)
        return self.tick(now)

    def avatar_left(self, problem: Problem, now: float, *, by: EndedBy = EndedBy.AVATAR) -> list[Command]:
        """The avatar or the room is gone, for good. A segment that may have been heard ends as ``unknown``, or goes
        back to the queue with ``on_loss=replay``."""
        if self._receiver is not None and self._receiver.may_be_deaf and now < self._flowed_at + JOINS_ANEW_WITHIN:
            self._broken_off.with_livekit()
        exact, self._receiver = self._exact, None
        for flight in reversed(list(self._flights)):  # the second of two gapless ones while the first is still there
            if flight.open:
                self._flights.close(flight, now)
            known = exact or flight.state is FlightState.ABSENT
            self._flights.lose(flight, problem, by, now, reports_starts=known)
        self._wait_anew(now)
        return self.tick(now)

    def connection_lost(self, problem: Problem, now: float) -> list[Command]:
        """The connection to LiveKit is away. An avatar that answers ``mouthpiece.status`` is asked later what became
        of its flights; elsewhere this is as if the avatar had left."""
        self._livekit_away, self._held_by_stall = True, False
        if self._receiver is not None and not self._receiver.profile.status and len(self._flights):
            # an open stream breaks off, and of one that is closed the receipt may not get through
            self._broken_off.with_livekit()
        if self._receiver is None or not self._receiver.profile.status:
            return [] if self._flights.absent else self.avatar_left(problem, now, by=EndedBy.CONNECTION)
        self._flights.make_absent(now)
        self._receiver = None
        return self.tick(now)

    def connection_back(self, now: float) -> list[Command]:
        """LiveKit is there again: the time without it does not count as time without an avatar."""
        self._livekit_away, self._flowed_at = False, now
        self._wait_anew(now)
        return self.tick(now)

    def stalled(self, since: float, now: float) -> list[Command]:
        """LiveKit stands still, and the avatar cannot be asked what became of its flights: they are held. What is
        played from ``since`` on counts as not heard."""
        self._held_by_stall = True
        for flight in self._flights.present:
            flight.held_at = since if flight.held_at is None else flight.held_at
        return self.tick(now)

    def flows(self, now: float, *, was_away: bool = True) -> list[Command]:
        """LiveKit goes on.

        :param was_away: it stood still indeed: reports of ends that came to be due meanwhile may still come.
        """
        self._held_by_stall = False
        if was_away:
            self._flowed_at = now
        for flight in self._flights:
            flight.held_at = None
        self._wait_anew(now)
        return self.tick(now)

    def viewers(self, count: int, now: float) -> list[Command]:
        """``count`` people are in the room."""
        if count and not self._viewers:
            self._wait_anew(now)  # now there is somebody for whom an avatar should come
        self._viewers = count
        return self.tick(now)

    def give_up(self, problem: Problem, now: float, *, by: EndedBy = EndedBy.AVATAR) -> list[Command]:
        """No avatar will play any of this (the room ended, or it listens to another sender): what waits fails."""
        commands = self.avatar_left(problem, now, by=by)
        for waiting in self._queue:
            self._flights.end_waiting(waiting, State.FAILED, by, problem)
        return commands + self._flush()

    # Time

    def tick(self, now: float) -> list[Command]:
        """Do what time alone brings about: ends, expiries, time-outs, the next stream, the next audio."""
        self._end_by_clock(now)
        self._test_hearing(now)
        self._expire(now)
        self._open_next(now)
        self._ask(now)
        for flight in self._flights:
            self._assume_start(flight, now)
            self._grant(flight, now)
        return self._flush()

    def next_wakeup(self, now: float) -> float | None:
        """Return when ``tick`` has something to do again at the latest; None if only an input can change anything."""
        times: list[float] = []
        for flight in self._flights:
            if flight.state is FlightState.ABSENT:
                times.append(self._absent_until(flight))
                continue
            if self._receiver is None:
                break
            if flight.reported_end is not None:
                times.append(ends_from(flight, flight.reported_end))
            if flight.open:
                times.append(now + write_length(flight.granted))
            else:
                times.append(self._deadline(self._receiver, flight, now))
            if (starts := self._receiver.starts_by(flight)) is not None:
                times.append(starts)
        for waiting in self._queue:
            times += [at for at in (waiting.expires_at, self._fails_at(waiting)) if at is not None]
        if (question := self._question_at) is not None:
            times.append(question)
        if self._receiver is not None and self._receiver.undecided and len(self._queue) and not self._held_by_stall:
            times.append(self._receiver.test_at)
        return max(now + 0.005, min(times)) if times else None

    # The avatar

    def _wait_anew(self, now: float) -> None:
        """The wait for an avatar counts from now."""
        for waiting in [*self._queue, *(flight.waiting for flight in self._flights)]:
            waiting.since = max(waiting.since, now)

    def _flush(self) -> list[Command]:
        out, self._flights.out = self._flights.out, []
        return out

    @property
    def _listens(self) -> bool:
        """An avatar is there, and answers, or takes what it is sent."""
        return self._receiver is not None and not (self._receiver.silent or self._receiver.deaf)

    @property
    def _silence(self) -> Problem:
        """Why nothing is sent."""
        if self._receiver is None:
            return self.absence
        return DEAF if self._receiver.deaf else SILENT

    @property
    def _answers_questions(self) -> bool:
        """It can be asked what became of a stream."""
        return self._receiver is not None and self._receiver.profile.status

    @property
    def _question_at(self) -> float | None:
        return None if self._receiver is None else self._receiver.next_question(flying=len(self._flights) > 0)

    @property
    def _exact(self) -> bool:
        return self._receiver is not None and self._receiver.exact

    def _fails_at(self, waiting: Waiting) -> float | None:
        """Return when a segment has waited for an avatar long enough. One that wants a viewer waits for that first: no
        avatar is kept in a room without viewers."""
        if self._listens or self._livekit_away or self._held_by_stall or self._queue.paused:
            return None
        if waiting.utterance.wait_for_viewer and not self._viewers:
            return None
        return waiting.since + self.avatar_timeout

    # What time brings about

    def _end_by_clock(self, now: float) -> None:
        for flight in reversed(self._flights.absent):
            if now >= self._absent_until(flight):
                problem = self._silence
                by = EndedBy.RESTART if flight.restored else EndedBy.AVATAR
                if self._livekit_away:
                    problem, by = LIVEKIT_AWAY, EndedBy.CONNECTION
                self._flights.lose(flight, problem, by, now, reports_starts=False)
        for flight in self._flights.present:
            if flight.reported_end is not None and now >= ends_from(flight, flight.reported_end):
                self._finish(flight, flight.reported_end, False, now)
        for flight in self._flights.present:
            if self._receiver is None or flight.open or now < self._deadline(self._receiver, flight, now):
                continue
            if flight.clear_asked and flight.sent > 0 and self._answers_questions:
                flight.move(FlightState.ABSENT, now)
                continue
            if not flight.clear_asked:
                listened = self.listens and self._receiver.listened and flight.whole
                self._receiver.missed_end(listened=listened)
                if self._receiver.deaf:
                    self._wait_anew(now)
            self._end_unreported(flight, now)

    def _deadline(self, receiver: Receiver, flight: Flight, now: float) -> float:
        """Return when a flight whose stream is closed ends without a receipt."""
        if self._held_by_stall:
            return float("inf")
        return max(receiver.deadline(flight, now), self._flowed_at + RECEIPT_GRACE)

    def _end_unreported(self, flight: Flight, now: float) -> None:
        """End a flight whose end should have been reported by now."""
        receipt = Receipt.ESTIMATED
        may_be_deaf = self._receiver is not None and self._receiver.may_be_deaf
        if flight.outcome is Outcome.REQUEUE and not goes_on_unreported(flight, exact=self._exact):
            flight.decide(Outcome.INTERRUPT, EndedBy.AVATAR)
        elif flight.outcome is Outcome.FINISH and (self._exact or may_be_deaf):
            flight.decide(Outcome.UNKNOWN, EndedBy.AVATAR, DEAF if may_be_deaf else SILENT)
            receipt = Receipt.UNKNOWN
        possible = receipt is Receipt.UNKNOWN or flight.may_have_been_heard(now, reports_starts=self._exact)
        played = flight.reported_played(now, reports_starts=self._exact)
        heard = Heard(played, receipt) if possible else Heard()
        self._flights.settle(flight, heard, after_report(flight, heard), now)

    def _test_hearing(self, now: float) -> None:
        """Find out with a silence whether the avatar still takes what it is sent, before a segment is spent on it."""
        if self._receiver is None:
            return
        if self._receiver.end_test(now):
            self._wait_anew(now)
        elif len(self._queue) and not (len(self._flights) or self._held_by_stall) and self._receiver.begin_test(now):
            self._flights.out.append(SendSilence())

    def _assume_start(self, flight: Flight, now: float) -> None:
        starts = None if self._receiver is None else self._receiver.starts_by(flight)
        if starts is not None and now >= starts:
            self._flights.start(flight)

    def _expire(self, now: float) -> None:
        for waiting in self._queue:
            expires, fails = waiting.expires_at, self._fails_at(waiting)
            if expires is not None and now >= expires:
                self._flights.end_waiting(waiting, State.EXPIRED, EndedBy.EXPIRED)
            elif fails is not None and now >= fails:
                self._flights.end_waiting(waiting, State.FAILED, EndedBy.AVATAR, self._silence)

    def _open_next(self, now: float) -> None:
        waiting = self._queue.head
        if self._receiver is None or not self._listens or waiting is None or self._queue.paused:
            return
        if self._held or self._held_by_stall or self._receiver.undecided:
            return
        for flight in self._flights:
            comes_back = flight.outcome is Outcome.REQUEUE and flight.state is FlightState.CLEARED
            if flight.open or flight.state in (FlightState.CLEARING, FlightState.ABSENT) or comes_back:
                return
        playing = [flight for flight in self._flights if flight.state is not FlightState.CLEARED]
        if len(playing) >= self._receiver.profile.outstanding:
            return
        if waiting.utterance.wait_for_viewer and not self._viewers:
            return
        self._queue.take(waiting.segment)
        self._flights.open(waiting, self._receiver.session, now)

    def _grant(self, flight: Flight, now: float) -> None:
        if not flight.open or self._receiver is None or self._held_by_stall:
            return
        if not self._receiver.profile.paced:
            up_to = float("inf")
        elif flight.first_write_at is None and flight.previous is None:
            up_to = allowance(None)
        else:
            up_to = allowance(now - flight.begins(now))
        if up_to >= flight.granted + write_length(flight.granted):
            flight.granted = up_to
            self._flights.out.append(Send(flight.attempt, up_to))

    def _ask(self, now: float) -> None:
        """Ask where our streams are: each second while one is at the avatar, and before anything else after an
        absence."""
        if self._receiver is not None and (question := self._question_at) is not None and now >= question:
            self._receiver.ask()
            self._flights.out.append(AskStatus())

    def _absent_until(self, flight: Flight) -> float:
        """Return when an absent flight is given up."""
        if self._livekit_away:
            return flight.absent_since + AWAY_LIMIT
        if self._receiver is None:
            return flight.waiting.since + self.avatar_timeout
        return max(flight.absent_at, self._receiver.ready_at) + SILENCE_GRACE

    # Acts on flights

    def _interrupt(self, by: EndedBy, now: float, *, drop_next: bool = False) -> None:
        for waiting in self._queue:
            if waiting.paused and waiting.utterance.interruptible:
                self._flights.end_waiting(waiting, State.CANCELLED, by)
        if self._flights.absent:
            absent = playing_out(self._flights.absent)
            if interruptible(absent):
                interrupt_first(absent, by, drop_next=drop_next)
            return
        playing = playing_out(self._flights)
        if interruptible(playing):
            self._flights.clear(playing, now)
            interrupt_first(playing, by, drop_next=drop_next)

    def _supersede(self, now: float) -> None:
        """Make way for a segment with ``mode=interrupt``."""
        supersede_requeued(self._flights)
        self._interrupt(EndedBy.SUPERSEDED, now)
        for waiting in self._queue:
            if waiting.superseded:
                self._flights.end_waiting(waiting, State.CANCELLED, EndedBy.SUPERSEDED)
