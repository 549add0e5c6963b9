"""How many requests a minute each key may make. No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from mouthpiece.errors import KeyLimitReached

MINUTE: Final = 60.0


class RequestRates:
    """A bucket for each key: it holds a minute's requests, and fills evenly.

    :param a_minute: requests of one key; None: any number.
    :param clock: seconds, monotonic.
    """

    def __init__(self, a_minute: int | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        """Of each holder: requests that are left, and when that was counted."""

    def take(self, holder: str) -> None:
        """Count a request.

        :param holder: of an accepted key, so that there are as many buckets as keys.
        :raises KeyLimitReached: the key has made as many as it may.
        """
        if self._a_minute is None:
            return
        now = self._clock()
        left, at = self._buckets.get(holder, (float(self._a_minute), now))
        left = min(self._a_minute, left + (now - at) * self._a_minute / MINUTE)
        if left < 1:
            self._buckets[holder] = left, now
            wait = (1 - left) * MINUTE / self._a_minute
            raise KeyLimitReached(f"This key may make {self._a_minute} requests a minute.", wait)
        self._buckets[holder] = left - 1, now
