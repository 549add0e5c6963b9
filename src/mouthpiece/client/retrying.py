"""Whether a call is sent again, and when. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece.client.errors import ClientError

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

    def after(self, error: ClientError, now: float) -> float | None:
        """Return the seconds to wait before the next try; None: there is none."""
        if not error.retryable:
            return None
        delay, self._delay = max(self._delay, error.retry_after or 0), min(LONGEST, self._delay * 2)
        return delay if now + delay <= self.until else None

    def succeeded(self, now: float, retry_for: float) -> None:
        """Begin anew: what was received counts."""
        self.until, self._delay = now + retry_for, FIRST
