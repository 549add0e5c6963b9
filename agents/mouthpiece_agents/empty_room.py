"""Whether a room has been without viewers for so long that its job ends: a decision without I/O.

LiveKit closes such a room too, since it counts no agents: ``empty_timeout`` (300 s) after its creation if nobody ever
joined, ``departure_timeout`` (20 s) after the last viewer left. Both are set where the room is created (the sender's
``POST /v1/rooms``, a token's room configuration) and cannot be changed later: livekit-api has no call for it, and
``CreateRoom`` for a room that exists answers with the old values and changes nothing (measured with livekit-server
1.13.5). So this time-out can only shorten a job. Give a room time-outs no longer than this one, or a viewer who joins
after the job has ended finds a room without an avatar.
"""

from __future__ import annotations


class EmptyRoom:
    """Counts the time without viewers. Times are monotonic seconds, passed in."""

    def __init__(self, timeout: float) -> None:
        """:param timeout: seconds; 0 is never."""
        self._timeout = timeout
        self._since: float | None = None

    def viewers(self, count: int, now: float) -> None:
        """Take note that ``count`` viewers are in the room."""
        if count:
            self._since = None
        elif self._since is None:
            self._since = now

    @property
    def deadline(self) -> float | None:
        """When the job ends unless a viewer joins; None while a viewer is in the room, or without a time-out."""
        if self._since is None or not self._timeout:
            return None
        return self._since + self._timeout

    def over(self, now: float) -> bool:
        """Return whether the deadline has passed."""
        return self.deadline is not None and now >= self.deadline
