"""Logs of the service: one line an event, never a token, an identity or what was said."""

from __future__ import annotations

import logging

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def set_up_logs(*, verbose: bool) -> None:
    """Logs of the whole process to stderr.

    LiveKit's native part logs a refused connection five times over and each ICE hiccup; what matters of it comes to us
    as an event.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("mouthpiece_sender").setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("livekit").setLevel(logging.INFO if verbose else logging.CRITICAL)
