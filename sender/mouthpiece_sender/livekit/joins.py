"""Turns at joining and leaving rooms, and the figures of all connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from mouthpiece.errors import LiveKitUnavailable
from mouthpiece.segments import Problem
from mouthpiece_sender.livekit.turns import TurnsByHolder

JOINS: Final = 4
"""Rooms that are joined at a time. Of 40 at once on a busy machine every join timed out; four at a time all joined."""
LEAVES: Final = 4
"""Rooms that are left at a time, and rooms that are joined at a time only to have their avatar leave before they are
deleted: each of these would be held for seconds, with its descriptors."""
OTHERS_FIRST: Final = Problem.of(LiveKitUnavailable("Other rooms are being joined first."))
"""What holds a room up that waits for its turn."""


@dataclass(slots=True)
class ConnectionFigures:
    """Of all rooms of a process."""

    waiting: int = 0
    """Rooms that wait for their turn to be joined."""
    reconnects: int = 0
    """Connections that were lost and came back: by the SDK, or made anew."""


class Joins:
    """Of all rooms of a process.

    :param limit: how many may be joined at a time.
    """

    def __init__(self, limit: int = JOINS, figures: ConnectionFigures | None = None) -> None:
        self.figures = ConnectionFigures() if figures is None else figures
        self._free = limit
        self._waiting: TurnsByHolder[asyncio.Future[None]] = TurnsByHolder()
        self._leaving = asyncio.Semaphore(LEAVES)
        self._deleting = asyncio.Semaphore(LEAVES)

    def of(self, holder: str) -> RoomTurns:
        """The turns of a room that is spoken into with the key of ``holder``."""
        return RoomTurns(self, holder, self._leaving, self._deleting)

    @property
    def busy(self) -> bool:
        """The next join has to wait."""
        return self._free == 0

    @asynccontextmanager
    async def turn(self, holder: str) -> AsyncIterator[None]:
        """Held around a join. Where several wait, the holders of keys take turns."""
        await self._take(holder)
        try:
            yield
        finally:
            self._give()

    async def _take(self, holder: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.put(holder, turn)
        self.figures.waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give()
            else:
                self._waiting.discard(holder, turn)
            raise
        finally:
            self.figures.waiting -= 1

    def _give(self) -> None:
        if self._waiting:
            self._waiting.take().set_result(None)
        else:
            self._free += 1


@dataclass(frozen=True, slots=True)
class RoomTurns:
    """What one room holds while it is joined or left."""

    joins: Joins
    holder: str
    leaving: asyncio.Semaphore
    """Around leaving."""
    deleting: asyncio.Semaphore
    """Around what is done before the room is deleted."""
