"""Lines of the log that say which session they belong to: ``extra={"session": …}``."""

from __future__ import annotations

import logging
from typing import Final

from mouthpiece.process.logs import LINE

FIELDS: Final = ("session",)
"""Of JSON, beside those that each line has."""


class SessionFormatter(logging.Formatter):
    """Writes the session's id behind a line."""

    def __init__(self) -> None:
        super().__init__(LINE)

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        session = getattr(record, "session", None)
        return f"{line} [{session}]" if session else line
