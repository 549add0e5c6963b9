"""Segments, attempts and the event log in SQLite: what is accepted is there after a ``kill -9`` and a power cut.

One connection in one thread of its own, and one transaction a call, which runs to its end whatever becomes of the
caller.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from mouthpiece.errors import SegmentNotFound, StoreError, StoreFull
from mouthpiece.segments import Attempt, Event, Segment, State
from mouthpiece_sender.storage.journal import Page
from mouthpiece_sender.storage.rows import COLUMNS, changes, row, segment, written_time
from mouthpiece_sender.storage.store_file import StoreFile

_CURSOR: Final = re.compile(r"seg_[0-9a-z]+")

T = TypeVar("T")


class Store:
    """A ``Journal`` in the SQLite file at ``path``: ``async with Store(path) as store:``."""

    def __init__(self, path: Path) -> None:
        self._file = StoreFile(path)

    async def __aenter__(self) -> Self:
        """
        :raises ConfigurationError: the file cannot be used, is not a store, has a later version, or another process
            uses it.
        :raises StoreFull: no space is left to create it.
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            await self._run(self._file.open)
        except BaseException:
            self._thread.submit(self._file.close)
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._run(self._file.close)
        finally:
            self._thread.shutdown(wait=False)

    # The journal

    async def accept(self, segment: Segment) -> None:
        """Store a new segment; it is durable when this returns.

        :raises StoreFull: no space is left.
        :raises StoreError: it cannot be written, or there is a segment of its id.
        """
        try:
            await self._write(partial(_insert, segment))
        except asyncio.CancelledError:
            # The caller never sees that it was accepted, so it counts as refused. The thread works in order.
            self._thread.submit(self._file.transaction, partial(_delete, segment.id))
            raise

    async def record(self, segment: Segment, event: Event, attempt: Attempt | None = None) -> Event:
        """Store a changed segment, the event that changed it and the attempt, in one transaction.

        :returns: the event with its ``seq``.
        :raises StoreFull: no space is left.
        :raises StoreError: it cannot be written, or the segment was never accepted.
        """
        return replace(event, seq=await self._write(partial(_record, segment, event, attempt)))

    async def get(self, segment_id: str) -> Segment:
        """Return a segment as it was stored last.

        :raises SegmentNotFound: there is no such segment.
        """
        found = await self._segments("WHERE id = ?", [segment_id])
        if not found:
            raise SegmentNotFound(f"There is no segment {segment_id}.")
        return found[0]

    async def list(
        self, room: str, *, states: Collection[State] = (), limit: int = 50, after: str | None = None
    ) -> Page:
        """Return segments of a room, newest first.

        :param states: only segments in one of these states; empty: in any.
        :param limit: segments on the page at most.
        :param after: ``next`` of the page before.
        :raises ValueError: ``after`` is not a cursor.
        """
        conditions, values = ["room = ?"], [room]
        if after is not None:
            if not _CURSOR.fullmatch(after):
                raise ValueError(f"{after!r} is no cursor")
            conditions.append("id < ?")
            values.append(after)
        if states:
            conditions.append(f"state IN ({', '.join('?' * len(states))})")
            values.extend(states)
        found = await self._segments(f"WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?", [*values, limit + 1])
        page = found[:limit]
        return Page(page, page[-1].id if len(found) > limit else None)

    # Beside the journal

    async def check(self) -> None:
        """Write one row, to see whether the store can be written.

        :raises StoreFull: no space is left.
        :raises StoreError: it cannot be written.
        """
        await self._write(_count_check)

    async def unfinished(self) -> Sequence[Segment]:
        """Return the segments that have not ended, oldest first: at start, those that an earlier process left."""
        # The states are literals because SQLite uses the partial index only then.
        return await self._segments("WHERE state IN ('queued', 'playing', 'paused') ORDER BY id")

    async def attempts(self, segment_id: str) -> Sequence[Attempt]:
        """Return the attempts of a segment, in order."""
        select = "SELECT segment, number, offset FROM attempts WHERE segment = ? ORDER BY number"
        return [Attempt(*found) for found in await self._run(partial(self._file.select, select, [segment_id]))]

    async def purge(self, segment_id: str) -> None:
        """Erase the text of a segment, from the WAL too, and note that its audio is no longer stored.

        :raises SegmentNotFound: there is no such segment.
        :raises StoreError: it cannot be written.
        """
        if not await self._write(partial(_purge, segment_id)):
            raise SegmentNotFound(f"There is no segment {segment_id}.")
        await self._run(self._file.empty_log)

    # Inside

    async def _segments(self, clauses: str, values: Collection[object] = ()) -> Sequence[Segment]:
        names = ", ".join(column.name for column in COLUMNS)
        rows = await self._run(partial(self._file.select, f"SELECT {names} FROM segments {clauses}", values))
        return [segment(found) for found in rows]

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._run(partial(self._file.transaction, work))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.shield(asyncio.wrap_future(self._thread.submit(work)))
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise StoreFull("No space is left for the store.") from None
            raise StoreError(f"The store cannot be used: {error}.") from None


def _insert(new: Segment, database: sqlite3.Connection) -> None:
    values = row(new)
    marks = ", ".join(f":{name}" for name in values)
    database.execute(f"INSERT INTO segments ({', '.join(values)}) VALUES ({marks})", values)


def _delete(segment_id: str, database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM segments WHERE id = ?", [segment_id])


def _record(now: Segment, event: Event, attempt: Attempt | None, database: sqlite3.Connection) -> int:
    values = changes(now)
    database.execute(
        f"UPDATE segments SET {', '.join(f'{name} = :{name}' for name in values)} WHERE id = :id",
        values | {"id": now.id},
    )
    at = written_time(event.at)
    if attempt is not None:
        database.execute(
            "INSERT INTO attempts (segment, number, offset, opened_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [attempt.segment, attempt.number, attempt.offset, at],
        )
    added = database.execute(
        "INSERT INTO events (segment, room, type, at, attempt, position, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [event.segment, event.room, event.type, at, event.attempt, event.position, event.detail],
    )
    assert added.lastrowid is not None
    return added.lastrowid


def _purge(segment_id: str, database: sqlite3.Connection) -> bool:
    done = database.execute("UPDATE segments SET source_text = NULL, audio_kept = 0 WHERE id = ?", [segment_id])
    return done.rowcount > 0


def _count_check(database: sqlite3.Connection) -> None:
    database.execute("UPDATE checks SET count = count + 1")
