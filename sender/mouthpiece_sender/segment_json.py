"""A segment as the API and the command show it: lengths and positions in seconds, times RFC 3339."""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime
from typing import Any

from mouthpiece.fields import fields_of
from mouthpiece.segments import Segment


def segment_json(segment: Segment) -> dict[str, Any]:
    """Return the segment ready for ``json.dumps``; every key is always there, null where there is no value."""
    return _object(segment)


def shown_time(at: datetime) -> str:
    """Return ``at`` as RFC 3339 with milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _object(value: object) -> dict[str, Any]:
    kind: type = type(value)
    return {field.name: _json(getattr(value, field.name)) for field in fields_of(kind) if field.about.shown}


def _json(value: Any) -> Any:
    match value:
        case datetime():
            return shown_time(value)
        case enum.StrEnum():
            return str(value)
        case float():
            return round(value, 6)
        case tuple():
            return [_object(part) for part in value]
    return _object(value) if dataclasses.is_dataclass(value) else value
