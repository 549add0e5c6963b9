"""How an entry of the event log is stored, and what a row of it says.

An entry holds what may change of its segment, as it stood then. What never changes, the words among it, is read from
the segment: so it is stored once, and what was purged is gone from the log too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mouthpiece.segments import Event, Segment
from mouthpiece_sender.storage import rows
from mouthpiece_sender.storage.journal import LogEntry, LogPage
from mouthpiece_sender.storage.store_file import StoreFile

_ATTEMPTS: Final = "attempts"
_NAMES: Final = ", ".join(f"segments.{column.name} AS segment_{column.name}" for column in rows.COLUMNS)
_FROM: Final = "FROM events LEFT JOIN segments ON segments.id = events.segment"
_ENTRIES: Final = f"SELECT events.*, {_NAMES} {_FROM}"
_REACH: Final = """
    SELECT (SELECT last FROM removed_events), ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)"""


def snapshot(segment: Segment) -> str:
    """Return what may change of ``segment``, with its attempts."""
    attempts = [rows.attempt_row(one) for one in segment.attempts]
    return json.dumps(rows.changes(segment) | {_ATTEMPTS: attempts}, ensure_ascii=False, separators=(",", ":"))


def page(file: StoreFile, after: int, limit: int, room: str | None, segment: str | None) -> LogPage:
    """Read a page. It blocks."""
    conditions: list[str] = ["events.seq > ?"]
    values: list[object] = [after]
    for column, value in (("room", room), ("segment", segment)):
        if value is not None:
            conditions.append(f"events.{column} = ?")
            values.append(value)
    where = f"WHERE {' AND '.join(conditions)} ORDER BY events.seq LIMIT ?"
    found = file.select(f"{_ENTRIES} {where}", (*values, limit))
    ((removed, last),) = file.select(_REACH, ())
    return LogPage(_entries(found), removed, last)


def entries(database: sqlite3.Connection, clauses: str, values: Sequence[object]) -> list[LogEntry]:
    """Return the entries that ``clauses`` choose, inside a transaction."""
    return _entries(database.execute(f"{_ENTRIES} {clauses}", tuple(values)).fetchall())


def joined(
    database: sqlite3.Connection, columns: str, clauses: str, values: Sequence[object]
) -> list[tuple[rows.Row, LogEntry]]:
    """Return ``columns`` of another table with the entry that each row is about, inside a transaction."""
    found = database.execute(f"SELECT events.*, {_NAMES}, {columns} {_FROM} {clauses}", tuple(values)).fetchall()
    return list(zip(found, _entries(found), strict=True))


def _entries(found: Sequence[rows.Row]) -> list[LogEntry]:
    return [LogEntry(_event(one), None if one["segment"] is None else _segment(one)) for one in found]


def _event(found: rows.Row) -> Event:
    return Event(
        found["segment"],
        found["room"],
        found["type"],
        datetime.fromisoformat(found["at"]),
        found["attempt"],
        found["position"],
        found["detail"],
        found["avatar"],
        found["seq"],
    )


def _segment(found: rows.Row) -> Segment:
    values = {column.name: found[f"segment_{column.name}"] for column in rows.COLUMNS}
    then = json.loads(found["snapshot"] or "{}")
    attempts = [rows.attempt(one) for one in then.pop(_ATTEMPTS, ())]
    return rows.segment(values | then, attempts)
