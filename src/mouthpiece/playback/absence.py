"""What became of a flight while the connection, the avatar or this process was away, by the avatar's status."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from mouthpiece.playback.flight import Flight
from mouthpiece.wire import Status


class Place(enum.Enum):
    """Where the stream of an attempt is."""

    ENDED = "ended"
    AT_AVATAR = "at avatar"
    """It plays, or waits there."""
    NEVER_ARRIVED = "never arrived"


@dataclass(frozen=True, slots=True)
class Found:
    where: Place
    position: float = 0.0
    """Seconds of the attempt that were heard; 0 of one that waits."""
    interrupted: bool = False


def find(flight: Flight, status: Status) -> Found:
    """Return where the stream of ``flight`` is by the avatar's word.

    An avatar that numbers no attempts speaks of the last one of each segment.
    """
    segment, number = flight.segment, flight.attempt.number
    playing = status.playing
    if playing is not None and playing.segment == segment and playing.attempt in (None, number):
        return Found(Place.AT_AVATAR, playing.position)
    if segment in status.held:
        return Found(Place.AT_AVATAR)
    for ended in reversed(status.ended):
        if ended.segment == segment and ended.attempt in (None, number):
            return Found(Place.ENDED, ended.position, ended.interrupted)
    return Found(Place.NEVER_ARRIVED)
