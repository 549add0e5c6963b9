"""Whether this machine's clock agrees with LiveKit's: a token that is not valid yet, or not any more, is refused as a
wrong key is."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

TOLERATED: Final = 30.0
"""Seconds; LiveKit tolerates a minute."""


def clock_problem(date: str | None, now: datetime) -> str | None:
    """A sentence on how far the clock is off; None: it is not, or that is not known.

    :param date: the ``Date`` header (RFC 9110, 6.6.1) of an answer of LiveKit.
    :param now: by this machine's clock, when the answer came.
    """
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    seconds = (now - (there if there.tzinfo is not None else there.replace(tzinfo=UTC))).total_seconds()
    if abs(seconds) <= TOLERATED:
        return None
    return (
        f"this machine's clock is {_span(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} LiveKit's, so it "
        "takes no token that is made here: set the clock (NTP)"
    )


def _span(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3600:.1f} h"


def http_url(url: str) -> str:
    """LiveKit's address with http:// or https://, where requests go."""
    return "http" + url.removeprefix("ws") if url.startswith("ws") else url
