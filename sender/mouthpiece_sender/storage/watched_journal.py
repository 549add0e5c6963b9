"""A journal that calls listeners with each record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from mouthpiece.segments import AttemptRecord, Event, Segment, State
from mouthpiece_sender.storage.journal import IdempotencyKey, Journal, Page, Unfinished

Listener = Callable[[Segment, Event], Awaitable[None]]


class WatchedJournal:
    """Passes every call to ``journal`` and awaits each listener after a record is stored, before the next record.

    :param on_logged: called after each entry of the event log.
    """

    def __init__(self, journal: Journal, on_logged: Callable[[], None] = lambda: None) -> None:
        self._journal = journal
        self._on_logged = on_logged
        self._listeners: list[Listener] = []

    def watch(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def accept(self, segment: Segment, key: IdempotencyKey | None = None) -> None:
        await self._journal.accept(segment, key)
        self._on_logged()

    async def record(self, segment: Segment, event: Event, attempt: AttemptRecord | None = None) -> Event:
        stored = await self._journal.record(segment, event, attempt)
        self._on_logged()
        for listener in self._listeners:
            await listener(segment, stored)
        return stored

    async def note(self, event: Event) -> Event:
        stored = await self._journal.note(event)
        self._on_logged()
        return stored

    async def get(self, segment_id: str) -> Segment:
        return await self._journal.get(segment_id)

    async def list(
        self,
        room: str,
        *,
        states: Collection[State] = (),
        tag: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page:
        return await self._journal.list(room, states=states, tag=tag, limit=limit, after=after)

    async def unfinished(self) -> Unfinished:
        return await self._journal.unfinished()

    async def paused_rooms(self) -> Collection[str]:
        return await self._journal.paused_rooms()

    async def set_paused(self, room: str, paused: bool) -> None:
        await self._journal.set_paused(room, paused)
