"""What a verdict makes of the ledger's report of an end."""

from __future__ import annotations

from dataclasses import replace

from mouthpiece.listening.verdict import Judgement, Verdict
from mouthpiece.playback.commands import Report
from mouthpiece.playback.heard import Heard
from mouthpiece.segments import AttemptState, EndedBy, Problem, Receipt, State

ENDED = "attempt.ended"


def awaits_verdict(report: Report) -> bool:
    """Whether ``report`` says that all of an attempt was heard: it is not believed without a verdict."""
    return report.type == ENDED and report.attempt_end is not None and report.attempt_end.state is AttemptState.FINISHED


def borne_out(report: Report, judgement: Judgement, unheard: Problem, before: float) -> Report:
    """Return what to report instead of ``report``, which waited for ``judgement``. One that is ``unknown``, because the
    avatar reported nothing, is known if the sound was found on the track.

    :param unheard: the error of a segment that was not heard.
    :param before: seconds of the segment that had been heard before the attempt: its position never falls below that.
    """
    if report.attempt is None or not (awaits_verdict(report) or report.state in (State.FINISHED, State.UNKNOWN)):
        return report
    end = report.attempt_end
    unknown = (report.receipt if end is None else end.heard.receipt) is Receipt.UNKNOWN
    offset = report.attempt.offset
    match judgement.verdict:
        case Verdict.HEARD:
            return _received(report, Receipt.HEARD)
        case Verdict.CANNOT_TELL:
            return report if unknown else _received(report, Receipt.ESTIMATED)
        case Verdict.CUT:
            position = max(before, offset + judgement.position)
            return _ended_early(report, State.INTERRUPTED, AttemptState.INTERRUPTED, Heard(position, Receipt.HEARD))
        case Verdict.UNHEARD:
            ended = _ended_early(report, State.UNKNOWN, AttemptState.LOST, Heard(max(before, offset), Receipt.UNKNOWN))
            return replace(ended, problem=unheard) if report.state is State.FINISHED else ended
        case Verdict.NOT_LISTENED:
            return report


def _received(report: Report, receipt: Receipt) -> Report:
    if (end := report.attempt_end) is not None:
        return replace(report, attempt_end=replace(end, heard=replace(end.heard, receipt=receipt)))
    return replace(
        report, type=f"segment.{State.FINISHED}", state=State.FINISHED, receipt=receipt, problem=None, ended_by=None
    )


def _ended_early(report: Report, state: State, attempt: AttemptState, heard: Heard) -> Report:
    if (end := report.attempt_end) is not None:
        return replace(report, position=heard.position, attempt_end=replace(end, state=attempt, heard=heard))
    return replace(
        report,
        type=f"segment.{state}",
        state=state,
        receipt=heard.receipt,
        position=heard.position,
        interrupted=state is State.INTERRUPTED,
        problem=report.problem if state is State.UNKNOWN else None,
        ended_by=EndedBy.AVATAR,
    )
