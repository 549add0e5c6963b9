"""The syntheses of one TTS: which are under way, and how all of them are stopped at once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mouthpiece.tts.synthesis import Job

_log = logging.getLogger(__name__)


class Jobs:
    """Owns every pump task until it has ended."""

    def __init__(self) -> None:
        self.closed = False
        self.turn = asyncio.Lock()
        """One provider's stream at a time, first come first served. A stop hands out a new one: a provider that
        does not let go keeps nobody waiting."""
        self.sending = asyncio.Lock()
        """One ``send`` at a time."""
        self._running: set[Job] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    def add(self, job: Job) -> None:
        """A job whose turn was handed out before the last stop is stopped already."""
        self._running.add(job)
        if job.turn is not self.turn:
            job.stop()

    def discard(self, job: Job) -> None:
        self._running.discard(job)

    def own(self, pump: asyncio.Task[None]) -> None:
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)

    def stop(self) -> None:
        """Every synthesis that was asked for until now, running, waiting or not begun, gives no more sound."""
        self.turn = asyncio.Lock()
        for job in tuple(self._running):
            job.stop()

    async def settle(self, seconds: float) -> None:
        """Waits until the providers have let go, at most ``seconds``."""
        pumps: set[asyncio.Task[Any]] = self._pumps - {asyncio.current_task()}
        if not pumps:
            return
        _, late = await asyncio.wait(pumps, timeout=seconds)
        for pump in late:
            pump.cancel()  # one that swallowed the first
        if late:
            _log.warning("%d stream(s) of a voice did not end within %.2f s of a stop", len(late), seconds)
