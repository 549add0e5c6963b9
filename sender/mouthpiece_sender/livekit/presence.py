"""When to look for the avatar, when to join, when to leave: decided without I/O.

It looks through the server API first: a join by itself creates a room that did not exist, and an unpinned stock
receiver would bind to us in its agent's place. It joins once the avatar is there, stays warm for a while, leaves when
quiet, and never rejoins after it was thrown out as a duplicate.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

LOOK_INTERVAL = 0.5
"""Seconds from one look to the next while something waits."""
BACKOFF = (0.5, 1.0, 2.0, 4.0)
"""Seconds from a failed look or join to the next one; the last one stays."""


class Act(enum.Enum):
    NOTHING = "nothing"
    LOOK = "look"
    JOIN = "join"
    LEAVE = "leave"


class Whereabouts(enum.Enum):
    AWAY = "away"
    JOINING = "joining"
    THERE = "there"
    LEAVING = "leaving"
    BARRED = "barred"
    """Thrown out as a duplicate: two would throw each other out for ever."""


@dataclass
class Presence:
    """One room's. ``warm``: seconds to stay once it has gone quiet."""

    warm: float
    state: Whereabouts = Whereabouts.AWAY
    _busy_until: float = float("-inf")
    _next_look: float = float("-inf")
    _looking: bool = False
    _avatar_seen: bool = False
    _failures: int = 0

    def decide(self, waiting: bool, now: float) -> Act:
        """``waiting``: something is queued or plays. The act that is returned counts as begun."""
        if waiting:
            self._busy_until = now + self.warm
        match self.state:
            case Whereabouts.AWAY if now <= self._busy_until:
                if self._avatar_seen:
                    self._avatar_seen = False
                    self.state = Whereabouts.JOINING
                    return Act.JOIN
                if not self._looking and now >= self._next_look:
                    self._looking = True
                    return Act.LOOK
            case Whereabouts.THERE if now > self._busy_until:
                self.state = Whereabouts.LEAVING
                return Act.LEAVE
        return Act.NOTHING

    def next_wakeup(self, waiting: bool, now: float) -> float | None:
        """When ``decide`` may say something new by itself."""
        if self.state is Whereabouts.AWAY and not self._looking and now <= self._busy_until:
            return max(self._next_look, now)
        if self.state is Whereabouts.THERE and not waiting:
            return max(self._busy_until, now)
        return None

    def dormant(self, now: float) -> bool:
        """We are out, and nothing calls us back."""
        return self.state is Whereabouts.AWAY and not self._looking and now > self._busy_until

    def expect(self, now: float) -> None:
        """Something will be said here soon: look for the avatar and be there."""
        self._busy_until = max(self._busy_until, now + self.warm)

    def looked(self, avatar: bool, now: float) -> None:
        """A look ended: there is an avatar, or none yet."""
        self._looking = False
        self._failures = 0
        self._avatar_seen = avatar
        self._next_look = now + LOOK_INTERVAL

    def failed(self, now: float) -> None:
        """A look or a join failed."""
        self._looking = False
        if self.state is Whereabouts.JOINING:
            self.state = Whereabouts.AWAY
        self._next_look = now + BACKOFF[min(self._failures, len(BACKOFF) - 1)]
        self._failures += 1

    def joined(self) -> None:
        self.state = Whereabouts.THERE
        self._failures = 0

    def left(self, now: float, *, duplicate: bool = False) -> None:
        """We are out, by our own will or not."""
        self.state = Whereabouts.BARRED if duplicate else Whereabouts.AWAY
        self._next_look = now + LOOK_INTERVAL
