"""The store's tables, and how a segment becomes a row and a row a segment.

States and kinds are text, times RFC 3339 with microseconds in UTC (so they sort), lengths and positions seconds.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mouthpiece.fields import Field, fields_of
from mouthpiece.segments import Segment

MIGRATIONS: Final = (
    """
    CREATE TABLE segments (
        id              TEXT PRIMARY KEY,
        room            TEXT NOT NULL,
        avatar          TEXT,
        profile         TEXT,
        state           TEXT NOT NULL,
        receipt         TEXT NOT NULL,
        source_kind     TEXT NOT NULL,
        source_name     TEXT,
        source_text     TEXT,
        source_voice    TEXT,
        sample_rate     INTEGER NOT NULL,
        num_channels    INTEGER NOT NULL,
        duration        REAL,
        audio_kept      INTEGER NOT NULL DEFAULT 1,
        position        REAL NOT NULL,
        interrupted     INTEGER NOT NULL,
        viewers_start   INTEGER,
        viewers_end     INTEGER,
        created_at      TEXT NOT NULL,
        started_at      TEXT,
        finished_at     TEXT,
        expires_at      TEXT,
        duplicate       INTEGER NOT NULL,
        error_type      TEXT,
        error_detail    TEXT,
        error_retryable INTEGER,
        mode            TEXT NOT NULL,
        on_loss         TEXT NOT NULL,
        interruptible   INTEGER NOT NULL,
        wait_for_viewer INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX segments_of_room ON segments (room, id);
    CREATE INDEX unfinished_segments ON segments (id) WHERE state IN ('queued', 'playing', 'paused');

    CREATE TABLE attempts (
        segment   TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
        number    INTEGER NOT NULL,
        offset    REAL NOT NULL,
        opened_at TEXT NOT NULL,
        PRIMARY KEY (segment, number)
    ) WITHOUT ROWID;

    CREATE TABLE events (
        seq      INTEGER PRIMARY KEY AUTOINCREMENT,
        segment  TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
        room     TEXT NOT NULL,
        type     TEXT NOT NULL,
        at       TEXT NOT NULL,
        attempt  INTEGER,
        position REAL,
        detail   TEXT
    );
    CREATE INDEX events_of_segment ON events (segment, seq);
    CREATE INDEX events_of_room ON events (room, seq);

    -- A row to write to when somebody asks whether writing works.
    CREATE TABLE checks (count INTEGER NOT NULL);
    INSERT INTO checks VALUES (0);
    """,
)
"""The n-th migrates the tables from version n - 1 to version n; ``user_version`` holds the version of a file."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``segments`` that holds one value of a :class:`Segment`."""

    name: str
    field: Field
    group: Field | None
    """The field that holds ``field``, where that is not the segment itself."""

    @property
    def fixed(self) -> bool:
        """Its value never changes once the segment is accepted."""
        return (self.group or self.field).about.fixed

    def value(self, segment: Segment) -> Any:
        """Return the column's value of ``segment``, as SQLite stores it."""
        holder = segment if self.group is None else getattr(segment, self.group.name)
        return None if holder is None else _written(getattr(holder, self.field.name))

    def read(self, found: sqlite3.Row) -> Any:
        """Return the column's value in a row, as a segment holds it."""
        return _read(self.field.type, found[self.name])


def _columns() -> Iterator[Column]:
    for field in fields_of(Segment):
        prefix = f"{field.name}_" if field.about.prefix is None else field.about.prefix
        for part in field.group:
            yield Column(prefix + part.name, part, field)
        if not field.group:
            yield Column(field.name, field, None)


COLUMNS: Final = tuple(_columns())
"""``audio_kept`` is not among them: it is no part of a segment."""


def row(segment: Segment) -> dict[str, Any]:
    """Return all columns of a new segment."""
    return {column.name: column.value(segment) for column in COLUMNS}


def changes(segment: Segment) -> dict[str, Any]:
    """Return the columns that may change after a segment was accepted."""
    return {column.name: column.value(segment) for column in COLUMNS if not column.fixed}


def segment(found: sqlite3.Row) -> Segment:
    """Return the segment in a row that has all ``COLUMNS``."""
    values: dict[str, Any] = {}
    for field in fields_of(Segment):
        if not field.group:
            values[field.name] = next(column.read(found) for column in COLUMNS if column.field is field)
            continue
        parts = {column.field.name: column.read(found) for column in COLUMNS if column.group is field}
        absent = field.optional and all(part is None for part in parts.values())
        values[field.name] = None if absent else field.type(**parts)
    return Segment(**values)


def written_time(at: datetime) -> str:
    """Return ``at`` as RFC 3339 in UTC, always with six decimals: text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _written(value: Any) -> Any:
    match value:
        case datetime():
            return written_time(value)
        case enum.StrEnum():
            return str(value)
    return value


def _read(kind: type, value: Any) -> Any:
    if value is None:
        return None
    if issubclass(kind, datetime):
        return datetime.fromisoformat(value)
    return kind(value) if issubclass(kind, bool | enum.StrEnum) else value
