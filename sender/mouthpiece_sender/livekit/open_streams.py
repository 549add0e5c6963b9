"""The rooms in which a stream was open when an earlier process was killed, and when it brought its last chunk there.

A receiver that cannot be asked goes deaf if its sender is gone while it reads (docs/wire.md, way 10): the next process
has to know until when. A file for each room is there while a stream is open, and its time of change is that of the
last chunk.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from mouthpiece.errors import StoreError
from mouthpiece_sender.playout.attempt_stream import Writer

logger = logging.getLogger(__name__)

INTERVAL: Final = 0.5
"""Seconds by which the time of the last chunk may be known too early."""
FORGOTTEN: Final = 60.0
"""Seconds after which it matters to nobody: receivers have given the stream up."""


class OpenStreams:
    """``read`` it before anything else."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._left: dict[str, float] = {}
        """Monotonic seconds of the last chunk, by the name of the room's file."""
        self._open: Counter[str] = Counter()
        """Streams of this process, by the same."""
        self._marked_at: dict[str, float] = {}

    async def read(self) -> None:
        """Read what an earlier process left; the folder is made.

        :raises StoreError: it cannot be made or read.
        """
        try:
            ages = await asyncio.to_thread(_ages, self._folder)
        except OSError as error:
            raise StoreError(f"The folder of open streams cannot be read: {error.strerror}.") from None
        self._left = {name: self._clock() - age for name, age in ages.items()}

    def left_open_at(self, room: str) -> float | None:
        """Return when the last chunk was sent of a stream that an earlier process left open in ``room``, monotonic
        seconds; None: it left none."""
        return self._left.get(_name(room))

    def marking(self, room: str, open: Callable[[], Awaitable[Writer]]) -> Callable[[], Awaitable[Writer]]:
        """Return ``open`` with a writer that keeps the file of ``room`` until it was closed."""
        name = _name(room)

        async def opened() -> Writer:
            self._open[name] += 1
            try:
                await self._mark(name)
                return _MarkingWriter(await open(), lambda: self._mark(name), lambda: self._closed(name))
            except BaseException:
                await self._closed(name)
                raise

        return opened

    async def _mark(self, name: str) -> None:
        now = self._clock()
        if now < self._marked_at.get(name, float("-inf")) + INTERVAL:
            return
        self._marked_at[name] = now
        try:
            await asyncio.to_thread((self._folder / name).touch, 0o600)
        except OSError as error:  # the store says what is wrong with the folder
            logger.debug("an open stream was not marked: %s", error)

    async def _closed(self, name: str) -> None:
        self._open[name] -= 1
        if self._open[name]:
            return
        del self._open[name]
        self._marked_at.pop(name, None)
        self._left.pop(name, None)
        try:
            await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)
        except OSError as error:
            logger.debug("the mark of a stream was not removed: %s", error)


class _MarkingWriter:
    def __init__(
        self, writer: Writer, mark: Callable[[], Awaitable[None]], closed: Callable[[], Awaitable[None]]
    ) -> None:
        self._writer = writer
        self._mark = mark
        self._closed = closed

    async def write(self, data: bytes) -> None:
        await self._mark()
        await self._writer.write(data)

    async def aclose(self) -> None:
        try:
            await self._writer.aclose()
        finally:
            await self._closed()


def _name(room: str) -> str:
    """A room's name may hold what no file name may."""
    return hashlib.sha256(room.encode()).hexdigest()


def _ages(folder: Path) -> dict[str, float]:
    """Return the seconds since each file in ``folder`` was changed; those that matter to nobody are removed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now, ages = time.time(), {}
    for path in folder.iterdir():
        age = max(0.0, now - path.stat().st_mtime)
        if age > FORGOTTEN:
            path.unlink(missing_ok=True)
        else:
            ages[path.name] = age
    return ages
