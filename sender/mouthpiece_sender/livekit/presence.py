"""Decides when to look for an avatar, when to join the room and when to leave it. No I/O.

The sender looks through the server API first: joining creates a room that did not exist, and a stock receiver that is
not pinned to an agent would bind to us. It joins once the avatar is in the room, stays for a while after its last
segment, and never rejoins after it was removed as a duplicate.

A stream that a killed process left open is a trap: livekit-agents' receiver is deaf from then on if its sender leaves
while it still reads (docs/wire.md, way 10), and the join of the next process removes the killed one. It gives a stream
up that brings nothing for ``STREAM_IDLE``, so the join waits for that; where no stream was open it does not wait,
because a receiver whose report of an end is not answered is deaf after three tries, which take 7 s each.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass

from mouthpiece.profiles import Profile

LOOK_INTERVAL = 0.5
"""Seconds from one look to the next while something waits, at first."""
LATER_BY = 0.1
"""Of the time that an avatar has been waited for, the part by which it may be seen later than it came."""
LONGEST_INTERVAL = 3.0
"""Seconds from one look to the next at most."""
BACKOFF = (0.5, 1.0, 2.0, 4.0)
"""Seconds from a failed look or join to the next one; the last one stays."""

STREAM_IDLE = 10.0
"""Seconds without data after which livekit-agents' receiver gives a stream up (``STREAM_IDLE_TIMEOUT``, 1.8.9)."""
STREAM_IDLE_MARGIN = 1.5
"""Seconds; it includes those to within which the time of the last chunk is known."""


class Act(enum.Enum):
    NOTHING = "nothing"
    LOOK = "look"
    JOIN = "join"
    LEAVE = "leave"


class Membership(enum.Enum):
    AWAY = "away"
    JOINING = "joining"
    THERE = "there"
    LEAVING = "leaving"
    DUPLICATE = "duplicate"
    """Removed by another participant of the same identity: two senders would remove each other for ever."""


@dataclass
class Presence:
    """Of one room."""

    warm: float
    """Seconds to stay once nothing is queued or plays."""
    left_open_at: float | None = None
    """When the last chunk was sent of a stream that an earlier process left open here; None: it left none."""
    state: Membership = Membership.AWAY
    _busy_until: float = float("-inf")
    _next_look: float = float("-inf")
    _looking: bool = False
    _avatar_seen: bool = False
    _failures: int = 0
    _waits_since: float | None = None
    """When the first look for the avatar began; None: it is not waited for."""

    def decide(self, waiting: bool, now: float) -> Act:
        """The act to begin now. ``waiting``: something is queued or plays."""
        if waiting:
            self._busy_until = now + self.warm
        match self.state:
            case Membership.AWAY if now <= self._busy_until:
                self._waits_since = now if self._waits_since is None else self._waits_since
                if self._avatar_seen:
                    self._avatar_seen = False
                    self.state = Membership.JOINING
                    return Act.JOIN
                if not self._looking and now >= self._next_look:
                    self._looking = True
                    return Act.LOOK
            case Membership.AWAY:
                self._waits_since = None
            case Membership.THERE if not waiting and now >= self._busy_until:
                self.state = Membership.LEAVING
                return Act.LEAVE
        return Act.NOTHING

    def next_wakeup(self, waiting: bool, now: float) -> float | None:
        """When ``decide`` may return another act without any input."""
        if self.state is Membership.AWAY and not self._looking and now <= self._busy_until:
            return max(self._next_look, now)
        if self.state is Membership.THERE and not waiting:
            return max(self._busy_until, now)
        return None

    def dormant(self, now: float) -> bool:
        """We are out of the room, and nothing waits to be said in it."""
        return self.state is Membership.AWAY and not self._looking and now > self._busy_until

    def expect(self, now: float) -> None:
        """Something will be said here soon: look for the avatar, and join."""
        self._busy_until = max(self._busy_until, now + self.warm)
        self._waits_since, self._next_look = None, min(self._next_look, now + LOOK_INTERVAL)

    def unexpect(self) -> None:
        """Nothing will be said here soon."""
        self._busy_until = float("-inf")

    def looked(self, avatars: Collection[Profile], now: float) -> None:
        """A look ended.

        :param avatars: the profiles of those that are in the room.
        """
        self._looking = False
        self._failures = 0
        may_be_deafened = any(not profile.status for profile in avatars)
        left_at = self.left_open_at
        still_reads = left_at is not None and now < left_at + STREAM_IDLE + STREAM_IDLE_MARGIN
        self._avatar_seen = bool(avatars) and not (may_be_deafened and still_reads)
        waited = 0.0 if avatars or self._waits_since is None else now - self._waits_since
        self._next_look = now + min(max(LOOK_INTERVAL, LATER_BY * waited), LONGEST_INTERVAL)

    def failed(self, now: float) -> None:
        """A look or a join failed."""
        self._looking = False
        if self.state is Membership.JOINING:
            self.state = Membership.AWAY
        self._next_look = now + BACKOFF[min(self._failures, len(BACKOFF) - 1)]
        self._failures += 1

    def joined(self) -> None:
        self.state = Membership.THERE
        self._waits_since = None
        self._failures = 0

    def left(self, now: float, *, duplicate: bool = False) -> None:
        """We left, or were disconnected."""
        self.state = Membership.DUPLICATE if duplicate else Membership.AWAY
        self._next_look = now + LOOK_INTERVAL
