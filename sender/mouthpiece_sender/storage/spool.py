"""On-disk storage of uploaded audio: one fsynced file per segment, readable by its owner alone."""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from mouthpiece.errors import StoreError, StoreFull

BATCH: Final = 1 << 20
"""Bytes of an upload that are held before they are written: a short one is written, synced and named in one go."""
PARTIAL: Final = ".part"
"""Suffix of an upload that is not complete; the name before it is the segment's id."""

_SEGMENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredAudio:
    """A complete upload on disk."""

    path: Path
    size: int
    """Bytes."""


class Spool:
    """``async with Spool(folder) as spool:``; entering creates the folder and removes uploads that broke off.

    :param min_free: bytes that stay free on the disk.
    """

    def __init__(self, folder: Path, *, min_free: int = 0) -> None:
        self._folder = folder
        self._min_free = min_free

    async def __aenter__(self) -> Self:
        """:raises StoreError: the folder cannot be created or written."""
        await _run(self._prepare)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass  # every write ends with the call that began it

    def path(self, segment_id: str) -> Path:
        """Where the audio of a segment is stored.

        :raises ValueError: ``segment_id`` is not a segment's id.
        """
        if not _SEGMENT_ID.fullmatch(segment_id):
            raise ValueError(f"{segment_id!r} is no segment's id")
        return self._folder / segment_id

    async def store(self, segment_id: str, chunks: AsyncIterator[bytes]) -> StoredAudio:
        """Write ``chunks`` as the audio of a segment: durable when this returns, nothing left if it raises.

        :raises StoreFull: less than ``min_free`` would stay free.
        :raises StoreError: it cannot be written, or the segment has audio already.
        """
        upload = _Upload(self.path(segment_id), self._min_free)
        held, size = bytearray(), 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                held += chunk
                if len(held) >= BATCH:
                    await _run(partial(upload.write, bytes(held)))
                    held.clear()
            await _run(partial(upload.finish, bytes(held)))
        except BaseException:
            await _run(upload.discard)
            raise
        return StoredAudio(upload.path, size)

    async def remove(self, segment_id: str) -> None:
        """Remove the audio of a segment, if there is any.

        :raises StoreError: it cannot be removed.
        """
        await _run(partial(self.path(segment_id).unlink, missing_ok=True))

    async def remove_others(self, waiting: Collection[str]) -> None:
        """Remove the audio of every segment that is not ``waiting``; uploads in progress stay.

        :raises StoreError: it cannot be removed.
        """
        await _run(partial(self._remove_others, frozenset(waiting)))

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        for left in self._folder.glob(f"*{PARTIAL}"):
            left.unlink(missing_ok=True)

    def _remove_others(self, waiting: frozenset[str]) -> None:
        for file in self._folder.iterdir():
            if file.name not in waiting and _SEGMENT_ID.fullmatch(file.name):
                file.unlink(missing_ok=True)


class _Upload:
    """The file of an upload in progress. Its methods block: call them one at a time, in a thread."""

    def __init__(self, path: Path, min_free: int) -> None:
        self.path = path
        self._part = path.with_name(path.name + PARTIAL)
        self._min_free = min_free
        self._file: int | None = None
        self._begun = False

    def write(self, data: bytes) -> None:
        """:raises StoreFull: too little would stay free. :raises OSError: it cannot be written."""
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
        """Write the last bytes, sync, and give the file its name; the folder is synced too, or a power cut undoes it.

        :raises StoreFull: too little would stay free. :raises OSError: it cannot be written.
        """
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
        """Remove what was written."""
        self._close()
        if self._begun:
            self._part.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


async def _run(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread, and to its end even if we are cancelled: nothing else may touch its file before.

    :raises StoreFull: the disk is full.
    :raises StoreError: another error of the operating system.
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
