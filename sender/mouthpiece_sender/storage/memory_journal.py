"""A store without a disk, for one process: ``Speaker`` and tests."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mouthpiece.errors import IdempotencyConflict, SegmentNotFound, StoreError
from mouthpiece.segments import AttemptRecord, Event, Segment, State
from mouthpiece_sender.storage.cursors import cursor, read_cursor
from mouthpiece_sender.storage.journal import (
    KEY_LIFETIME,
    IdempotencyKey,
    Kind,
    KnownKey,
    LogEntry,
    LogPage,
    Page,
    Unfinished,
)


@dataclass(frozen=True, slots=True)
class _Key:
    known: KnownKey
    at: datetime


class MemoryJournal:
    """A ``SegmentStore``: past ``limit`` segments, each new one drops the oldest that has ended."""

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._segments: dict[str, Segment] = {}
        """In the order in which they were accepted."""
        self._numbers: dict[str, int] = {}
        self._accepted = itertools.count(1)
        self._log: list[LogEntry] = []
        self._last = 0
        self._removed = 0
        self._paused: set[str] = set()
        self._purged: set[str] = set()
        self._keys: dict[tuple[str, str], _Key] = {}

    async def accept(self, segment: Segment, key: IdempotencyKey | None = None) -> None:
        if segment.id in self._segments:
            raise StoreError(f"There is a segment {segment.id} already.")
        if key is not None:
            if await self.known_key(key.scope, key.key, segment.created_at) is not None:
                raise IdempotencyConflict("The Idempotency-Key is in use.")
            self._keys[key.scope, key.key] = _Key(KnownKey(segment.id, key.fingerprint), segment.created_at)
        self._segments[segment.id] = segment
        self._numbers[segment.id] = next(self._accepted)
        self._append(Event(segment.id, segment.room, f"segment.{segment.state}", segment.created_at), segment)
        ended = (id for id, stored in self._segments.items() if stored.state.terminal)
        if len(self._segments) > self._limit and (oldest := next(ended, None)):
            self._drop(oldest)

    async def record(self, segment: Segment, event: Event, attempt: AttemptRecord | None = None) -> Event:
        if (stored := self._segments.get(segment.id)) is None:
            raise StoreError(f"The segment {segment.id} was never accepted.")
        attempts = {one.number: one for one in stored.attempts}
        if attempt is not None:
            attempts[attempt.number] = attempt
        in_order = tuple(attempts[number] for number in sorted(attempts))
        known = without_words(segment) if segment.id in self._purged else segment
        self._segments[segment.id] = replace(known, attempts=in_order)
        return self._append(event, self._segments[segment.id])

    async def note(self, event: Event) -> Event:
        return self._append(event, None)

    async def get(self, segment_id: str) -> Segment:
        return self._found(segment_id)

    async def list(
        self,
        room: str,
        *,
        states: Collection[State] = (),
        tag: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page:
        below = None if after is None else read_cursor(after)
        found = [
            segment
            for segment in reversed(self._segments.values())
            if segment.room == room
            and (not states or segment.state in states)
            and (tag is None or segment.tag == tag)
            and (below is None or self._numbers[segment.id] < below)
        ]
        page = found[:limit]
        return Page(page, cursor(self._numbers[page[-1].id]) if len(found) > limit else None)

    async def unfinished(self) -> Unfinished:
        return [(segment, [*segment.attempts]) for segment in self._segments.values() if not segment.state.terminal]

    async def paused_rooms(self) -> Collection[str]:
        return frozenset(self._paused)

    async def set_paused(self, room: str, paused: bool) -> None:
        (self._paused.add if paused else self._paused.discard)(room)

    async def check(self) -> None:
        pass  # memory can always be written

    async def log(self, after: int, limit: int, *, room: str | None = None, segment: str | None = None) -> LogPage:
        found = [
            replace(entry, segment=self._with_words_of_now(entry.segment))
            for entry in self._log
            if entry.event.seq > after
            and (room is None or entry.event.room == room)
            and (segment is None or entry.event.segment == segment)
        ]
        return LogPage(found[:limit], self._removed, self._last)

    async def known_key(self, scope: str, key: str, now: datetime) -> KnownKey | None:
        found = self._keys.get((scope, key))
        return None if found is None or found.at <= now - KEY_LIFETIME else found.known

    async def purge(self, segment_id: str) -> None:
        self._segments[segment_id] = without_words(self._found(segment_id))
        self._purged.add(segment_id)

    async def ends(self, segment_ids: Collection[str]) -> Mapping[str, datetime | None]:
        return {id: self._segments[id].finished_at for id in segment_ids if id in self._segments}

    async def remove(self, kind: Kind, before: datetime, limit: int) -> Sequence[str]:
        match kind:
            case "events":
                old = [entry for entry in self._log if entry.event.at < before][:limit]
                self._remove_entries(old)
                return [str(entry.event.seq) for entry in old]
            case "keys":
                keys = sorted(name for name, known in self._keys.items() if known.at < before)[:limit]
                for name in keys:
                    del self._keys[name]
                return [key for _, key in keys]
        ended = [
            segment
            for segment in self._segments.values()
            if segment.state.terminal and segment.finished_at is not None and segment.finished_at < before
        ]
        if kind == "texts":
            with_words = [segment.id for segment in ended if without_words(segment) != segment][:limit]
            for id in with_words:
                self._segments[id] = without_words(self._segments[id])
            return with_words
        named = {known.known.segment for known in self._keys.values()}
        gone = [segment.id for segment in ended if segment.id not in named][:limit]
        for id in gone:
            self._drop(id)
        return gone

    async def size(self) -> int:
        return 0

    def _found(self, segment_id: str) -> Segment:
        try:
            return self._segments[segment_id]
        except KeyError:
            raise SegmentNotFound(f"There is no segment {segment_id}.") from None

    def _append(self, event: Event, segment: Segment | None) -> Event:
        self._last += 1
        numbered = replace(event, seq=self._last)
        self._log.append(LogEntry(numbered, segment))
        self._remove_entries(self._log[: -self._limit])
        return numbered

    def _remove_entries(self, entries: Sequence[LogEntry]) -> None:
        if gone := {entry.event.seq for entry in entries}:
            self._log = [entry for entry in self._log if entry.event.seq not in gone]
            self._removed = max(self._removed, *gone)

    def _with_words_of_now(self, then: Segment | None) -> Segment | None:
        if then is None:
            return None
        now = self._segments[then.id]
        return replace(then, source=now.source, metadata=now.metadata)

    def _drop(self, segment_id: str) -> None:
        del self._segments[segment_id], self._numbers[segment_id]
        self._purged.discard(segment_id)
        self._remove_entries([entry for entry in self._log if entry.event.segment == segment_id])
        self._keys = {name: known for name, known in self._keys.items() if known.known.segment != segment_id}


def without_words(segment: Segment) -> Segment:
    """Return ``segment`` without its words, its name and its metadata."""
    return replace(segment, source=replace(segment.source, name=None, text=None), metadata=None)
