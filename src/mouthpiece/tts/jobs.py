"""The syntheses of one TTS: which are under way, and how all of them are stopped at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

_log = logging.getLogger(__name__)


class Job(Protocol):
    """One synthesis, as far as ``Jobs`` needs to know it."""

    @property
    def stream_lock(self) -> asyncio.Lock:
        """``Jobs.stream_lock`` when the synthesis was asked for."""
        ...

    def stop(self) -> None:
        """Give no more sound from now on."""
        ...


class Jobs:
    """The jobs of one TTS, and the tasks that read its provider; each task is owned until it has ended."""

    def __init__(self) -> None:
        self.closed = False
        self.stream_lock = asyncio.Lock()
        """Held while a stream of the provider is open: one at a time, first come first served. Each stop replaces
        it, so a provider that does not let go blocks nobody."""
        self.next_stop = asyncio.Event()
        """Set by the next stop, which replaces it."""
        self._sending = asyncio.Lock()
        self._sender: tuple[asyncio.Task[Any] | None, Callable[[], bool]] | None = None
        """The task whose ``send`` is under way, and whether its synthesis still runs."""
        self._running: set[Job] = set()
        self._readers: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def sending(self, running: Callable[[], bool]) -> AsyncIterator[None]:
        """Let one ``send`` run at a time.

        A handler may send from inside the end of another ``send``: waiting for that one would deadlock.

        :param running: whether the synthesis of this ``send`` has not ended yet.
        :raises RuntimeError: a handler sends before the synthesis that called it has ended.
        """
        task, outer = asyncio.current_task(), self._sender
        if outer is not None and outer[0] is task:
            if outer[1]():
                raise RuntimeError("a handler cannot await another send before the end of the one that called it")
            yield
            return
        async with self._sending:
            self._sender = (task, running)
            try:
                yield
            finally:
                self._sender = None

    def add(self, job: Job) -> None:
        """Count ``job`` as running; stop it if it was asked for before the last stop."""
        self._running.add(job)
        if job.stream_lock is not self.stream_lock:
            job.stop()

    def discard(self, job: Job) -> None:
        """``job`` has ended."""
        self._running.discard(job)

    def own(self, reader: asyncio.Task[None]) -> None:
        """Keep ``reader``, which reads a stream of the provider, until it has ended."""
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)

    def stop(self) -> None:
        """Stop every synthesis that was asked for until now, whether it runs, waits or has not begun."""
        self.stream_lock = asyncio.Lock()
        self.next_stop.set()
        self.next_stop = asyncio.Event()
        for job in tuple(self._running):
            job.stop()

    async def wait_closed(self, seconds: float) -> set[asyncio.Task[Any]]:
        """Wait at most ``seconds`` until the provider has closed its streams; return the tasks that still read one."""
        readers: set[asyncio.Task[Any]] = self._readers - {asyncio.current_task()}
        return (await asyncio.wait(readers, timeout=seconds))[1] if readers else set()

    async def settle(self, seconds: float) -> None:
        """Wait as ``wait_closed`` does, then cancel what still reads and return."""
        late = await self.wait_closed(seconds)
        for reader in late:
            reader.cancel()  # the provider swallowed the first cancellation
        if late:
            _log.warning("%d stream(s) of a voice did not end within %.2f s of a stop", len(late), seconds)
