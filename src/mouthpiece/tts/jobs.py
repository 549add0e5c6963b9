"""The syntheses of one TTS: which are under way, and how all of them are stopped at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mouthpiece.tts.synthesis import Job, Synthesis

_log = logging.getLogger(__name__)


class Jobs:
    """Owns every pump task until it has ended."""

    def __init__(self) -> None:
        self.closed = False
        self.turn = asyncio.Lock()
        """One provider's stream at a time, first come first served. A stop hands out a new one: a provider that
        does not let go keeps nobody waiting."""
        self.halted = asyncio.Event()
        """Set by the next stop."""
        self._sending = asyncio.Lock()
        self._sent: tuple[asyncio.Task[Any] | None, Synthesis] | None = None
        """By which task."""
        self._running: set[Job] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def sends(self, synthesis: Synthesis) -> AsyncIterator[None]:
        """One ``send`` at a time, but for one that a handler makes at the end of another: it would wait for itself.

        :raises RuntimeError: a handler makes it before the end.
        """
        task, outer = asyncio.current_task(), self._sent
        if outer is not None and outer[0] is task:
            if outer[1].running:
                raise RuntimeError("a handler cannot await another send before the end of the one that called it")
            yield
            return
        async with self._sending:
            self._sent = (task, synthesis)
            try:
                yield
            finally:
                self._sent = None

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
        self.halted.set()
        self.halted = asyncio.Event()
        for job in tuple(self._running):
            job.stop()

    async def ended(self, seconds: float) -> set[asyncio.Task[Any]]:
        """Waits until the providers have let go, at most ``seconds``; the pumps of those that have not."""
        pumps: set[asyncio.Task[Any]] = self._pumps - {asyncio.current_task()}
        return (await asyncio.wait(pumps, timeout=seconds))[1] if pumps else set()

    async def settle(self, seconds: float) -> None:
        """The same, and then nobody waits for them any more."""
        late = await self.ended(seconds)
        for pump in late:
            pump.cancel()  # one that swallowed the first
        if late:
            _log.warning("%d stream(s) of a voice did not end within %.2f s of a stop", len(late), seconds)
