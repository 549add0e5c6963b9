"""Turns at joining rooms, and the figures of all connections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from mouthpiece.errors import LiveKitUnavailable
from mouthpiece.segments import Problem

JOINS: Final = 4
"""Rooms that are joined at a time. Of 40 at once on a busy machine every join timed out; four at a time all joined."""
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
    """``async with joins:`` around a join.

    :param limit: how many may be made at a time.
    """

    def __init__(self, limit: int = JOINS, figures: ConnectionFigures | None = None) -> None:
        self.figures = ConnectionFigures() if figures is None else figures
        self._turns = asyncio.Semaphore(limit)

    @property
    def busy(self) -> bool:
        """The next join has to wait."""
        return self._turns.locked()

    async def __aenter__(self) -> None:
        self.figures.waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self.figures.waiting -= 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.release()
