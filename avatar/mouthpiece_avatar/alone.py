"""Notices that an avatar is alone in its room: no agent speaks through it, and nobody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc


class Alone:
    """Calls ``leaves`` once nobody else was in ``room`` for ``seconds``; 0 is never.

    A participant who publishes nothing is announced up to 3 s late (livekit-server 1.13.5): a few seconds are too few.
    """

    def __init__(self, room: rtc.Room, seconds: float, leaves: Callable[[], None]) -> None:
        self._room = room
        self._seconds = seconds
        self._leaves = leaves
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Participants have joined or left."""
        if self._room.remote_participants or not self._seconds:
            self.stop()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._leaves)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
