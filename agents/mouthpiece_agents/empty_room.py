"""When a room without viewers has been empty for long enough: a decision without I/O.

LiveKit closes such a room too, since it counts no agents: ``empty_timeout`` (300 s) after its creation if nobody ever
came, ``departure_timeout`` (20 s) after the last one left. Both are set by whoever creates the room (the sender's
``POST /v1/rooms``, a token's room configuration) and cannot be changed later: livekit-api has no call for it, and
``CreateRoom`` over a living room answers with the old values and changes nothing (measured with livekit-server 1.13.5).
So this time-out can only shorten a job. Give a room time-outs no longer than this one, or a viewer who comes after the
job has ended finds a room without an avatar.
"""

from __future__ import annotations


class EmptyRoom:
    """Counts the time without viewers. Times are monotonic seconds, passed in."""

    def __init__(self, timeout: float) -> None:
        """``timeout`` is in seconds; 0 is never."""
        self._timeout = timeout
        self._since: float | None = None

    def viewers(self, count: int, now: float) -> None:
        """So many people are in the room."""
        if count:
            self._since = None
        elif self._since is None:
            self._since = now

    @property
    def deadline(self) -> float | None:
        """When the job ends unless somebody comes; None while no such moment is near."""
        if self._since is None or not self._timeout:
            return None
        return self._since + self._timeout

    def over(self, now: float) -> bool:
        """The room has been empty for long enough."""
        return self.deadline is not None and now >= self.deadline
