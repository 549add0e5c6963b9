"""Writes what happens in rooms into the event log, in order, without anybody waiting for it."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Final, Self

from mouthpiece.errors import MouthpieceError
from mouthpiece.segments import Event, utc_now
from mouthpiece_sender.storage.journal import Journal

logger = logging.getLogger(__name__)

MOST: Final = 1000
"""Events that may wait for the store; what comes beyond is not noted."""


class RoomLog:
    """``async with RoomLog(journal) as log:``; leaving writes what was noted."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._noted: asyncio.Queue[Event | None] = asyncio.Queue(MOST)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="room-log")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._noted.put(None)
        await self._task

    def note(self, room: str, type: str, avatar: str | None) -> None:
        """Note that an event of ``type`` happened in ``room`` now."""
        try:
            self._noted.put_nowait(Event(None, room, type, utc_now(), avatar=avatar))
        except asyncio.QueueFull:
            logger.warning("the store is too slow: an event of a room was not noted")

    async def _run(self) -> None:
        while (event := await self._noted.get()) is not None:
            try:
                await self._journal.note(event)
            except (MouthpieceError, OSError) as error:
                logger.warning("an event of a room could not be stored: %s", error)
