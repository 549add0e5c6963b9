"""A journal that calls listeners with each record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from mouthpiece.segments import Attempt, Event, Segment, State
from mouthpiece_sender.storage.journal import Journal, Page

Listener = Callable[[Segment, Event], Awaitable[None]]


class WatchedJournal:
    """Passes every call to ``journal`` and awaits each listener after a record is stored, before the next record."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._listeners: list[Listener] = []

    def watch(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def accept(self, segment: Segment) -> None:
        await self._journal.accept(segment)

    async def record(self, segment: Segment, event: Event, attempt: Attempt | None = None) -> Event:
        stored = await self._journal.record(segment, event, attempt)
        for listener in self._listeners:
            await listener(segment, stored)
        return stored

    async def get(self, segment_id: str) -> Segment:
        return await self._journal.get(segment_id)

    async def list(
        self, room: str, *, states: Collection[State] = (), limit: int = 50, after: str | None = None
    ) -> Page:
        return await self._journal.list(room, states=states, limit=limit, after=after)
