"""How a segment becomes a row and a row a segment; ``migrations`` says which tables there are."""

from __future__ import annotations

import enum
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mouthpiece.fields import Field, fields_of
from mouthpiece.segments import AttemptRecord, Segment

Row = sqlite3.Row | Mapping[str, Any]


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

    def read(self, found: Row) -> Any:
        """Return the column's value in a row, as a segment holds it."""
        return _read(self.field.type, found[self.name])


def _columns() -> Iterator[Column]:
    for field in fields_of(Segment):
        prefix = f"{field.name}_" if field.about.prefix is None else field.about.prefix
        for part in () if field.many else field.group:
            yield Column(prefix + part.name, part, field)
        if not field.group:
            yield Column(field.name, field, None)


COLUMNS: Final = tuple(_columns())
"""``accepted`` is not among them: it is no part of a segment."""
ATTEMPT_COLUMNS: Final = fields_of(AttemptRecord)
"""Beside these, a row of ``attempts`` has its ``segment``."""


def row(segment: Segment) -> dict[str, Any]:
    """Return all columns of a new segment."""
    return {column.name: column.value(segment) for column in COLUMNS}


def changes(segment: Segment) -> dict[str, Any]:
    """Return the columns that may change after a segment was accepted."""
    return {column.name: column.value(segment) for column in COLUMNS if not column.fixed}


def segment(found: Row, attempts: Sequence[AttemptRecord]) -> Segment:
    """Return the segment in a row that has all ``COLUMNS``."""
    values: dict[str, Any] = {"attempts": tuple(attempts)}
    for field in fields_of(Segment):
        if field.many:
            continue
        if not field.group:
            values[field.name] = next(column.read(found) for column in COLUMNS if column.field is field)
            continue
        parts = {column.field.name: column.read(found) for column in COLUMNS if column.group is field}
        absent = field.optional and all(part is None for part in parts.values())
        values[field.name] = None if absent else field.type(**parts)
    return Segment(**values)


def attempt_row(record: AttemptRecord) -> dict[str, Any]:
    """Return the columns of an attempt, without its segment."""
    return {field.name: _written(getattr(record, field.name)) for field in ATTEMPT_COLUMNS}


def attempt(found: Row) -> AttemptRecord:
    """Return the attempt in a row that has all ``ATTEMPT_COLUMNS``."""
    return AttemptRecord(**{field.name: _read(field.type, found[field.name]) for field in ATTEMPT_COLUMNS})


def written_time(at: datetime) -> str:
    """Return ``at`` as RFC 3339 in UTC, always with six decimals: text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _written(value: Any) -> Any:
    match value:
        case datetime():
            return written_time(value)
        case enum.StrEnum():
            return str(value)
        case dict():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


def _read(kind: type, value: Any) -> Any:
    if value is None:
        return None
    if issubclass(kind, datetime):
        return datetime.fromisoformat(value)
    if issubclass(kind, dict):
        return json.loads(value)
    return kind(value) if issubclass(kind, bool | enum.StrEnum) else value
