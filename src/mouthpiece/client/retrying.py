"""Whether a call is sent again, and when. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

FIRST = 0.25
"""Seconds before the second try; each further one waits twice as long."""
AGAIN = 0.1
"""Seconds before what ended in order is asked again."""
LONGEST = 5.0
"""Seconds."""


@dataclass
class Retrying:
    """The tries of one call.

    :param until: the time of the monotonic clock at which no further try begins.
    """

    until: float
    _delay: float = FIRST

    def after_failure(self, now: float) -> float | None:
        """The connection failed: return the seconds to wait before the next try; None: there is none."""
        delay, self._delay = self._delay, min(LONGEST, self._delay * 2)
        return delay if now + delay <= self.until else None

    def after_answer(self, answer: httpx.Response, now: float) -> float | None:
        """Return the same after an answer: it is tried again where the service says when."""
        given = answer.headers.get("Retry-After", "")
        if answer.is_success or not (given.isascii() and given.isdigit()):
            return None
        delay = max(float(given), self._delay)
        return delay if now + delay <= self.until else None

    def succeeded(self, now: float, retry_for: float) -> None:
        """Begin anew: what was received counts."""
        self.until, self._delay = now + retry_for, FIRST
