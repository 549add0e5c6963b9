"""When a process has run enough sessions. A decision without I/O."""

from __future__ import annotations

from mouthpiece_avatar.session import BY_LIVEKIT

CLOSED_ROOMS = 20
"""Rooms that LiveKit closed under a process: livekit 1.1.21 leaks a thread and about 1 MB for each (a room in which we
publish sound, and that we had not left before)."""
SESSIONS = 50
"""Sessions of a process: livekit 1.1.21 leaks about half a megabyte with each (livekit/rust-sdks#1378)."""


class Wear:
    """Of one process: counts the sessions that have ended in it."""

    def __init__(self) -> None:
        self.sessions = 0
        self.closed_rooms = 0
        """Those of them that LiveKit has ended."""

    def ended(self, reason: str) -> None:
        """A session has ended, for ``reason``."""
        self.sessions += 1
        self.closed_rooms += reason.startswith(BY_LIVEKIT)

    @property
    def worn(self) -> bool:
        """It is to be replaced."""
        return self.sessions >= SESSIONS or self.closed_rooms >= CLOSED_ROOMS
