"""What a verdict makes of the report of an end."""

from __future__ import annotations

import pytest

from mouthpiece.listening.borne_out import ENDED, awaits_verdict, borne_out
from mouthpiece.listening.verdict import Judgement, Verdict
from mouthpiece.playback.commands import AttemptEnd, Report
from mouthpiece.playback.heard import Heard
from mouthpiece.playback.ledger import DEAF
from mouthpiece.segments import Attempt, AttemptState, EndedBy, Problem, Receipt, State

UNHEARD = Problem("avatar-unheard", "Nothing came on its track.", True)
REPLAY = Attempt("seg_1", 2, 0.0)
"""Said again from its beginning: 3 s had been heard before."""


@pytest.mark.parametrize(
    ("judgement", "state", "position"),
    [
        (Judgement(Verdict.UNHEARD), State.UNKNOWN, 3.0),
        (Judgement(Verdict.CUT, position=1.0), State.INTERRUPTED, 3.0),
        (Judgement(Verdict.CUT, position=4.0), State.INTERRUPTED, 4.0),
        (Judgement(Verdict.HEARD), State.FINISHED, 5.0),
    ],
)
def test_the_position_never_falls_below_what_had_been_heard_before(
    judgement: Judgement, state: State, position: float
) -> None:
    heard = Heard(5.0, Receipt.CONFIRMED)
    ended = Report(
        "seg_1",
        ENDED,
        State.PLAYING,
        position=5.0,
        attempt=REPLAY,
        attempt_end=AttemptEnd(AttemptState.FINISHED, heard),
    )
    finished = Report("seg_1", "segment.finished", State.FINISHED, Receipt.CONFIRMED, 5.0, attempt=REPLAY)
    reports = [borne_out(report, judgement, UNHEARD, 3.0, 5.0) for report in (ended, finished)]
    assert [report.position for report in reports] == [position, position]
    assert reports[1].state is state


@pytest.mark.parametrize(
    ("judgement", "state", "receipt", "position"),
    [
        (Judgement(Verdict.HEARD), State.FINISHED, Receipt.HEARD, 5.0),
        (Judgement(Verdict.CUT, position=2.0), State.INTERRUPTED, Receipt.HEARD, 2.0),
        (Judgement(Verdict.UNHEARD), State.UNKNOWN, Receipt.UNKNOWN, 0.0),
        (Judgement(Verdict.CANNOT_TELL), State.UNKNOWN, Receipt.UNKNOWN, 5.0),
        (Judgement(Verdict.NOT_LISTENED), State.UNKNOWN, Receipt.UNKNOWN, 5.0),
    ],
)
def test_one_that_its_avatar_did_not_report_is_known_by_its_track(
    judgement: Judgement, state: State, receipt: Receipt, position: float
) -> None:
    """The receiver may be deaf: without a verdict its end is ``unknown``, not estimated."""
    heard, attempt = Heard(5.0, Receipt.UNKNOWN), Attempt("seg_1", 1, 0.0)
    ended = Report("seg_1", ENDED, State.PLAYING, attempt=attempt, attempt_end=AttemptEnd(AttemptState.FINISHED, heard))
    unknown = Report(
        "seg_1",
        "segment.unknown",
        State.UNKNOWN,
        Receipt.UNKNOWN,
        5.0,
        problem=DEAF,
        attempt=attempt,
        ended_by=EndedBy.AVATAR,
    )
    attempt_report, report = (borne_out(each, judgement, UNHEARD, 0.0, 5.0) for each in (ended, unknown))
    assert attempt_report.attempt_end is not None
    assert attempt_report.attempt_end.heard == Heard(position, receipt)
    assert (report.type, report.state, report.receipt) == (f"segment.{state}", state, receipt)
    assert report.position == position
    assert report.problem == (DEAF if state is State.UNKNOWN else None)
    assert report.ended_by is (None if state is State.FINISHED else EndedBy.AVATAR)


@pytest.mark.parametrize(
    ("judgement", "state", "receipt", "position"),
    [
        (Judgement(Verdict.HEARD), State.FINISHED, Receipt.HEARD, 5.0),
        (Judgement(Verdict.CUT, position=2.0), State.INTERRUPTED, Receipt.HEARD, 2.0),
        (Judgement(Verdict.UNHEARD), State.UNKNOWN, Receipt.UNKNOWN, 0.0),
        (Judgement(Verdict.CANNOT_TELL), State.INTERRUPTED, Receipt.ESTIMATED, 2.5),
        (Judgement(Verdict.NOT_LISTENED), State.INTERRUPTED, Receipt.ESTIMATED, 2.5),
    ],
)
def test_how_much_an_avatar_played_that_reports_less_than_it_was_sent_is_known_by_its_track(
    judgement: Judgement, state: State, receipt: Receipt, position: float
) -> None:
    heard, attempt = Heard(2.5, Receipt.ESTIMATED), Attempt("seg_1", 1, 0.0)
    end = AttemptEnd(AttemptState.INTERRUPTED, heard, short=True)
    ended = Report("seg_1", ENDED, State.PLAYING, position=2.5, attempt=attempt, attempt_end=end)
    interrupted = Report(
        "seg_1",
        "segment.interrupted",
        State.INTERRUPTED,
        Receipt.ESTIMATED,
        2.5,
        interrupted=True,
        attempt=attempt,
        ended_by=EndedBy.AVATAR,
    )
    assert awaits_verdict(ended)
    attempt_report, report = (borne_out(each, judgement, UNHEARD, 0.0, 5.0) for each in (ended, interrupted))
    assert attempt_report.attempt_end is not None
    assert attempt_report.attempt_end.heard == Heard(position, receipt)
    assert (attempt_report.attempt_end.state is AttemptState.FINISHED) == (state is State.FINISHED)
    assert (report.type, report.state, report.receipt) == (f"segment.{state}", state, receipt)
    assert (report.position, report.interrupted) == (position, state is State.INTERRUPTED)
    assert report.problem == (UNHEARD if state is State.UNKNOWN else None)
    assert report.ended_by is (None if state is State.FINISHED else EndedBy.AVATAR)


def test_an_interrupt_of_ours_awaits_no_verdict() -> None:
    heard, attempt = Heard(2.5, Receipt.ESTIMATED), Attempt("seg_1", 1, 0.0)
    end = AttemptEnd(AttemptState.INTERRUPTED, heard)
    assert not awaits_verdict(Report("seg_1", ENDED, State.PLAYING, position=2.5, attempt=attempt, attempt_end=end))
