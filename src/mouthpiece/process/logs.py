"""Where a service process logs, and how much: one line per event on stderr.

A line never holds a token, an identity or the text that is spoken; that is for each caller of ``logging`` to keep.
What is written is bounded, in all and for lines of one kind, so that nobody fills a disk by making us complain.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from mouthpiece.process.json_logs import MOST_OF_A_LINE, JsonFormatter, LogFormat, with_field

LINE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


BYTES_A_SECOND: Final = 1_000
BURST: Final = 30_000
"""Bytes that may come at once."""
LINES_OF_A_KIND: Final = 20
"""Lines of one kind that may come at once; after that one in five seconds."""
_MOST_KINDS: Final = 500


class LogBudget:
    """How much may be written. A kind is what all lines of one call of ``logging`` have in common.

    :param clock: seconds, monotonic.
    :param times: how many times the usual amounts.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, times: int = 1) -> None:
        self._clock = clock
        self._times = times
        self._bytes = float(BURST * times)
        self._at = clock()
        self._kinds: dict[str, tuple[float, float]] = {}
        """Lines that may be written, and when that was counted."""
        self._left_out = 0

    def take(self, kind: str, size: int) -> int | None:
        """Return how many lines were left out before this one of ``size`` bytes; None: it is left out, too."""
        now = self._clock()
        self._bytes = min(BURST * self._times, self._bytes + (now - self._at) * BYTES_A_SECOND * self._times)
        self._at = now
        lines, at = self._kinds.get(kind, (float(LINES_OF_A_KIND * self._times), now))
        lines = min(LINES_OF_A_KIND * self._times, lines + (now - at) / 5 * self._times)
        if lines < 1 or self._bytes < size:
            self._left_out += 1
            return None
        if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            self._kinds.clear()
        self._kinds[kind] = lines - 1, now
        self._bytes -= size
        left_out, self._left_out = self._left_out, 0
        return left_out


class BoundedHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to stderr what its budget allows."""

    def __init__(self, budget: LogBudget) -> None:
        super().__init__()
        self._budget = budget

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)[:MOST_OF_A_LINE]
            left_out = self._budget.take(f"{record.name} {record.msg}", len(line))
            if left_out is None:
                return
            if left_out and isinstance(self.formatter, JsonFormatter):
                line = with_field(line, "left_out", left_out)
            elif left_out:
                line = f"{line} ({left_out} lines before it were left out)"
            self.stream.write(line + self.terminator)
            self.flush()
        except Exception:  # as logging's own handlers
            self.handleError(record)


def log_to_stderr(
    formatter: logging.Formatter, *, root: str, levels: Mapping[str, str], times: int = 1
) -> logging.Handler:
    """Make one handler on stderr the only handler of the process.

    :param root: the level of every logger that has no level of its own: ``DEBUG``, ``INFO``, …
    :param levels: levels by the name of the logger.
    :param times: how many times the usual amount may be written.
    :returns: the handler, to put filters on.
    :raises ValueError: a level is unknown.
    """
    handler = BoundedHandler(LogBudget(times=times))
    handler.setFormatter(formatter)
    logger = logging.getLogger()
    logger.handlers[:] = [handler]
    logger.setLevel(root)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    return handler


def set_up_service_logs(
    package: str,
    *,
    verbose: bool,
    form: LogFormat = LogFormat.TEXT,
    formatter: logging.Formatter | None = None,
    fields: Sequence[str] = (),
) -> None:
    """Set up the logs of a service that holds LiveKit connections: ``package`` from INFO on, others from WARNING on.

    LiveKit's native part logs a refused connection five times and each ICE hiccup; the service learns of those that
    matter from the room's events. Its SDK logs each stream without a reader through the root logger.

    :param verbose: log ``package`` from DEBUG on, and others, LiveKit's native part too, from INFO on.
    :param form: JSON may be read by a machine, which gets more lines.
    :param formatter: of text, in place of one that writes ``LINE``.
    :param fields: of JSON, beside those of each line.
    """
    as_json = form is LogFormat.JSON
    log_to_stderr(
        JsonFormatter(fields, tracebacks=True) if as_json else formatter or logging.Formatter(LINE),
        root="INFO" if verbose else "WARNING",
        times=20 if verbose or as_json else 1,
        levels={package: "DEBUG" if verbose else "INFO", "livekit": "INFO" if verbose else "CRITICAL"},
    )
