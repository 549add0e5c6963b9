"""One line an event; the session it belongs to, never a token, an identity or what was said."""

from __future__ import annotations

import logging

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def set_up_logs(*, verbose: bool) -> None:
    """Logs of the whole process to stderr.

    LiveKit's native part logs a refused connection five times over and each ICE hiccup; what matters of it comes to us
    as an event. Its SDK logs through the root logger each stream that nobody takes.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("mouthpiece_avatar").setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("livekit").setLevel(logging.INFO if verbose else logging.CRITICAL)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        session = getattr(record, "session", None)
        return f"{line} [{session}]" if session else line
