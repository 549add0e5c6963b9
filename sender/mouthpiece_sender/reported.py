"""What a report of a ledger makes of a stored segment and of its attempts. No I/O."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mouthpiece.playback.commands import Report
from mouthpiece.segments import AttemptRecord, Event, Segment, State, Viewers
from mouthpiece_sender.target import ReportContext


def applied(
    before: Segment, report: Report, context: ReportContext, at: datetime
) -> tuple[Segment, AttemptRecord | None]:
    """Return the segment after ``report``, and its attempt if that has changed."""
    after = replace(
        before,
        state=report.state,
        receipt=report.receipt,
        position=report.position,
        interrupted=report.interrupted,
        ended_by=report.ended_by,
        error=report.problem,
        audio=context.audio or before.audio,
    )
    if before.source.text is None and context.text and report.state.terminal:
        after = replace(after, source=replace(before.source, text=context.text))  # it was written as it was said
    if report.attempt is not None:
        after = replace(after, avatar=context.avatar or after.avatar, profile=context.profile or after.profile)
    if report.state is State.PLAYING and before.started_at is None and report.type != "attempt.opened":
        after = replace(after, started_at=at, viewers=Viewers(context.viewers, None))
    if report.state.terminal:
        started = after.started_at or (at if report.position > 0 else None)
        viewers = replace(after.viewers, end=context.viewers)
        after = replace(after, started_at=started, finished_at=at, viewers=viewers)
    attempt = _attempt(before, report, context, at)
    if attempt is not None:
        others = [other for other in before.attempts if other.number != attempt.number]
        after = replace(after, attempts=(*others, attempt))
    return after, attempt


def event_of(after: Segment, report: Report, at: datetime) -> Event:
    """Return the entry of the log for ``report``."""
    detail = report.problem.type if report.problem else None
    number = report.attempt.number if report.attempt else None
    return Event(after.id, after.room, report.type, at, number, report.position, detail)


def _attempt(before: Segment, report: Report, context: ReportContext, at: datetime) -> AttemptRecord | None:
    if report.attempt is None:
        return None
    if report.type == "attempt.opened":
        return AttemptRecord(
            number=report.attempt.number,
            avatar=context.avatar,
            profile=context.profile,
            session=context.session,
            offset=report.attempt.offset,
            position=report.attempt.offset,
        )
    known = next((one for one in before.attempts if one.number == report.attempt.number), None)
    if known is None:
        return None
    if (end := report.attempt_end) is not None:
        return replace(known, state=end.state, position=end.heard.position, receipt=end.heard.receipt, ended_at=at)
    if report.type in ("segment.playing", "attempt.started"):
        return replace(known, started_at=at)
    return None
