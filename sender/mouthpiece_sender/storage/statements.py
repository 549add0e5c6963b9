"""What the store writes. Each function runs inside a transaction, in the store's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from mouthpiece.errors import IdempotencyConflict
from mouthpiece.segments import AttemptRecord, Event, Segment
from mouthpiece_sender.storage.journal import KEY_LIFETIME, IdempotencyKey, Kind
from mouthpiece_sender.storage.log_rows import snapshot
from mouthpiece_sender.storage.rows import ATTEMPT_COLUMNS, attempt_row, changes, row, written_time
from mouthpiece_sender.storage.rows import attempt as stored_attempt

_UPSERT_ATTEMPT: Final = (
    f"INSERT INTO attempts (segment, {', '.join(field.name for field in ATTEMPT_COLUMNS)}) "
    f"VALUES (:segment, {', '.join(f':{field.name}' for field in ATTEMPT_COLUMNS)}) ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{field.name} = excluded.{field.name}" for field in ATTEMPT_COLUMNS if field.name != "number")
)
_ATTEMPTS: Final = "SELECT * FROM attempts WHERE segment = ? ORDER BY number"
_WORDS: Final = "source_text = NULL, source_name = NULL, metadata = NULL"
_HAS_WORDS: Final = "(source_text IS NOT NULL OR source_name IS NOT NULL OR metadata IS NOT NULL)"

_REMOVE: Final[dict[Kind, str]] = {
    "segments": """
        DELETE FROM segments WHERE id IN (
            SELECT id FROM segments WHERE finished_at < ? AND state NOT IN ('queued', 'playing', 'paused')
                AND NOT EXISTS (SELECT 1 FROM idempotency_keys WHERE segment = segments.id)
            ORDER BY finished_at LIMIT ?
        ) RETURNING id""",
    "texts": f"""
        UPDATE segments SET {_WORDS} WHERE id IN (
            SELECT id FROM segments WHERE finished_at < ? AND state NOT IN ('queued', 'playing', 'paused')
                AND {_HAS_WORDS}
            ORDER BY finished_at LIMIT ?
        ) RETURNING id""",
    "events": """
        DELETE FROM events WHERE seq IN (
            SELECT seq FROM events WHERE at < ?
                AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = events.seq AND state = 'pending')
            ORDER BY at LIMIT ?
        ) RETURNING seq""",
    "keys": """
        DELETE FROM idempotency_keys WHERE (scope, key) IN (
            SELECT scope, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?
        ) RETURNING key""",
}


def insert(new: Segment, key: IdempotencyKey | None, database: sqlite3.Connection) -> None:
    """
    :raises IdempotencyConflict: ``key`` names another segment.
    """
    values = row(new)
    marks = ", ".join(f":{name}" for name in values)
    database.execute(
        f"INSERT INTO segments ({', '.join(values)}, accepted) "
        f"VALUES ({marks}, (SELECT ifnull(max(accepted), 0) + 1 FROM segments))",
        values,
    )
    if key is not None:
        _insert_key(new, key, database)
    insert_event(Event(new.id, new.room, f"segment.{new.state}", new.created_at), snapshot(new), database)


def _insert_key(new: Segment, key: IdempotencyKey, database: sqlite3.Connection) -> None:
    database.execute(
        "DELETE FROM idempotency_keys WHERE scope = ? AND key = ? AND created_at <= ?",
        [key.scope, key.key, written_time(new.created_at - KEY_LIFETIME)],
    )
    added = database.execute(
        "INSERT INTO idempotency_keys (scope, key, fingerprint, segment, created_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        [key.scope, key.key, key.fingerprint, new.id, written_time(new.created_at)],
    )
    if not added.rowcount:
        raise IdempotencyConflict("Another request with this Idempotency-Key was accepted meanwhile: send it again.")


def delete(segment_id: str, database: sqlite3.Connection) -> None:
    """Undo ``insert``, as if it had never been: nobody misses the event."""
    (removed,) = database.execute("SELECT last FROM removed_events").fetchone()
    database.execute("DELETE FROM segments WHERE id = ?", [segment_id])
    database.execute("UPDATE removed_events SET last = ?", [removed])


def record(now: Segment, event: Event, attempt: AttemptRecord | None, database: sqlite3.Connection) -> int:
    """Return the number of the event."""
    values = changes(now)
    database.execute(
        f"UPDATE segments SET {', '.join(f'{name} = :{name}' for name in values)} WHERE id = :id",
        values | {"id": now.id},
    )
    if attempt is not None:
        database.execute(_UPSERT_ATTEMPT, attempt_row(attempt) | {"segment": now.id})
    attempts = [stored_attempt(one) for one in database.execute(_ATTEMPTS, [now.id])]
    return insert_event(event, snapshot(replace(now, attempts=tuple(attempts))), database)


def insert_event(event: Event, snapshot: str | None, database: sqlite3.Connection) -> int:
    """Return the number of the event."""
    values = [event.segment, event.room, event.type, written_time(event.at), event.attempt, event.position]
    added = database.execute(
        "INSERT INTO events (segment, room, type, at, attempt, position, detail, avatar, snapshot) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [*values, event.detail, event.avatar, snapshot],
    )
    assert added.lastrowid is not None
    return added.lastrowid


def set_paused(room: str, paused: bool, database: sqlite3.Connection) -> None:
    if paused:
        database.execute("INSERT INTO paused_rooms (room) VALUES (?) ON CONFLICT DO NOTHING", [room])
    else:
        database.execute("DELETE FROM paused_rooms WHERE room = ?", [room])


def pause_waiting(database: sqlite3.Connection) -> None:
    """Pause each room in which a segment has not ended."""
    database.execute(
        "INSERT INTO paused_rooms (room) SELECT DISTINCT room FROM segments "
        "WHERE state IN ('queued', 'playing', 'paused') ON CONFLICT DO NOTHING"
    )


def purge(segment_id: str, database: sqlite3.Connection) -> bool:
    """Return whether there is such a segment."""
    return database.execute(f"UPDATE segments SET {_WORDS} WHERE id = ?", [segment_id]).rowcount > 0


def remove(kind: Kind, before: datetime, limit: int, database: sqlite3.Connection) -> Sequence[str]:
    """Return what was removed."""
    return [str(found[0]) for found in database.execute(_REMOVE[kind], [written_time(before), limit])]


def count_check(database: sqlite3.Connection) -> None:
    database.execute("UPDATE checks SET count = count + 1")
