"""Ends the segments that an earlier process left unfinished.

The audio of a segment that was playing may have been heard, in part or as a whole, so it ends ``unknown``. A segment
that waited was not heard: it ends ``failed``, because nobody expects this process to speak it late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from mouthpiece.errors import SenderRestarted
from mouthpiece.segments import Event, Problem, Receipt, Segment, State, utc_now
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store

PLAYED = Problem.of(SenderRestarted("The sender was restarted while it played: how much was heard is not known."))
WAITED = Problem.of(SenderRestarted("The sender was restarted while it waited: it was not played. Send it again."))


async def end_unfinished_segments(store: Store, spool: Spool, *, wall_clock: Callable[[], datetime] = utc_now) -> int:
    """Call this at start, before a new segment is accepted.

    :returns: the number of segments that it ended.
    :raises StoreError: the store or the spool cannot be written.
    """
    unfinished = await store.unfinished()
    for segment, attempts in unfinished:
        now = wall_clock()
        ended = ended_by_restart(segment, now, attempted=bool(attempts))
        await store.record(ended, Event(ended.id, ended.room, f"segment.{ended.state}", now, detail="restarted"))
        await spool.remove(ended.id)
    for left in await spool.sizes():
        await spool.remove(left)
    return len(unfinished)


def ended_by_restart(segment: Segment, now: datetime, *, attempted: bool) -> Segment:
    """Return the terminal state of a segment that an earlier process left ``queued``, ``playing`` or ``paused``.

    :param attempted: a stream was opened for it, so some of it may have been heard, whatever its state.
    """
    if segment.state is not State.QUEUED or attempted:
        return replace(segment, state=State.UNKNOWN, receipt=Receipt.UNKNOWN, finished_at=now, error=PLAYED)
    if segment.expires_at is not None and segment.expires_at <= now:
        return replace(segment, state=State.EXPIRED, finished_at=segment.expires_at)
    return replace(segment, state=State.FAILED, finished_at=now, error=WAITED)
