"""Asks the avatars of a room to leave before the room is deleted.

An avatar that is thrown out of a room leaks a thread of the SDK; one that leaves by itself does not (docs/wire.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mouthpiece_sender.livekit.avatar_slots import AvatarSlots
from mouthpiece_sender.livekit.current_connection import CurrentConnection
from mouthpiece_sender.livekit.joins import RoomTurns
from mouthpiece_sender.livekit.server_api import ParticipantFacts

TURN_TIMEOUT: Final = 10.0
"""Seconds to wait for other rooms that are about to be deleted."""
JOIN_TIMEOUT: Final = 3.0
"""Seconds that it may take to join a room only for this."""
LEAVE_TIMEOUT: Final = 2.0
"""Seconds that the avatars may take to leave."""


@dataclass
class GracefulLeave:
    """Of one room."""

    slots: AvatarSlots
    current: CurrentConnection
    turns: RoomTurns
    look: Callable[[], Awaitable[Sequence[ParticipantFacts] | None]]
    """Asks the server who is in the room."""
    expect: Callable[[], None]
    """Has the room joined."""
    under_way: bool = False
    """The room is about to be deleted, and has to be there until then."""
    _looked: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self, give_up: Callable[[], None]) -> None:
        """Return once the avatars that answer ``mouthpiece.leave`` have left, or were given time to. They are not asked
        if so many other rooms are about to be deleted that the turn of this one does not come in time.

        :param give_up: ends what waits or plays.
        :raises MouthpieceError: it is not known who is there; nothing was ended.
        """
        self.under_way = True
        try:
            found = await self.look()
            give_up()
            if any(facts.profile is not None and facts.profile.status for facts in found or ()):
                await self._request_in_turn()
        finally:
            self.under_way = False

    async def _request_in_turn(self) -> None:
        try:
            async with asyncio.timeout(TURN_TIMEOUT):
                await self.turns.deleting.acquire()
        except TimeoutError:
            return
        try:
            self.expect()
            await self._request()
        finally:
            self.turns.deleting.release()

    async def _request(self) -> None:
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
