"""Where bodies lie while they wait: one file a segment, written as it arrives, readable by its owner only."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from mouthpiece.errors import AudioTooLarge, StoreError, StoreFull

BATCH: Final = 1 << 20
"""Bytes of a body that are held before they are written: a short one is written, synced and named in one go."""
ARRIVING: Final = ".part"
"""What a body that is not whole yet is called behind its segment's id."""
LOOK_EVERY: Final = 30.0
"""Seconds between two looks for sounds that have been kept for long enough."""

_SEGMENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """A body on disk."""

    path: Path
    size: int
    """Bytes."""


class Spool:
    """``async with Spool(folder) as spool:``; entering makes the folder and removes bodies that never became whole.

    :param max_bytes: of one body; None: any size.
    :param min_free: bytes that stay free on the disk.
    :param retention: seconds that the sound of a segment is kept after its end; 0: it is removed at the end.
    :param wall_clock: seconds since 1970, as files have them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int | None = None,
        min_free: int = 0,
        retention: float = 0.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._min_free = min_free
        self._retention = retention
        self._wall_clock = wall_clock
        self._due: dict[str, float] = {}
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """:raises StoreError: the folder cannot be made or written."""
        await _run(self._prepare)
        if self._retention:
            self._looking = asyncio.create_task(self._look(), name="spool")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    def path(self, segment_id: str) -> Path:
        """Where the sound of a segment lies once it is kept.

        :raises ValueError: no segment is called that.
        """
        if not _SEGMENT_ID.fullmatch(segment_id):
            raise ValueError(f"{segment_id!r} is no segment's id")
        return self._folder / segment_id

    async def keep(self, segment_id: str, chunks: AsyncIterator[bytes]) -> Kept:
        """Keeps what comes as the sound of a segment: on disk for good once this returns, nothing left if it raises.

        :raises AudioTooLarge: it is larger than ``max_bytes``.
        :raises StoreFull: too little is free. :raises StoreError: it cannot be written.
        """
        arriving = _Arriving(self.path(segment_id), self._min_free)
        held, size = bytearray(), 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                if self._max_bytes is not None and size > self._max_bytes:
                    raise AudioTooLarge(f"The sound is larger than {self._max_bytes / 1e6:g} MB.")
                held += chunk
                if len(held) >= BATCH:
                    await _run(partial(arriving.write, bytes(held)))
                    held.clear()
            await _run(partial(arriving.finish, bytes(held)))
        except BaseException:
            await _run(arriving.discard)
            raise
        return Kept(arriving.path, size)

    async def ended(self, segment_id: str) -> None:
        """The segment has ended: its sound is removed, now or once it has been kept for ``retention`` seconds.

        :raises StoreError: it cannot be removed.
        """
        if self._retention:
            self._due[segment_id] = self._wall_clock() + self._retention
            await _run(partial(_touch, self.path(segment_id), self._wall_clock()))
        else:
            await self.remove(segment_id)

    async def remove(self, segment_id: str) -> None:
        """Removes the sound of a segment, if it is still there.

        :raises StoreError: it cannot be removed.
        """
        path = self.path(segment_id)
        self._due.pop(segment_id, None)
        await _run(partial(path.unlink, missing_ok=True))

    async def sweep(self, waiting: Collection[str]) -> None:
        """Removes what an earlier process left of segments that are not ``waiting``, when its retention is over.

        :raises StoreError: it cannot be removed.
        """
        self._due |= await _run(partial(self._left, frozenset(waiting)))
        await self._remove_due()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(min(self._retention, LOOK_EVERY))
            try:
                await self._remove_due()
            except StoreError:
                pass  # tried again; who needs the disk is told what is wrong with it

    async def _remove_due(self) -> None:
        now = self._wall_clock()
        for segment_id in [id for id, due in self._due.items() if due <= now]:
            await self.remove(segment_id)

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        for left in self._folder.glob(f"*{ARRIVING}"):
            left.unlink(missing_ok=True)

    def _left(self, waiting: frozenset[str]) -> dict[str, float]:
        return {
            file.name: file.stat().st_mtime + self._retention
            for file in self._folder.iterdir()
            if file.name not in waiting and _SEGMENT_ID.fullmatch(file.name)
        }


class _Arriving:
    """A body on its way to disk. Its methods block: one call at a time, in a thread."""

    def __init__(self, path: Path, min_free: int) -> None:
        self.path = path
        self._part = path.with_name(path.name + ARRIVING)
        self._min_free = min_free
        self._file: int | None = None
        self._begun = False

    def write(self, data: bytes) -> None:
        if self._file is None:
            self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._begun = True
        disk = os.fstatvfs(self._file)
        free = disk.f_bavail * disk.f_frsize
        if free - len(data) < self._min_free:
            raise StoreFull(f"The disk of the data folder is full, or nearly so: {free / 1e6:.0f} MB are free.")
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]

    def finish(self, data: bytes) -> None:
        """Under its name, and there after a power cut too: the file and its folder are synced."""
        self.write(data)
        assert self._file is not None
        os.fsync(self._file)
        self._close()
        self._part.rename(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        self._close()
        if self._begun:
            self._part.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _touch(path: Path, now: float) -> None:
    """Marks when the segment ended, for a process that comes after this one."""
    try:
        os.utime(path, (now, now))
    except FileNotFoundError:
        pass  # purged


async def _run(work: Callable[[], T]) -> T:
    """``work`` in a thread, to its end even if we are cancelled: nobody else may touch its file before.

    :raises StoreFull: no space is left. :raises StoreError: the disk does not do what it is told.
    """
    done = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait([done])
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull("No space is left on the disk of the data folder.") from None
        raise StoreError(f"The data folder cannot be used: {error.strerror}.") from None
