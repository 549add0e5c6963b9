"""An entry of the event log as the API shows it and webhooks carry it."""

from __future__ import annotations

from typing import Any

from mouthpiece_sender.segment_json import segment_json, shown_time
from mouthpiece_sender.storage.journal import LogEntry


def event_json(entry: LogEntry) -> dict[str, Any]:
    """Return the event ready for ``json.dumps``; every key is always there, null where there is no value."""
    event, segment = entry.event, entry.segment
    return {
        "id": str(event.seq),
        "type": event.type,
        "at": shown_time(event.at),
        "room": event.room,
        "avatar": avatar_of(entry),
        "attempt": event.attempt,
        "segment": None if segment is None else segment_json(segment),
    }


def avatar_of(entry: LogEntry) -> str | None:
    """Return the identity of the avatar that an event is about."""
    return entry.event.avatar or (None if entry.segment is None else entry.segment.avatar)
