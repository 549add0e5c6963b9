"""Segments, attempts and the event log in SQLite: what is accepted is there after a ``kill -9`` and a power cut.

One connection in one thread of its own, and one transaction a call, which runs to its end whatever becomes of the
caller.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from mouthpiece.errors import SegmentNotFound, StoreError, StoreFull
from mouthpiece.segments import AttemptRecord, Event, Segment, State
from mouthpiece_sender.storage import log_rows, rows, statements
from mouthpiece_sender.storage.cursors import cursor, read_cursor
from mouthpiece_sender.storage.deliveries import Deliveries
from mouthpiece_sender.storage.journal import KEY_LIFETIME, IdempotencyKey, Kind, KnownKey, LogPage, Page, Unfinished
from mouthpiece_sender.storage.rows import COLUMNS, written_time
from mouthpiece_sender.storage.store_file import StoreFile

T = TypeVar("T")


class Store:
    """A ``SegmentStore`` in the SQLite file at ``path``: ``async with Store(path) as store:``.

    Every method raises ``StoreFull`` when no space is left, and ``StoreError`` for what else SQLite reports or when
    the file was removed or replaced.
    """

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

    async def accept(self, segment: Segment, key: IdempotencyKey | None = None) -> None:
        try:
            await self._write(partial(statements.insert, segment, key))
        except asyncio.CancelledError:
            # The caller never sees that it was accepted, so it counts as refused. The thread works in order.
            self._thread.submit(self._file.transaction, partial(statements.delete, segment.id))
            raise

    async def record(self, segment: Segment, event: Event, attempt: AttemptRecord | None = None) -> Event:
        return replace(event, seq=await self._write(partial(statements.record, segment, event, attempt)))

    async def note(self, event: Event) -> Event:
        return replace(event, seq=await self._write(partial(statements.insert_event, event, None)))

    async def get(self, segment_id: str) -> Segment:
        found = await self._segments("WHERE id = ?", [segment_id])
        if not found:
            raise SegmentNotFound(f"There is no segment {segment_id}.")
        return found[0][1]

    async def list(
        self,
        room: str,
        *,
        states: Collection[State] = (),
        tag: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page:
        conditions = ["room = ?"]
        values: list[object] = [room]
        if after is not None:
            conditions.append("accepted < ?")
            values.append(read_cursor(after))
        if tag is not None:
            conditions.append("tag = ?")
            values.append(tag)
        if states:
            conditions.append(f"state IN ({', '.join('?' * len(states))})")
            values.extend(states)
        where = f"WHERE {' AND '.join(conditions)} ORDER BY accepted DESC LIMIT ?"
        found = await self._segments(where, (*values, limit + 1))
        page = found[:limit]
        return Page([segment for _, segment in page], cursor(page[-1][0]) if len(found) > limit else None)

    async def unfinished(self) -> Unfinished:
        # The states are literals because SQLite uses the partial index only then.
        found = await self._segments("WHERE state IN ('queued', 'playing', 'paused') ORDER BY accepted")
        return [(segment, [*segment.attempts]) for _, segment in found]

    async def paused_rooms(self) -> Collection[str]:
        return [room for (room,) in await self._select("SELECT room FROM paused_rooms")]

    async def set_paused(self, room: str, paused: bool) -> None:
        await self._write(partial(statements.set_paused, room, paused))

    # What the API and the retention need besides

    async def check(self) -> None:
        """Write one row.

        :raises StoreFull: no space is left.
        :raises StoreError: it cannot be written, or its files were removed or replaced.
        """
        await self._write(statements.count_check)

    async def log(self, after: int, limit: int, *, room: str | None = None, segment: str | None = None) -> LogPage:
        return await self._run(partial(log_rows.page, self._file, after, limit, room, segment))

    async def known_key(self, scope: str, key: str, now: datetime) -> KnownKey | None:
        select = "SELECT segment, fingerprint FROM idempotency_keys WHERE scope = ? AND key = ? AND created_at > ?"
        found = await self._select(select, [scope, key, written_time(now - KEY_LIFETIME)])
        return KnownKey(*found[0]) if found else None

    async def purge(self, segment_id: str) -> None:
        if not await self._write(partial(statements.purge, segment_id)):
            raise SegmentNotFound(f"There is no segment {segment_id}.")
        await self._run(self._file.empty_log)

    async def ends(self, segment_ids: Collection[str]) -> Mapping[str, datetime | None]:
        select = "SELECT id, finished_at FROM segments WHERE id IN ({marks})"
        found = await self._run(partial(self._file.select_in, select, [*segment_ids]))
        return {id: None if at is None else datetime.fromisoformat(at) for id, at in found}

    async def remove(self, kind: Kind, before: datetime, limit: int) -> Sequence[str]:
        removed = await self._write(partial(statements.remove, kind, before, limit))
        if removed and kind in ("segments", "texts"):
            await self._run(self._file.empty_log)
        return removed

    async def size(self) -> int:
        return await self._run(self._file.size)

    @property
    def deliveries(self) -> Deliveries:
        """What is still to be delivered to webhooks; its methods raise as those of the store do."""
        return Deliveries(self._write)

    # Inside

    async def _segments(self, clauses: str, values: Collection[object] = ()) -> Sequence[tuple[int, Segment]]:
        """Return segments, each behind its number in the order of acceptance."""
        return await self._run(partial(_read, self._file, clauses, values))

    async def _select(self, statement: str, values: Collection[object] = ()) -> Sequence[sqlite3.Row]:
        return await self._run(partial(self._file.select, statement, values))

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._run(partial(self._file.transaction, work))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.shield(asyncio.wrap_future(self._thread.submit(work)))
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise StoreFull("No space is left for the store.") from None
            raise StoreError(f"The store cannot be used: {error}.") from None


def _read(file: StoreFile, clauses: str, values: Collection[object]) -> Sequence[tuple[int, Segment]]:
    names = ", ".join(column.name for column in COLUMNS)
    found = file.select(f"SELECT accepted, {names} FROM segments {clauses}", values)
    attempts: defaultdict[str, list[AttemptRecord]] = defaultdict(list)
    select = "SELECT * FROM attempts WHERE segment IN ({marks}) ORDER BY segment, number"
    for one in file.select_in(select, [row["id"] for row in found]):
        attempts[one["segment"]].append(rows.attempt(one))
    return [(row["accepted"], rows.segment(row, attempts[row["id"]])) for row in found]
