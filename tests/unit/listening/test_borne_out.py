"""What a verdict makes of the report of an end."""

from __future__ import annotations

import pytest

from mouthpiece.listening.borne_out import ENDED, borne_out
from mouthpiece.listening.verdict import Judgement, Verdict
from mouthpiece.playback.commands import AttemptEnd, Report
from mouthpiece.playback.heard import Heard
from mouthpiece.segments import Attempt, AttemptState, Problem, Receipt, State

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
    reports = [borne_out(report, judgement, UNHEARD, 3.0) for report in (ended, finished)]
    assert [report.position for report in reports] == [position, position]
    assert reports[1].state is state
