"""How long segments, events, words and sounds are kept, by age and by size; a task that removes the rest, paced."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from mouthpiece.errors import StoreError
from mouthpiece.segments import Event, Segment, utc_now
from mouthpiece_sender.storage.journal import KEY_LIFETIME, Kind, SegmentStore
from mouthpiece_sender.storage.spool import Spool

logger = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds from one sweep to the next."""
BATCH: Final = 200
"""Entries that are removed in one transaction: a few milliseconds, in which nothing is accepted."""
PAUSE: Final = 0.1
"""Seconds between two batches."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept. An age counts from a segment's end."""

    segments: timedelta = timedelta(days=30)
    events: timedelta = timedelta(days=7)
    texts: timedelta = timedelta(days=30)
    """Words, names and metadata."""
    sounds: timedelta = timedelta(0)
    store_bytes: int = 2_000_000_000
    """Beyond it the oldest ended segments go."""
    sound_bytes: int = 5_000_000_000
    """Of sounds of ended segments; beyond it the oldest go."""

    def oldest(self, now: datetime) -> Iterator[tuple[Kind, datetime]]:
        """Yield each kind and the time before which nothing of it is kept. Keys go first: they hold segments."""
        yield "keys", now - KEY_LIFETIME
        yield "events", now - self.events
        yield "texts", now - self.texts
        yield "segments", now - self.segments


class Retention:
    """``async with Retention(store, spool, limits):`` sweeps until it is left; entering removes the sounds that no
    segment needs, so enter it before a body is accepted."""

    def __init__(
        self, store: SegmentStore, spool: Spool, limits: Limits, *, wall_clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._store = store
        self._spool = spool
        self._limits = limits
        self._wall_clock = wall_clock

    async def __aenter__(self) -> Self:
        """:raises StoreError: the store cannot be read, or a sound not removed."""
        stored = await self._spool.sizes()
        for orphan in stored.keys() - (await self._store.ends([*stored])).keys():
            await self._spool.remove(orphan)
        await self._sweep_sounds()
        self._task = asyncio.create_task(self._run(), name="retention")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def forget_ended(self, segment: Segment, event: Event) -> None:
        """Remove the sound of a segment that has ended, where none is kept. A listener of the journal."""
        if segment.state.terminal and not self._limits.sounds:
            try:
                await self._spool.remove(segment.id)
            except StoreError as error:
                logger.warning("a sound could not be removed, which is tried again later: %s", error)

    async def sweep(self) -> None:
        """Remove what is too old or too much.

        :raises StoreError: the store or the spool cannot be written.
        """
        await self._spool.check()  # or sounds would be left whose segments are gone
        now = self._wall_clock()
        for kind, before in self._limits.oldest(now):
            await self._remove(kind, before)
        while await self._store.size() > self._limits.store_bytes:
            if not await self._remove_batch("segments", now):
                break  # nothing has ended that no key names
            await asyncio.sleep(PAUSE)
        await self._sweep_sounds()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.sweep()
            except StoreError as error:
                logger.warning("what is too old could not be removed: %s", error)

    async def _remove(self, kind: Kind, before: datetime) -> None:
        while True:
            if await self._remove_batch(kind, before) < BATCH:
                return
            await asyncio.sleep(PAUSE)

    async def _remove_batch(self, kind: Kind, before: datetime) -> int:
        removed = await self._store.remove(kind, before, BATCH)
        if kind == "segments":
            for segment in removed:
                await self._spool.remove(segment)
        return len(removed)

    async def _sweep_sounds(self) -> None:
        sizes = await self._spool.sizes()
        ends = await self._store.ends([*sizes])
        ended = sorted(((at, segment) for segment, at in ends.items() if at is not None), reverse=True)
        kept, oldest = 0, self._wall_clock() - self._limits.sounds
        for number, (at, segment) in enumerate(ended):
            kept += sizes[segment]
            if at <= oldest or kept > self._limits.sound_bytes:
                await self._spool.remove(segment)
            if number % BATCH == BATCH - 1:
                await asyncio.sleep(PAUSE)
