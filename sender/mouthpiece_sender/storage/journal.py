"""Stores accepted segments, their attempts and the log of their events: the contracts.

``Journal`` is the gateway's part; ``SegmentStore`` adds what the API and the retention need. Implementations:
``Store`` (SQLite, one process) and ``MemoryJournal`` (no disk). One conformance test runs over both.

A store that several senders share keeps these contracts and adds to them: ``unfinished`` becomes the place where a
sender takes the *lease* of a room (it returns the segments of rooms that nobody holds, and of nobody else's), and
``accept``, ``record`` and ``set_paused`` the places where a write carries the *fencing counter* of that lease and is
refused, in the same transaction, once a later lease of the room was given. Ids, cursors and ``Event.seq`` are the
store's to give already, so that several writers need not agree on them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from mouthpiece.segments import AttemptRecord, Event, Segment, State

KEY_LIFETIME: Final = timedelta(hours=24)
"""How long an idempotency key names the segment that it was accepted with."""

Kind = Literal["segments", "events", "texts", "keys"]
"""What is removed by age: ended segments with all that belongs to them, entries of the log, the words, name and
metadata of ended segments, and idempotency keys."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, newest first."""

    segments: Sequence[Segment]
    next: str | None
    """Cursor for the page after this one, or None at the end."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's name for one request."""

    scope: str
    """The key holder and the route that it is used with: the same key in another scope is another key."""
    key: str
    fingerprint: str
    """Digest of what was asked; another one is another request."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What a key was used for."""

    segment: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the event log."""

    event: Event
    segment: Segment | None
    """As it stood then, but for its words, which are those that it has now: none once they were purged."""

    @property
    def ends_its_segment(self) -> bool:
        """It is the end of its segment."""
        return (
            self.segment is not None
            and self.segment.state.terminal
            and self.event.type == f"segment.{self.segment.state}"
        )


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries of the event log, in order."""

    entries: Sequence[LogEntry]
    removed: int
    """The log no longer holds everything up to this number."""
    last: int
    """The highest number that was given, whatever is asked for."""


Unfinished = list[tuple[Segment, list[AttemptRecord]]]
"""Segments that have not ended, each with its attempts in order."""


class Journal(Protocol):
    """Stores segments, attempts and the event log. Calls for one segment come in order, one at a time."""

    async def accept(self, segment: Segment, key: IdempotencyKey | None = None) -> None:
        """Store a new segment, the key that it was sent with, and the event ``segment.queued``; all are durable when
        this returns.

        :raises StoreError: they cannot be stored.
        :raises IdempotencyConflict: ``key`` names another segment already.
        """
        ...

    async def record(self, segment: Segment, event: Event, attempt: AttemptRecord | None = None) -> Event:
        """Store a changed segment with the event that changed it and, where the event is about one, the attempt as it
        stands now: a new one, or a change of one of that number. ``segment.attempts`` is not read.

        :returns: the event with its ``seq``.
        :raises StoreError: they cannot be stored.
        """
        ...

    async def note(self, event: Event) -> Event:
        """Store an event that is about a room alone.

        :returns: the event with its ``seq``.
        :raises StoreError: it cannot be stored.
        """
        ...

    async def get(self, segment_id: str) -> Segment:
        """Return a segment as it was stored last, with its attempts.

        :raises SegmentNotFound: there is no such segment.
        """
        ...

    async def list(
        self,
        room: str,
        *,
        states: Collection[State] = (),
        tag: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page:
        """Return segments of a room, the one that was accepted last first.

        :param states: only segments in one of these states; empty: in any.
        :param tag: only segments with this tag.
        :param limit: segments on the page at most.
        :param after: ``next`` of the page before.
        :raises ValueError: ``after`` is not a cursor.
        """
        ...

    async def unfinished(self) -> Unfinished:
        """Return the segments that have not ended, each with its attempts, in the order in which they were accepted."""
        ...

    async def paused_rooms(self) -> Collection[str]:
        """Return the rooms that are paused."""
        ...

    async def set_paused(self, room: str, paused: bool) -> None:
        """Store whether a room is paused.

        :raises StoreError: it cannot be stored.
        """
        ...


class SegmentStore(Journal, Protocol):
    """A journal with what the API and the retention need besides."""

    async def check(self) -> None:
        """Return if the store can be written.

        :raises StoreError: it cannot, or its files were removed or replaced.
        """
        ...

    async def log(self, after: int, limit: int, *, room: str | None = None, segment: str | None = None) -> LogPage:
        """Return the entries of the event log after the number ``after``, of all or of one room or segment, ``limit``
        of them at most."""
        ...

    async def known_key(self, scope: str, key: str, now: datetime) -> KnownKey | None:
        """Return what a key was used for within ``KEY_LIFETIME``; None: nothing."""
        ...

    async def purge(self, segment_id: str) -> None:
        """Erase a segment's words, its name and its metadata, so that no file holds them any more.

        :raises SegmentNotFound: there is no such segment.
        :raises StoreError: it cannot be written.
        """
        ...

    async def ends(self, segment_ids: Collection[str]) -> Mapping[str, datetime | None]:
        """Return when each of these segments ended; None: it has not. An unknown one is left out."""
        ...

    async def remove(self, kind: Kind, before: datetime, limit: int) -> Sequence[str]:
        """Remove up to ``limit`` of a kind that are older than ``before``, the oldest first. The age of a segment and
        its words counts from its end: what has not ended stays, and so does a segment that a living key names.

        :returns: what was removed: ids of segments, numbers of events, keys.
        :raises StoreError: it cannot be written.
        """
        ...

    async def size(self) -> int:
        """Return the bytes that are in use."""
        ...
