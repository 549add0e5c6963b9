"""Wakes those who wait for the next entry of the event log."""

from __future__ import annotations

import asyncio


class Feed:
    """A reader takes ``arrival``, reads the log, and waits for what it took: so it misses nothing in between."""

    def __init__(self) -> None:
        self._arrival = asyncio.Event()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Nothing is read any more: readers end."""
        return self._closed

    @property
    def arrival(self) -> asyncio.Event:
        """Set with the next entry that is stored, and when the feed is closed."""
        return self._arrival

    def wake(self) -> None:
        """An entry was stored."""
        self._arrival.set()
        self._arrival = asyncio.Event()
        if self._closed:
            self._arrival.set()

    def close(self) -> None:
        self._closed = True
        self.wake()
