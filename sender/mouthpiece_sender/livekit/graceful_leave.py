"""Asks the avatars of a room to leave before the room is deleted.

An avatar that is thrown out of a room leaks a thread of the SDK; one that leaves by itself does not (docs/wire.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mouthpiece_sender.livekit.avatar_slots import AvatarSlots
from mouthpiece_sender.livekit.current_connection import CurrentConnection

JOIN_TIMEOUT: Final = 3.0
"""Seconds that it may take to join a room only for this."""
LEAVE_TIMEOUT: Final = 2.0
"""Seconds that the avatars may take to leave."""


@dataclass
class GracefulLeave:
    """Of one room that is joined, or will be in a moment."""

    slots: AvatarSlots
    current: CurrentConnection
    _looked: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(self) -> None:
        """Return once the avatars that answer ``mouthpiece.leave`` have left, or were given time to."""
        await self._until(lambda: bool(self._there), JOIN_TIMEOUT)
        if (connection := self.current.open) is not None:
            await asyncio.gather(*(connection.ask_to_leave(identity) for identity in self._there))
            await self._until(lambda: not self._there, LEAVE_TIMEOUT)

    def looked(self) -> None:
        """Who is in the room was looked at."""
        self._looked.set()

    @property
    def _there(self) -> list[str]:
        return [slot.identity for slot in self.slots if slot.answers_status and slot.identity is not None]

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._looked.clear()
                    await self._looked.wait()
        except TimeoutError:
            pass
