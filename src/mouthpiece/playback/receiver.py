"""The avatar as the ledger knows it: what it reports, and how long its reports are waited for."""

from __future__ import annotations

from dataclasses import dataclass, field

from mouthpiece.playback.flight import Flight, FlightState
from mouthpiece.profiles import Profile, TrackCheck

RECEIPT_GRACE = 2.0
"""Seconds that a receipt may be late before the playout clock decides."""
SILENCE_GRACE = 20.0
"""Seconds that an avatar which always reports its ends may be silent about one before the segment is ``unknown``:
it died without LiveKit having noticed, so nothing may be estimated."""
AWAY_LIMIT = 120.0
"""Seconds without LiveKit after which what played is ``unknown``: our avatar ends its session after 60 s without it,
which it may notice 15 s late, and then nobody can say what was heard."""
CLEAR_GRACE = 2.0
"""Seconds that the receipt of a cleared attempt may take (stock senders give up after as many)."""
STARTED_GRACE = 1.0
"""Seconds after the first write until a start is taken for granted where the avatar should have reported it."""

TEST_LENGTH = 0.2
"""Seconds of the silence that tests whether an avatar still takes what it is sent."""
TEST_AFTER = 1.0
"""Seconds without a report until then: those of before an absence come first."""
TEST_WITHIN = 4.0
"""Seconds in which the end of a short silence is reported, by an avatar that takes it."""

STATUS_INTERVAL = 1.0
"""Seconds from an answer to ``mouthpiece.status``, or its failure, to the next question."""
UNANSWERED = 2
"""Questions in a row without an answer after which the avatar counts as away."""


@dataclass(slots=True)
class Receiver:
    """One avatar session."""

    profile: Profile
    session: str = ""
    ready_at: float = 0.0
    """Monotonic seconds."""
    may_be_deaf: bool = False
    """A stream to it broke off, and it has reported nothing since: livekit-agents' receiver hears nothing from then on
    (docs/wire.md, way 10)."""
    has_reported: bool = False
    """This avatar session has reported ends before."""
    deaf: bool = field(init=False, default=False)
    """Besides, the end of what was sent was due and not reported: nothing more is sent until it was heard on the
    avatar's track."""
    reports_ends: bool | None = field(init=False)
    """Whether receipts of ends come at all; None until one came or was missed."""

    _last_report_at: float = field(init=False, default=float("-inf"))
    _tested_at: float | None = field(init=False, default=None)
    """When a silence was sent, to see whether its end is reported."""
    _tested: bool = field(init=False, default=False)

    _asked: bool = field(init=False, default=False)
    """Its status was asked for, and is not answered yet."""
    _next_question: float = field(init=False, default=0.0)
    _unanswered: int = field(init=False, default=0)
    """Questions in a row."""

    def __post_init__(self) -> None:
        self.reports_ends = None if self.profile.receipts else False

    @property
    def exact(self) -> bool:
        """It reports each start and each end by the segment's id."""
        return self.profile.segment_ids

    @property
    def listened(self) -> bool:
        """Each of its ends is held against its audio track."""
        return self.profile.track_check is TrackCheck.ALWAYS

    def deadline(self, flight: Flight, now: float) -> float:
        """Return when a flight whose stream is closed ends without a receipt."""
        match flight.state:
            case FlightState.CLEARED if not self.profile.receipts:
                return flight.cleared_at
            case FlightState.CLEARING | FlightState.CLEARED:
                return flight.cleared_at + CLEAR_GRACE
        end = flight.expected_end(now)
        if self.exact:
            return end + SILENCE_GRACE
        end += RECEIPT_GRACE if self.profile.receipts else 0.0
        if self.reports_ends is not False and flight.started_at is None:
            # A receiver may wait for the end of the stream before it plays: the clock began too early then.
            end = max(end, flight.closed_at + flight.sent + RECEIPT_GRACE)
        return end

    def starts_by(self, flight: Flight) -> float | None:
        """Return when a start is taken for granted that was not reported; None if it was, or while another one plays
        before it."""
        if flight.started_reported or flight.first_write_at is None:
            return None
        if flight.clear_asked or flight.previous is not None:
            return None
        return flight.first_write_at + (STARTED_GRACE if self.exact else 0.0)

    def reported(self, *, end: bool) -> None:
        """Note a receipt.

        :param end: of an end.
        """
        self.may_be_deaf = self.deaf = False
        if end:
            self.reports_ends = True

    # A test of its hearing

    @property
    def undecided(self) -> bool:
        """It may be deaf, and the test has not ended."""
        return self.may_be_deaf and not self._tested

    @property
    def test_at(self) -> float:
        """When the test begins, or ends without a report."""
        return self._test_begins if self._tested_at is None else self._tested_at + TEST_WITHIN

    def begin_test(self, now: float) -> bool:
        """Return whether to send a silence now."""
        if not self.undecided or self._tested_at is not None or now < self._test_begins:
            return False
        self._tested_at = now
        return True

    def end_test(self, now: float) -> bool:
        """Return whether the test has ended now, without a report. That proves something only of an avatar that has
        reported ends before; another one is sent a segment, and its track is listened to."""
        if not self.undecided or self._tested_at is None or now < self._tested_at + TEST_WITHIN:
            return False
        self._tested, self.deaf = True, self.has_reported
        return True

    def reported_unasked(self, now: float) -> bool:
        """Note the report of an end of nothing that is on its way; return whether it is that of the silence. Reports of
        what was played before come all at once after an absence, and prove nothing: the silence is sent after them. The
        position does not tell: vendors count it from where they like."""
        if self._tested_at is not None and self.undecided:
            self.reported(end=True)
            return True
        self._last_report_at = now
        return False

    @property
    def _test_begins(self) -> float:
        return max(self.ready_at, self._last_report_at) + TEST_AFTER

    def missed_end(self, *, listened: bool) -> None:
        """The end of a flight was due and was not reported.

        :param listened: ``judged`` will say what the avatar's track proves about it.
        """
        if self.may_be_deaf:
            self.deaf = listened
        elif self.reports_ends is None:
            self.reports_ends = False

    def judged(self, heard: bool | None) -> None:
        """Note what the avatar's track proves of the last flight: that it was heard, that it was not, or nothing."""
        if heard:
            self.may_be_deaf = False
        if heard is not False:
            self.deaf = False

    # Its status

    @property
    def silent(self) -> bool:
        """It is there, and does not answer."""
        return self._unanswered >= UNANSWERED

    def next_question(self, *, flying: bool) -> float | None:
        """Return when its status is to be asked for; None: not now.

        :param flying: something of ours is there, or was before an absence.
        """
        if not self.profile.status or self._asked or not (flying or self.silent):
            return None
        return self._next_question

    def ask(self) -> None:
        """Note that its status is asked for."""
        self._asked = True

    def answer(self, answered: bool, now: float) -> None:
        """Note that the question was answered, or failed."""
        self._asked, self._next_question = False, now + STATUS_INTERVAL
        self._unanswered = 0 if answered else self._unanswered + 1
