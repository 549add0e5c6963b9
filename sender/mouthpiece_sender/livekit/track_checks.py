"""Which avatars with exact receipts are listened to now. No I/O.

What such an avatar reports is believed once its track sounded, and it is looked at again from time to time: what it
plays may no longer reach the room. Each of these checks decodes a track, so a service with many rooms makes a few at a
time; the others come with a later segment, once there is a place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

AT_ONCE: Final = 4
BELIEVED_FOR: Final = 60.0
"""Seconds from the sound on an avatar's track until it is listened to again."""


@dataclass
class TrackChecks:
    """The checks that a service makes."""

    at_once: int = AT_ONCE
    _running: set[object] = field(default_factory=set)

    def begin(self, of: object) -> bool:
        """Return whether to listen to an avatar now: it is, until ``end``, or there is no place for it."""
        if len(self._running) >= self.at_once and of not in self._running:
            return False
        self._running.add(of)
        return True

    def holds(self, of: object) -> bool:
        """Return whether it is listened to."""
        return of in self._running

    def end(self, of: object) -> None:
        """It is listened to no longer, if it was."""
        self._running.discard(of)
