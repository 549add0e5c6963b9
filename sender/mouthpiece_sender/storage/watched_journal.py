"""A journal that tells others of what it has been told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from mouthpiece.segments import Attempt, Event, Segment, State
from mouthpiece_sender.storage.journal import Journal, Page

Listener = Callable[[Segment, Event], Awaitable[None]]


class WatchedJournal:
    """Hands everything on to ``journal``; listeners hear of each record once it is kept, and hold up the next."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._listeners: list[Listener] = []

    def watch(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def accept(self, segment: Segment) -> None:
        await self._journal.accept(segment)

    async def record(self, segment: Segment, event: Event, attempt: Attempt | None = None) -> Event:
        kept = await self._journal.record(segment, event, attempt)
        for listener in self._listeners:
            await listener(segment, kept)
        return kept

    async def get(self, segment_id: str) -> Segment:
        return await self._journal.get(segment_id)

    async def list(
        self, room: str, *, states: Collection[State] = (), limit: int = 50, after: str | None = None
    ) -> Page:
        return await self._journal.list(room, states=states, limit=limit, after=after)
