"""Lines of a log as JSON: one object a line, of bounded length."""

from __future__ import annotations

import enum
import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from mouthpiece.process import log_context

MOST_OF_A_LINE: Final = 8_000
"""Characters."""
_CUTS: Final = (1_000, 100)
"""Characters of a field, the message among them: escaped, one takes up to six."""


class LogFormat(enum.StrEnum):
    """How a service writes its log (``MOUTHPIECE_LOG_FORMAT``)."""

    TEXT = "text"
    JSON = "json"


class JsonFormatter(logging.Formatter):
    """``{"time", "level", "logger", "message"}``, the segment and the request that it is about, and further fields.

    :param fields: of the extra fields of a record, those that are written: others may hold identities or tokens.
    :param tracebacks: write the traceback of an exception, too.
    """

    def __init__(self, fields: Sequence[str] = (), *, tracebacks: bool) -> None:
        super().__init__()
        self._fields = fields
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: record.__dict__[name] for name in self._fields if record.__dict__.get(name) not in (None, "")}
        value: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": one_line(record),
            **log_context.current(),
            **{name: _plain(field) for name, field in extra.items()},
        }
        if self._tracebacks and record.exc_info:
            line = json.dumps(value | {"traceback": self.formatException(record.exc_info)})
            if len(line) <= MOST_OF_A_LINE:
                return line
        lines = (json.dumps({name: _cut(field, most) for name, field in value.items()}) for most in _CUTS)
        return next((line for line in lines if len(line) <= MOST_OF_A_LINE), "{}")


def _plain(field: object) -> object:
    return field if isinstance(field, int | float) else str(field)


def _cut(field: object, most: int) -> object:
    return field[:most] if isinstance(field, str) else field


def with_field(line: str, name: str, value: int) -> str:
    """Return a line of JSON with one field more."""
    return json.dumps(json.loads(line) | {name: value})


def one_line(record: logging.LogRecord) -> str:
    """Return the first line of the message, with the class and the first line of its exception."""
    message = record.getMessage().splitlines()
    text = message[0] if message else ""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        first = str(error).splitlines()
        text += f": {type(error).__name__}" + (f": {first[0]}" if first else "")
    return text
