"""Stores accepted segments and the log of their events: the contract, and an implementation in memory."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from mouthpiece.errors import SegmentNotFound
from mouthpiece.segments import Attempt, Event, Segment, State


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, newest first."""

    segments: Sequence[Segment]
    next: str | None
    """Cursor for the page after this one, or None at the end."""


class Journal(Protocol):
    """Stores segments, attempts and the event log. Calls for one segment come in order, one at a time."""

    async def accept(self, segment: Segment) -> None:
        """Store a new segment; it is durable when this returns.

        :raises StoreError: it cannot be stored.
        """
        ...

    async def record(self, segment: Segment, event: Event, attempt: Attempt | None = None) -> Event:
        """Store a changed segment with the event that changed it and, where the event is about one, the attempt.

        :returns: the event with its ``seq``.
        :raises StoreError: they cannot be stored.
        """
        ...

    async def get(self, segment_id: str) -> Segment:
        """Return a segment as it was stored last.

        :raises SegmentNotFound: there is no such segment.
        """
        ...

    async def list(
        self, room: str, *, states: Collection[State] = (), limit: int = 50, after: str | None = None
    ) -> Page:
        """Return segments of a room, newest first.

        :param states: only segments in one of these states; empty: in any.
        :param limit: segments on the page at most.
        :param after: ``next`` of the page before.
        :raises ValueError: ``after`` is not a cursor.
        """
        ...


class MemoryJournal:
    """A journal for one process: past ``limit`` segments, each new one drops the oldest that has ended."""

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._segments: dict[str, Segment] = {}
        self._seq = itertools.count(1)

    async def accept(self, segment: Segment) -> None:
        self._segments[segment.id] = segment
        ended = (id for id, kept in self._segments.items() if kept.state.terminal)
        if len(self._segments) > self._limit and (oldest := next(ended, None)):
            del self._segments[oldest]

    async def record(self, segment: Segment, event: Event, attempt: Attempt | None = None) -> Event:
        self._segments[segment.id] = segment
        return replace(event, seq=next(self._seq))

    async def get(self, segment_id: str) -> Segment:
        try:
            return self._segments[segment_id]
        except KeyError:
            raise SegmentNotFound(f"There is no segment {segment_id}.") from None

    async def list(
        self, room: str, *, states: Collection[State] = (), limit: int = 50, after: str | None = None
    ) -> Page:
        found = [
            segment
            for segment in reversed(self._segments.values())
            if segment.room == room and (not states or segment.state in states)
        ]
        if after is not None:
            found = [segment for segment in found if segment.id < after]
        page = found[:limit]
        return Page(page, page[-1].id if len(found) > limit else None)
