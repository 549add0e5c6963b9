"""When a delivery is sent again, and when no more."""

from __future__ import annotations

from typing import Final

DELAYS: Final = (5, 300, 1800, 7200, 18_000, 36_000, 23_095)
"""Seconds before each further try: the last one is 24 h after the first."""
GONE: Final = 410
"""The status with which a receiver says that it wants no more of it."""


def delay(tries: int, scale: float) -> float | None:
    """Return the seconds until the next try after ``tries`` that failed; None: there is none.

    :param scale: what the delays are multiplied with.
    """
    return DELAYS[tries - 1] * scale if tries <= len(DELAYS) else None
