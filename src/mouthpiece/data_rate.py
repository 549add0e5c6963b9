"""Whether a participant sends so much data into a room that what is said there comes late.

LiveKit passes data on in order, over the same data channel that brings an avatar its sound, and limits nobody. What
counts is what reaches whoever counts; decided without I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DEFAULT_LIMIT: Final = 200_000.0
"""Bytes a second: chat, positions, state; no files."""
BURST: Final = 3.0
"""Seconds for which a participant may send at ``limit`` at once."""
LEAST: Final = 1_000
"""Bytes that a message counts as at least: small ones cost what their number costs."""
UNINVITED: Final = 100_000
"""Bytes that a stream of sound or a call counts as that only an agent may send: nobody else has a reason to."""
MOST: Final = 1_000
"""Participants that are remembered; beyond it those that have sent least are forgotten."""


@dataclass(slots=True)
class DataRate:
    """How fast each participant of a room sends. ``limit``: bytes a second; 0: any number."""

    limit: float
    _owed: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By identity: bytes beyond ``limit`` a second, and when that was so."""

    def came(self, identity: str, size: int, now: float) -> bool:
        """Count a message of ``size`` bytes at ``now`` (seconds of a monotonic clock); return whether it is too much.

        After that ``identity`` begins anew, so that it is said again only where as much comes again.
        """
        if self.limit <= 0:
            return False
        owed, since = self._owed.pop(identity, (0.0, now))
        owed = max(0.0, owed - self.limit * (now - since)) + max(size, LEAST)
        if owed > BURST * self.limit:
            return True
        if len(self._owed) >= MOST:
            self._owed = dict(sorted(self._owed.items(), key=lambda one: one[1][0])[MOST // 2 :])
        self._owed[identity] = (owed, now)
        return False
