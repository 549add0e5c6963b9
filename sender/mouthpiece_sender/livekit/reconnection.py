"""What becomes of a room while the SDK reconnects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mouthpiece_sender.livekit.current_connection import CurrentConnection

LOST_GRACE: Final = 1.0
"""Seconds that a connection may be lost before what was playing counts as unknown, where the avatar cannot be asked."""
RECONNECT_LIMIT: Final = 5.0
"""Seconds that the SDK may take to reconnect; after that we join anew by ourselves, as soon as LiveKit answers."""
RECONNECT_LIMIT_BESIDE_STOCK: Final = 20.0
"""The same where an avatar may still call us that goes deaf if a join of ours cuts the call off (docs/wire.md, way
10)."""


@dataclass
class Reconnection:
    """Of one room."""

    current: CurrentConnection
    lose: Callable[[], None]
    """Called once: what was playing is lost, where its avatar cannot be asked."""
    join_anew: Callable[[], None]
    """Called when the SDK has taken too long."""
    patient: Callable[[], bool]
    """Whether an avatar may be there that still calls us."""
    _reported: bool = False

    def tick(self, now: float) -> None:
        lost_at = self.current.lost_at
        if lost_at is None:
            return
        if not self._reported and now >= lost_at + LOST_GRACE:
            self._reported = True
            self.lose()
        if now >= lost_at + self._limit:
            self.join_anew()

    def ended(self) -> None:
        """It has reconnected, or the connection was dropped."""
        self._reported = False

    @property
    def next_wakeup(self) -> float | None:
        if self.current.lost_at is None:
            return None
        return self.current.lost_at + (self._limit if self._reported else LOST_GRACE)

    @property
    def _limit(self) -> float:
        return RECONNECT_LIMIT_BESIDE_STOCK if self.patient() else RECONNECT_LIMIT
