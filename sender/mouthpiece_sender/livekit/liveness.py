"""Decides when a connection counts as dead. No I/O.

After LiveKit stalled, the SDK says that it has reconnected, but the reliable data channel may stay dead for up to 37 s
(docs/wire.md): nothing that is sent arrives, and nothing is reported. A connection that is made anew works at once.
"""

from __future__ import annotations

from dataclasses import dataclass

UNANSWERED = 3
"""Questions in a row, to avatars that LiveKit shows, after which the connection is made anew."""
REJOINS = 3
"""Connections in a row that are made anew for the same reason: it may be the avatar that is dead."""


@dataclass
class Liveness:
    """Of one room."""

    _unanswered: int = 0
    _rejoins: int = 0
    _broken: int = 0

    def answered(self) -> None:
        """An avatar answered."""
        self._unanswered = self._rejoins = 0

    def unanswered(self) -> bool:
        """An avatar did not answer; returns whether to make the connection anew."""
        self._unanswered += 1
        if self._unanswered < UNANSWERED or self._rejoins >= REJOINS:
            return False
        self._unanswered = 0
        self._rejoins += 1
        return True

    def thrown_out(self) -> bool:
        """An abandoned connection of ours may have thrown us out; returns whether to join again."""
        self._rejoins += 1
        return self._rejoins <= REJOINS

    def heard_whole(self) -> None:
        """A segment was said to its end."""
        self._broken = 0

    def broke(self) -> bool:
        """A stream did not take the audio; returns whether to make the connection anew."""
        self._broken += 1
        return self._broken <= REJOINS
