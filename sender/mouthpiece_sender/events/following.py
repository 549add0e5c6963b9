"""Reads the event log from a number on, for as long as somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from mouthpiece_sender.events.feed import Feed
from mouthpiece_sender.storage.journal import LogEntry, SegmentStore

PAGE: Final = 100
"""Entries that are read at a time: all that a reader holds."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries after a number are missing: they were removed, or the number is of another log."""

    after: int
    reached: int
    """The log holds everything after this number."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are read."""

    room: str | None = None
    segment: str | None = None
    wanted: Callable[[LogEntry], bool] = lambda _: True


async def follow(
    store: SegmentStore, feed: Feed, selection: Selection, after: int, *, heartbeat: float
) -> AsyncIterator[LogEntry | Gap | None]:
    """Yield the entries after the number ``after`` in order, each once, and then those that come, until the feed is
    closed; None once ``heartbeat`` seconds passed without one.

    :raises StoreError: the log cannot be read.
    """
    first = True
    while not feed.closed:
        arrival = feed.arrival
        page = await store.log(after, PAGE, room=selection.room, segment=selection.segment)
        if first and (page.removed > after or after > page.last):
            yield Gap(after, page.removed if page.removed > after else page.last)
            after = min(after, page.last)
        first = False
        for entry in page.entries:
            if selection.wanted(entry):
                yield entry
        if len(page.entries) == PAGE:
            after = page.entries[-1].event.seq
            continue
        after = max(after, page.last)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(heartbeat):
                await arrival.wait()
                continue
        yield None
