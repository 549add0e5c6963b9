"""A segment's columns, its JSON and the API's model agree with ``Segment``, field by field."""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from mouthpiece.fields import Field, fields_of
from mouthpiece.segments import (
    AttemptRecord,
    AudioInfo,
    EndedBy,
    Mode,
    OnLoss,
    Problem,
    Receipt,
    Segment,
    Source,
    State,
    Viewers,
)
from mouthpiece_sender.api import models
from mouthpiece_sender.segment_json import segment_json
from mouthpiece_sender.storage.migrations import MIGRATIONS
from mouthpiece_sender.storage.rows import ATTEMPT_COLUMNS, COLUMNS, Column

FULL = Segment(
    id="seg_1",
    room="demo",
    avatar="avatar-mia",
    profile="mouthpiece",
    state=State.UNKNOWN,
    receipt=Receipt.ESTIMATED,
    source=Source("text", "a.txt", "Hello.", "heart", "offline", "s16be", "markdown"),
    audio=AudioInfo(16_000, 2, 3.5),
    position=1.25,
    interrupted=True,
    viewers=Viewers(3, 4),
    tag="order 12",
    metadata={"who": "shop"},
    ended_by=EndedBy.RESTART,
    attempts=(AttemptRecord(number=1, avatar="avatar-mia", offset=0.5),),
    created_at=datetime(2026, 11, 21, 5, tzinfo=UTC),
    started_at=datetime(2026, 11, 21, 6, tzinfo=UTC),
    finished_at=datetime(2026, 11, 21, 7, tzinfo=UTC),
    expires_at=datetime(2026, 11, 21, 8, tzinfo=UTC),
    duplicate=True,
    error=Problem("avatar-left", "The avatar left.", True),
    mode=Mode.INTERRUPT,
    on_loss=OnLoss.REPLAY,
    interruptible=False,
    wait_for_viewer=True,
    callback="https://shop.example/events",
    addressed=True,
)
"""Every field differs from its default."""
HIDDEN = {
    ("mode",),
    ("on_loss",),
    ("interruptible",),
    ("wait_for_viewer",),
    ("callback",),
    ("addressed",),
    ("source", "tts"),
    ("source", "encoding"),
    ("source", "text_format"),
}
"""What a caller asked for, or we need to know of a sound, and is not answered."""
SQL_TYPES = {str: "TEXT", dict: "TEXT", datetime: "TEXT", int: "INTEGER", bool: "INTEGER", float: "REAL"}


def leaves(kind: type, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Each field of a dataclass that holds a plain value, with the names that lead to it."""
    for field in fields_of(kind):
        if field.group and not field.many:
            yield from leaves(field.type, (*path, field.name))
        else:
            yield (*path, field.name), field


LEAVES = list(leaves(Segment))
SHOWN = [path for path, _ in LEAVES if path not in HIDDEN]
STORED = [(path, field) for path, field in LEAVES if not field.many]


def at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value


def paths(value: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, part in value.items():
        if isinstance(part, dict) and name != "metadata":
            yield from paths(part, (*path, name))
        else:
            yield (*path, name)


def column_of(path: tuple[str, ...]) -> Column:
    (column,) = (one for one in COLUMNS if path == ((one.group.name,) if one.group else ()) + (one.field.name,))
    return column


def table(name: str = "segments") -> dict[str, sqlite3.Row]:
    database = sqlite3.connect(":memory:")
    try:
        database.row_factory = sqlite3.Row
        for migration in MIGRATIONS:
            database.executescript(migration)
        return {found["name"]: found for found in database.execute(f"PRAGMA table_info({name})")}
    finally:
        database.close()


def test_the_example_of_this_test_sets_every_field() -> None:
    plain = Segment(id="", room="", source=Source("file"), audio=AudioInfo(0, 0, None), created_at=datetime.now(UTC))
    unset = [path for path, _ in LEAVES if path[0] != "error" and at(FULL, path) == at(plain, path)]
    assert unset == []


def test_the_table_has_a_column_for_each_field_and_no_other() -> None:
    assert len(COLUMNS) == len(STORED)
    assert {column.name for column in COLUMNS} == table().keys() - {"accepted"}


def test_the_table_of_attempts_has_a_column_for_each_field_and_no_other() -> None:
    found = table("attempts")
    assert [*found] == ["segment", *(field.name for field in ATTEMPT_COLUMNS)]
    for field in ATTEMPT_COLUMNS:
        kind = str if issubclass(field.type, enum.StrEnum) else field.type
        assert found[field.name]["type"] == SQL_TYPES[kind]
        assert bool(found[field.name]["notnull"]) is not field.optional


@pytest.mark.parametrize(("path", "field"), STORED, ids=lambda value: ".".join(value) if type(value) is tuple else "")
def test_a_column_has_the_type_of_its_field_and_may_be_null_where_it_may_be_none(
    path: tuple[str, ...], field: Field
) -> None:
    column = column_of(path)
    found = table()[column.name]
    kind = str if issubclass(field.type, enum.StrEnum) else field.type
    assert found["type"] == SQL_TYPES[kind]
    optional = field.optional or (column.group is not None and column.group.optional)
    assert bool(found["notnull"] or found["pk"]) is not optional


def test_the_json_has_a_key_for_each_field_that_is_shown_in_their_order() -> None:
    assert list(paths(segment_json(FULL))) == SHOWN


def test_the_model_of_the_api_has_the_same_fields_and_describes_each_value_as_it_is() -> None:
    answer = models.Segment.model_validate(segment_json(FULL))
    assert isinstance(answer, BaseModel)
    assert list(paths(answer.model_dump())) == SHOWN
    for path in SHOWN:
        if path != ("attempts",):
            assert at(answer, path) == at(FULL, path), path
    (attempt,) = at(answer, ("attempts",))
    for field in ATTEMPT_COLUMNS:
        assert hasattr(attempt, field.name) is field.about.shown
        if field.about.shown:
            assert getattr(attempt, field.name) == getattr(FULL.attempts[0], field.name)
