"""What the store's tables look like, and how a segment becomes a row of them and comes back.

States and kinds are text, times RFC 3339 with microseconds in UTC (so they sort), lengths and positions seconds.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any, Final

from mouthpiece.segments import AudioInfo, Mode, OnLoss, Problem, Receipt, Segment, Source, State, Viewers

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
"""The n-th brings the tables from version n - 1 to version n; ``user_version`` says where a file stands."""


def changes(segment: Segment) -> dict[str, Any]:
    """The columns that may change after a segment was accepted."""
    audio, viewers, error = segment.audio, segment.viewers, segment.error
    return {
        "avatar": segment.avatar,
        "profile": segment.profile,
        "state": str(segment.state),
        "receipt": str(segment.receipt),
        "sample_rate": audio.sample_rate,
        "num_channels": audio.num_channels,
        "duration": audio.duration,
        "position": segment.position,
        "interrupted": segment.interrupted,
        "viewers_start": viewers.start,
        "viewers_end": viewers.end,
        "started_at": _written(segment.started_at),
        "finished_at": _written(segment.finished_at),
        "expires_at": _written(segment.expires_at),
        "duplicate": segment.duplicate,
        "error_type": error and error.type,
        "error_detail": error and error.detail,
        "error_retryable": error and error.retryable,
    }


def row(segment: Segment) -> dict[str, Any]:
    """All columns of a new segment."""
    source = segment.source
    return changes(segment) | {
        "id": segment.id,
        "room": segment.room,
        "source_kind": source.kind,
        "source_name": source.name,
        "source_text": source.text,
        "source_voice": source.voice,
        "created_at": _written(segment.created_at),
        "mode": str(segment.mode),
        "on_loss": str(segment.on_loss),
        "interruptible": segment.interruptible,
        "wait_for_viewer": segment.wait_for_viewer,
    }


COLUMNS: Final = ", ".join(
    (
        *("id", "room", "avatar", "profile", "state", "receipt"),
        *("source_kind", "source_name", "source_text", "source_voice", "sample_rate", "num_channels", "duration"),
        *("position", "interrupted", "viewers_start", "viewers_end"),
        *("created_at", "started_at", "finished_at", "expires_at", "duplicate"),
        *("error_type", "error_detail", "error_retryable", "mode", "on_loss", "interruptible", "wait_for_viewer"),
    )
)


def segment(found: sqlite3.Row) -> Segment:
    """From a row of ``COLUMNS``."""
    problem = None
    if found["error_type"] is not None:
        problem = Problem(found["error_type"], found["error_detail"], bool(found["error_retryable"]))
    created = _read(found["created_at"])
    assert created is not None
    return Segment(
        id=found["id"],
        room=found["room"],
        source=Source(found["source_kind"], found["source_name"], found["source_text"], found["source_voice"]),
        audio=AudioInfo(found["sample_rate"], found["num_channels"], found["duration"]),
        created_at=created,
        avatar=found["avatar"],
        profile=found["profile"],
        state=State(found["state"]),
        receipt=Receipt(found["receipt"]),
        position=found["position"],
        interrupted=bool(found["interrupted"]),
        viewers=Viewers(found["viewers_start"], found["viewers_end"]),
        started_at=_read(found["started_at"]),
        finished_at=_read(found["finished_at"]),
        expires_at=_read(found["expires_at"]),
        duplicate=bool(found["duplicate"]),
        error=problem,
        mode=Mode(found["mode"]),
        on_loss=OnLoss(found["on_loss"]),
        interruptible=bool(found["interruptible"]),
        wait_for_viewer=bool(found["wait_for_viewer"]),
    )


def written_time(at: datetime) -> str:
    """RFC 3339, in UTC, always with six decimals: text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _written(at: datetime | None) -> str | None:
    return None if at is None else written_time(at)


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
