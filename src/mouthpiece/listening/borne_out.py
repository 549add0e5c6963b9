"""What a verdict makes of the ledger's report of an end."""

from __future__ import annotations

from dataclasses import replace

from mouthpiece.listening.verdict import Judgement, Verdict
from mouthpiece.playback.commands import Report
from mouthpiece.playback.heard import Heard
from mouthpiece.segments import AttemptState, EndedBy, Problem, Receipt, State

ENDED = "attempt.ended"


def awaits_verdict(report: Report) -> bool:
    """Whether ``report`` says that all of an attempt was heard, or how much of it by an avatar whose positions prove
    little: it is not believed without a verdict."""
    end = report.attempt_end
    return report.type == ENDED and end is not None and (end.state is AttemptState.FINISHED or end.short)


def borne_out(report: Report, judgement: Judgement, unheard: Problem, before: float, whole: float) -> Report:
    """Return what to report instead of ``report``, which waited for ``judgement``. One that is ``unknown``, because the
    avatar reported nothing, is known if the sound was found on the track.

    :param unheard: the error of a segment that was not heard.
    :param before: seconds of the segment that had been heard before the attempt: its position never falls below that.
    :param whole: seconds of the segment that were heard if all of the attempt was.
    """
    end, short = report.attempt_end, _short(report)
    ends = short or awaits_verdict(report) or report.state in (State.FINISHED, State.UNKNOWN)
    if report.attempt is None or not ends:
        return report
    unknown = (report.receipt if end is None else end.heard.receipt) is Receipt.UNKNOWN
    offset = report.attempt.offset
    match judgement.verdict:
        case Verdict.HEARD:
            return _received(_lengthened(report, max(before, whole)) if short else report, Receipt.HEARD)
        case Verdict.CANNOT_TELL:
            return report if unknown or short else _received(report, Receipt.ESTIMATED)
        case Verdict.CUT:
            position = max(before, offset + judgement.position)
            return _ended_early(report, State.INTERRUPTED, AttemptState.INTERRUPTED, Heard(position, Receipt.HEARD))
        case Verdict.UNHEARD:
            ended = _ended_early(report, State.UNKNOWN, AttemptState.LOST, Heard(max(before, offset), Receipt.UNKNOWN))
            return replace(ended, problem=unheard) if report.state in (State.FINISHED, State.INTERRUPTED) else ended
        case Verdict.NOT_LISTENED:
            return report


def _short(report: Report) -> bool:
    """Whether ``report`` is about an attempt of which the avatar says that it played less than it was sent."""
    if (end := report.attempt_end) is not None:
        return end.short
    by_avatar = report.state is State.INTERRUPTED and report.ended_by is EndedBy.AVATAR
    return by_avatar and report.receipt is Receipt.ESTIMATED


def _lengthened(report: Report, position: float) -> Report:
    """All of it was heard, whatever the avatar says."""
    if (end := report.attempt_end) is not None:
        end = replace(end, state=AttemptState.FINISHED, heard=replace(end.heard, position=position))
        return replace(report, position=position, attempt_end=end)
    return replace(report, position=position, interrupted=False)


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
