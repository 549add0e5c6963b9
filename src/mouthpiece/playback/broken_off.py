"""The avatar session to which a stream broke off; one that cannot be asked may be deaf (docs/wire.md, way 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

JOINS_ANEW_WITHIN: Final = 60.0
"""Seconds after an absence of LiveKit in which an avatar that leaves and comes may be one that reconnects."""
_WHICHEVER: Final = "*"
"""In place of a session: whichever comes next."""


@dataclass(slots=True)
class BrokenOff:
    """Of one ledger."""

    reported_ends: bool = False
    """The avatar of that session has reported ends before."""
    _session: str | None = None

    @property
    def awaited(self) -> bool:
        """LiveKit went away meanwhile, and the avatar has not come back."""
        return self._session == _WHICHEVER

    def in_session(self, session: str) -> None:
        """A stream to ``session`` broke off."""
        self._session = session

    def with_livekit(self) -> None:
        """It broke off because LiveKit went away: an avatar that joins anew may be the one that was there before."""
        self._session = _WHICHEVER

    def begins(self, session: str) -> bool:
        """A session begins; return whether a stream to its avatar broke off."""
        if self.awaited:
            self._session = session
        elif session != self._session:
            self.reported_ends = False
        return session == self._session
