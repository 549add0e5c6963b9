"""What an earlier process left behind, ended honestly.

The sound of a segment that was playing may have been heard, in part or whole: nobody knows, and that is what is said.
One that waited was not heard; it is not said late, by a process that nobody asked.
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


async def end_what_was_left(store: Store, spool: Spool, *, wall_clock: Callable[[], datetime] = utc_now) -> int:
    """To be called at start, before anything new is accepted. Returns how many segments it ended.

    :raises StoreError: the store or the spool cannot be written.
    """
    left = await store.unfinished()
    for segment in left:
        now = wall_clock()
        ended = ended_by_restart(segment, now, sent=bool(await store.attempts(segment.id)))
        await store.record(ended, Event(ended.id, ended.room, f"segment.{ended.state}", now, detail="restarted"))
        await spool.ended(ended.id)
    await spool.sweep(waiting=())
    return len(left)


def ended_by_restart(segment: Segment, now: datetime, *, sent: bool) -> Segment:
    """As the segment ends that an earlier process left ``queued``, ``playing`` or ``paused``.

    :param sent: an attempt to say it was begun, so some of it may have been heard, whatever its state.
    """
    if segment.state is not State.QUEUED or sent:
        return replace(segment, state=State.UNKNOWN, receipt=Receipt.UNKNOWN, finished_at=now, error=PLAYED)
    if segment.expires_at is not None and segment.expires_at <= now:
        return replace(segment, state=State.EXPIRED, finished_at=segment.expires_at)
    return replace(segment, state=State.FAILED, finished_at=now, error=WAITED)
