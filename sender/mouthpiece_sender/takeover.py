"""What an earlier process left: the segments that have not ended, with their sounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from mouthpiece.errors import MouthpieceError
from mouthpiece.playback.commands import Report
from mouthpiece.playback.restored import Restored, restored
from mouthpiece.segments import EndedBy, Problem, Segment, State
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.sounds.unplayable import UnplayableSound
from mouthpiece_sender.storage.journal import Journal


@dataclass(frozen=True, slots=True)
class Left:
    """One segment."""

    segment: Segment
    restored: Restored
    sound: Sound
    end: Report | None
    """Its end, where nothing more can be said of it."""


async def left_behind(
    journal: Journal, sound: Callable[[Segment], Awaitable[Sound]], now: float, at: datetime
) -> list[Left]:
    """Return the segments that have not ended, in the order in which they were accepted.

    :param sound: makes the sound of one; raises ``MouthpieceError`` where it cannot.
    :param now: monotonic seconds, the same moment as ``at``.
    :raises StoreError: the journal cannot be read.
    """
    left = []
    for stored, attempts in await journal.unfinished():
        segment = replace(stored, attempts=tuple(attempts))
        expires_at = None if segment.expires_at is None else now + (segment.expires_at - at).total_seconds()
        taken = restored(segment, attempts, now, expires_at)
        end: Report | None = None
        playable: Sound
        try:
            playable = await sound(segment)
        except MouthpieceError as error:
            playable = UnplayableSound(segment.audio, error)
            if taken.unsettled is None:  # else the avatar may have said all of it
                end = _failed(segment, taken, Problem.of(error))
        left.append(Left(segment, taken, playable, end))
    return left


def _failed(segment: Segment, taken: Restored, problem: Problem) -> Report:
    heard, state = taken.heard, State.FAILED
    return Report(
        segment.id,
        f"segment.{state}",
        state,
        heard.receipt,
        max(segment.position, heard.position),
        problem=problem,
        ended_by=EndedBy.SOURCE,
    )
