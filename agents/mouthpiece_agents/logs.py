"""The worker's log: one line per record, as text for people or as JSON for machines.

Tracebacks appear with ``--log-level debug`` only: livekit-agents logs each failed attempt with one. Of the extra fields
of its records only those in ``FIELDS`` are logged: others hold identities, tokens and whole requests.
"""

from __future__ import annotations

import logging
import signal
from datetime import UTC, datetime

from mouthpiece.process.json_logs import JsonFormatter, LogFormat, one_line
from mouthpiece.process.logs import log_to_stderr

FIELDS = ("room", "job_id", "reason", "error", "retry_count")
QUIET = ("livekit", "aiohttp.access", "asyncio")
"""Loggers that log far more than this worker's own; of these only warnings and errors are logged."""


class ConnectionAttempts(logging.Filter):
    """Passes the first three warnings of a failed connection to LiveKit, then one in 5 minutes.

    livekit-agents logs one every 10 s.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        number = getattr(record, "retry_count", None)
        return not isinstance(number, int) or number <= 3 or number % 30 == 0


class StoppedSpareProcesses(logging.Filter):
    """Drops the error of a spare process that was stopped while it started.

    livekit-agents stops a process with SIGUSR1 first, which kills one that is still starting, and then logs its exit
    code as an error (1.8.9).
    """

    MESSAGE = f"process exited with non-zero exit code {-signal.SIGUSR1}"

    def filter(self, record: logging.LogRecord) -> bool:
        return record.getMessage() != self.MESSAGE


class LineFormatter(logging.Formatter):
    """``12:30:01 INFO  message  room=demo``."""

    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        fields = "".join(f"  {name}={value}" for name, value in extras(record).items())
        line = f"{time} {record.levelname:<7} {one_line(record)}{fields}"
        if self._tracebacks and record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def extras(record: logging.LogRecord) -> dict[str, object]:
    """Return the extra fields of a record that are in ``FIELDS`` and not empty."""
    return {name: record.__dict__[name] for name in FIELDS if record.__dict__.get(name) not in (None, "")}


def set_up_logs(level: str, form: LogFormat) -> None:
    """Log to stderr.

    :param level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    debug = level == "debug"
    as_json = form is LogFormat.JSON
    formatter = JsonFormatter(FIELDS, tracebacks=debug) if as_json else LineFormatter(tracebacks=debug)
    levels = dict.fromkeys(QUIET, "WARNING") | {"livekit.agents": level.upper()}
    handler = log_to_stderr(formatter, root=level.upper(), levels=levels)
    handler.addFilter(ConnectionAttempts())
    handler.addFilter(StoppedSpareProcesses())
