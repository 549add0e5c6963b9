"""A segment as the API and the command show it: design section 5, durations in seconds, times RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mouthpiece.segments import Segment


def segment_json(segment: Segment) -> dict[str, Any]:
    """JSON-ready; every key is always there."""
    source, audio, error = segment.source, segment.audio, segment.error
    return {
        "id": segment.id,
        "room": segment.room,
        "avatar": segment.avatar,
        "profile": segment.profile,
        "state": str(segment.state),
        "receipt": str(segment.receipt),
        "source": {"kind": source.kind, "name": source.name, "text": source.text, "voice": source.voice},
        "audio": {
            "sample_rate": audio.sample_rate,
            "num_channels": audio.num_channels,
            "duration": None if audio.duration is None else round(audio.duration, 6),
        },
        "position": round(segment.position, 6),
        "interrupted": segment.interrupted,
        "viewers": {"start": segment.viewers.start, "end": segment.viewers.end},
        "created_at": _time(segment.created_at),
        "started_at": _time(segment.started_at),
        "finished_at": _time(segment.finished_at),
        "expires_at": _time(segment.expires_at),
        "duplicate": segment.duplicate,
        "error": None if error is None else {"type": error.type, "detail": error.detail, "retryable": error.retryable},
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
