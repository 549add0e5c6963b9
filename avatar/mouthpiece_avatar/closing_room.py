"""Notices that LiveKit is about to close the room, because its last viewer has left it.

livekit 1.1.21 leaks six threads when the server closes a room in which we publish sound, and none when we left before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

BEFORE_CLOSING = 5.0
"""Seconds before LiveKit closes the room at which it is left: a viewer who published nothing is announced as gone up to
3 s late (livekit-server 1.13.5)."""

_UNCOUNTED = (rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS)
"""Kinds of participants that LiveKit does not count when it decides whether a room is empty."""


class ClosingRoom:
    """Calls ``closes`` shortly before LiveKit closes ``room``, ``departure_timeout`` after its last viewer left.

    A room that nobody has looked at since we joined is closed without notice: since when it is empty is not known.
    """

    def __init__(self, room: rtc.Room, closes: Callable[[], None]) -> None:
        self._room = room
        self._closes = closes
        self._had_viewers = False
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Participants have joined or left."""
        viewers = any(participant.kind not in _UNCOUNTED for participant in self._room.remote_participants.values())
        self._had_viewers = self._had_viewers or viewers
        if viewers:
            self.stop()
        elif self._had_viewers and self._timer is None:
            left_after = self._room.departure_timeout - BEFORE_CLOSING
            if left_after >= BEFORE_CLOSING:  # a viewer who reloads the page must find us
                self._timer = asyncio.get_running_loop().call_later(left_after, self._closes)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
