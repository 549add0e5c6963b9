"""Writes what happens to segments into the journal, in order, and again until it is stored."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from mouthpiece.errors import MouthpieceError
from mouthpiece.segments import Attempt, AttemptRecord, Event, Segment
from mouthpiece_sender.storage.journal import Journal

logger = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds from one try to store what happened to the next."""


class JournalWriter:
    """``run`` is its life; it ends once ``close`` was called and what came before was tried.

    :param on_stored: called with each segment as it was stored.
    """

    def __init__(self, journal: Journal, on_stored: Callable[[Segment], None]) -> None:
        self._journal = journal
        self._on_stored = on_stored
        self._closing = asyncio.Event()
        self._records: asyncio.Queue[tuple[Segment, Event, AttemptRecord | None] | None] = asyncio.Queue()
        """Bounded by what happens: a few records a segment."""
        self._opening: dict[tuple[str, int | None], asyncio.Event] = {}
        """Attempts whose beginning is not stored yet."""

    def put(self, segment: Segment, event: Event, attempt: AttemptRecord | None) -> None:
        if event.type == "attempt.opened":
            self._opening[segment.id, event.attempt] = asyncio.Event()
        self._records.put_nowait((segment, event, attempt))

    async def recorded(self, attempt: Attempt) -> None:
        """Return once it is stored that ``attempt`` was begun, or could not be: a store that is full keeps nobody
        silent."""
        if (opening := self._opening.get((attempt.segment, attempt.number))) is not None:
            await opening.wait()

    async def written(self, seconds: float) -> None:
        """Return once all that was put is stored, at most ``seconds`` later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._records.join()

    def close(self) -> None:
        """What comes before this is tried once more; nothing may be put after it."""
        self._closing.set()
        self._records.put_nowait(None)

    async def run(self) -> None:
        while (record := await self._records.get()) is not None:
            segment, event, attempt = record
            await self._write(segment, event, attempt)
            self._records.task_done()
            self._on_stored(segment)

    async def _write(self, segment: Segment, event: Event, attempt: AttemptRecord | None) -> None:
        """Try until the record is stored. Meanwhile the segment is read from memory; the store refuses new ones."""
        failed = False
        while not await self._tried(segment, event, attempt, again=failed):
            failed = True
            self._opened(segment, event)
            if self._closing.is_set():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY):
                    await self._closing.wait()
        self._opened(segment, event)

    async def _tried(self, segment: Segment, event: Event, attempt: AttemptRecord | None, *, again: bool) -> bool:
        try:
            await self._journal.record(segment, event, attempt)
        except (MouthpieceError, OSError):
            if not again:
                logger.exception("what became of a segment could not be stored; it is tried until it can")
            return False
        return True

    def _opened(self, segment: Segment, event: Event) -> None:
        if event.type == "attempt.opened" and (opening := self._opening.pop((segment.id, event.attempt), None)):
            opening.set()
