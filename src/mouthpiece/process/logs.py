"""Where a service process logs, and how much: one line per event on stderr.

A line never holds a token, an identity or the text that is spoken; that is for each caller of ``logging`` to keep.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

LINE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def log_to_stderr(formatter: logging.Formatter, *, root: str, levels: Mapping[str, str]) -> logging.Handler:
    """Make one handler on stderr the only handler of the process.

    :param root: the level of every logger that has no level of its own: ``DEBUG``, ``INFO``, …
    :param levels: levels by the name of the logger.
    :returns: the handler, to put filters on.
    :raises ValueError: a level is unknown.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logger = logging.getLogger()
    logger.handlers[:] = [handler]
    logger.setLevel(root)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    return handler


def set_up_service_logs(package: str, *, verbose: bool, formatter: logging.Formatter | None = None) -> None:
    """Set up the logs of a service that holds LiveKit connections: ``package`` from INFO on, others from WARNING on.

    LiveKit's native part logs a refused connection five times and each ICE hiccup; the service learns of those that
    matter from the room's events. Its SDK logs each stream without a reader through the root logger.

    :param verbose: log ``package`` from DEBUG on, and others, LiveKit's native part too, from INFO on.
    :param formatter: in place of one that writes ``LINE``.
    """
    log_to_stderr(
        formatter or logging.Formatter(LINE),
        root="INFO" if verbose else "WARNING",
        levels={package: "DEBUG" if verbose else "INFO", "livekit": "INFO" if verbose else "CRITICAL"},
    )
