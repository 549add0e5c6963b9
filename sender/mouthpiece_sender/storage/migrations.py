"""The store's tables, version by version.

States and kinds are text, times RFC 3339 with microseconds in UTC (so they sort), lengths and positions seconds.
"""

from __future__ import annotations

from typing import Final

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
    """
    ALTER TABLE segments ADD COLUMN source_tts TEXT;
    ALTER TABLE segments ADD COLUMN source_encoding TEXT;
    ALTER TABLE segments ADD COLUMN tag TEXT;
    ALTER TABLE segments ADD COLUMN metadata TEXT;
    ALTER TABLE segments ADD COLUMN ended_by TEXT;
    -- The order of acceptance: ids made within one millisecond are in no order.
    ALTER TABLE segments ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
    UPDATE segments SET accepted = numbered.number
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM segments) AS numbered
        WHERE numbered.id = segments.id;
    ALTER TABLE segments DROP COLUMN audio_kept;
    DROP INDEX segments_of_room;
    DROP INDEX unfinished_segments;
    CREATE INDEX segments_in_order ON segments (accepted);
    CREATE INDEX segments_of_room ON segments (room, accepted);
    CREATE INDEX segments_by_tag ON segments (room, tag, accepted) WHERE tag IS NOT NULL;
    CREATE INDEX unfinished_segments ON segments (accepted) WHERE state IN ('queued', 'playing', 'paused');
    CREATE INDEX ended_segments ON segments (finished_at) WHERE finished_at IS NOT NULL;

    ALTER TABLE attempts RENAME TO attempts_1;
    CREATE TABLE attempts (
        segment    TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
        number     INTEGER NOT NULL,
        avatar     TEXT,
        profile    TEXT,
        session    TEXT NOT NULL,
        offset     REAL NOT NULL,
        position   REAL NOT NULL,
        receipt    TEXT NOT NULL,
        state      TEXT NOT NULL,
        started_at TEXT,
        ended_at   TEXT,
        PRIMARY KEY (segment, number)
    ) WITHOUT ROWID;
    -- Version 1 did not store how an attempt ended: the last one ended as its segment did, each before it was lost.
    INSERT INTO attempts
        SELECT old.segment, old.number, whole.avatar, whole.profile, '', old.offset,
            CASE WHEN old.number = last THEN max(old.offset, whole.position) ELSE old.offset END,
            CASE WHEN old.number = last THEN whole.receipt ELSE 'unknown' END,
            CASE
                WHEN old.number < last THEN 'lost'
                WHEN whole.state IN ('queued', 'playing', 'paused') THEN 'open'
                WHEN whole.state = 'finished' THEN 'finished'
                WHEN whole.state IN ('unknown', 'failed') THEN 'lost'
                ELSE 'interrupted'
            END,
            old.opened_at,
            CASE WHEN old.number = last THEN whole.finished_at END
        FROM (SELECT *, max(number) OVER (PARTITION BY segment) AS last FROM attempts_1) AS old
            JOIN segments AS whole ON whole.id = old.segment;
    DROP TABLE attempts_1;
    CREATE INDEX events_by_age ON events (at);

    CREATE TABLE idempotency_keys (
        scope       TEXT NOT NULL,
        key         TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        segment     TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
        created_at  TEXT NOT NULL,
        PRIMARY KEY (scope, key)
    ) WITHOUT ROWID;
    CREATE INDEX keys_of_segment ON idempotency_keys (segment);
    CREATE INDEX keys_by_age ON idempotency_keys (created_at);

    CREATE TABLE paused_rooms (room TEXT PRIMARY KEY) WITHOUT ROWID;
    """,
    """
    -- Earlier versions did not store whether the caller had named the avatar: what waits for one stays with it.
    ALTER TABLE segments ADD COLUMN addressed INTEGER NOT NULL DEFAULT 0;
    UPDATE segments SET addressed = 1 WHERE avatar IS NOT NULL;
    """,
    """
    ALTER TABLE events RENAME TO events_2;
    CREATE TABLE events (
        seq      INTEGER PRIMARY KEY AUTOINCREMENT,
        segment  TEXT REFERENCES segments (id) ON DELETE CASCADE,
        room     TEXT NOT NULL,
        type     TEXT NOT NULL,
        at       TEXT NOT NULL,
        attempt  INTEGER,
        position REAL,
        detail   TEXT,
        avatar   TEXT,
        -- JSON: what may change of the segment, as it stood then. NULL before version 4, where it was not stored.
        snapshot TEXT
    );
    INSERT INTO events SELECT *, NULL, NULL FROM events_2;
    -- Numbers go on after those of entries that were removed.
    DELETE FROM sqlite_sequence WHERE name = 'events';
    INSERT INTO sqlite_sequence SELECT 'events', seq FROM sqlite_sequence WHERE name = 'events_2';
    CREATE TABLE removed_events (last INTEGER NOT NULL);
    INSERT INTO removed_events SELECT ifnull(min(seq) - 1, (SELECT ifnull(max(seq), 0) FROM sqlite_sequence
        WHERE name = 'events')) FROM events;
    DROP TABLE events_2;
    CREATE INDEX events_of_segment ON events (segment, seq);
    CREATE INDEX events_of_room ON events (room, seq);
    CREATE INDEX events_by_age ON events (at);
    CREATE TRIGGER events_are_removed AFTER DELETE ON events BEGIN
        UPDATE removed_events SET last = max(last, old.seq);
    END;
    """,
    """
    ALTER TABLE segments ADD COLUMN callback TEXT;

    CREATE TABLE deliveries (
        number     INTEGER PRIMARY KEY AUTOINCREMENT,
        receiver   TEXT NOT NULL,
        url        TEXT NOT NULL,
        event      INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
        subject    TEXT NOT NULL,
        room       TEXT NOT NULL,
        state      TEXT NOT NULL,
        tries      INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        due_at     TEXT,
        detail     TEXT,
        UNIQUE (event, receiver, url)
    );
    CREATE INDEX deliveries_in_order ON deliveries (receiver, url, subject, event) WHERE state = 'pending';
    CREATE INDEX deliveries_due ON deliveries (due_at, receiver, number) WHERE due_at IS NOT NULL;
    CREATE INDEX deliveries_by_state ON deliveries (state, number);
    CREATE TABLE routed_events (last INTEGER NOT NULL);
    -- What happened before there were webhooks is sent to none.
    INSERT INTO routed_events SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'events';
    """,
    """
    ALTER TABLE segments ADD COLUMN source_text_format TEXT;
    """,
)
"""The n-th migrates the tables from version n - 1 to version n; ``user_version`` holds the version of a file."""
