"""On-disk storage of uploaded audio: one fsynced file per segment, readable by its owner alone."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from mouthpiece.errors import StoreError, StoreFull
from mouthpiece.serving.byte_budget import ByteBudget
from mouthpiece_sender.storage.watched_folder import WatchedFolder

BATCH: Final = 1 << 20
"""Bytes of an upload that are held before they are written: a short one is written, synced and named in one go."""
HOLDER: Final = "uploads"
"""Of their share of the budget."""
MOST_HELD: Final = 8 * BATCH
"""Bytes that all uploads hold together, at most."""
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
    digest: str
    """SHA-256, in hexadecimal digits."""


class Spool:
    """``async with Spool(folder) as spool:``; entering creates the folder and removes uploads that broke off.

    Every method raises ``StoreError`` also where the folder was removed or replaced since.

    :param min_free: bytes that stay free on the disk.
    :param budget: bytes that uploads hold in memory; one that finds no room there is written in smaller pieces.
    """

    def __init__(self, folder: Path, *, min_free: int = 0, budget: ByteBudget | None = None) -> None:
        self._budget = budget or ByteBudget(32 * BATCH, 32 * BATCH)
        self._folder = WatchedFolder(folder)
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
        return self._folder.path / segment_id

    async def store(self, segment_id: str, chunks: AsyncIterator[bytes]) -> StoredAudio:
        """Write ``chunks`` as the audio of a segment: durable when this returns, nothing left if it raises.

        :raises StoreFull: less than ``min_free`` would stay free.
        :raises StoreError: it cannot be written, or the segment has audio already.
        """
        upload = _Upload(self.path(segment_id), self._folder, self._min_free)
        held, taken, size, digest = bytearray(), 0, 0, hashlib.sha256()
        try:
            async for chunk in chunks:
                size += len(chunk)
                digest.update(chunk)
                room = self._budget.take(HOLDER, len(chunk), MOST_HELD)
                if room:
                    taken += len(chunk)
                held += chunk
                del chunk  # the next one may be long in coming
                if len(held) >= BATCH or not room:
                    await _run(partial(upload.write, held))
                    held.clear()
                    self._budget.give(HOLDER, taken)
                    taken = 0
            await _run(partial(upload.finish, held))
        except BaseException:
            await _run(upload.discard)
            raise
        finally:
            self._budget.give(HOLDER, taken)
        return StoredAudio(upload.path, size, digest.hexdigest())

    async def remove(self, segment_id: str) -> None:
        """Remove the audio of a segment, if there is any.

        :raises StoreError: it cannot be removed.
        """
        await _run(partial(self.path(segment_id).unlink, missing_ok=True))

    async def link(self, segment_id: str, to: str) -> bool:
        """Give the audio of a segment to the segment ``to`` as well: durable when this returns.

        :returns: whether there is any.
        :raises StoreError: it cannot be linked.
        """
        return await _run(partial(self._link, self.path(segment_id), self.path(to)))

    async def sizes(self) -> Mapping[str, int]:
        """Return the segments that have audio here, and its bytes.

        :raises StoreError: the folder cannot be read.
        """
        return await _run(self._sizes)

    async def check(self) -> None:
        """
        :raises StoreError: the folder was removed or replaced.
        """
        await _run(self._folder.check)

    async def require_space(self, size: int) -> None:
        """Call it before ``size`` bytes are written, here or into the store beside.

        :raises StoreFull: less than ``min_free`` would stay free.
        :raises StoreError: the folder was removed or replaced.
        """
        await _run(partial(self._require_space, size))

    def _require_space(self, size: int) -> None:
        self._folder.check()
        disk = os.statvfs(self._folder.path)
        _require_free(disk, size, self._min_free)

    def _prepare(self) -> None:
        self._folder.create()
        for left in self._folder.path.glob(f"*{PARTIAL}"):
            left.unlink(missing_ok=True)

    def _link(self, segment: Path, to: Path) -> bool:
        self._folder.check()
        try:
            os.link(segment, to)
        except FileNotFoundError:
            return False
        self._folder.sync()
        return True

    def _sizes(self) -> Mapping[str, int]:
        self._folder.check()
        with os.scandir(self._folder.path) as found:
            return {file.name: file.stat().st_size for file in found if _SEGMENT_ID.fullmatch(file.name)}


class _Upload:
    """The file of an upload in progress. Its methods block: call them one at a time, in a thread."""

    def __init__(self, path: Path, folder: WatchedFolder, min_free: int) -> None:
        self.path = path
        self._folder = folder
        self._part = path.with_name(path.name + PARTIAL)
        self._min_free = min_free
        self._file: int | None = None
        self._begun = False

    def write(self, data: bytearray) -> None:
        """:raises StoreFull: too little would stay free. :raises OSError: it cannot be written."""
        if self._file is None:
            self._folder.check()
            self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._begun = True
        _require_free(os.fstatvfs(self._file), len(data), self._min_free)
        written = 0
        with memoryview(data) as view:
            while written < len(view):
                written += os.write(self._file, view[written:])

    def finish(self, data: bytearray) -> None:
        """Write the last bytes, sync, and give the file its name; the folder is synced too, or a power cut undoes it.

        :raises StoreFull: too little would stay free. :raises OSError: it cannot be written.
        """
        self.write(data)
        assert self._file is not None
        os.fsync(self._file)
        self._close()
        self._part.rename(self.path)
        self._folder.sync()

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


def _require_free(disk: os.statvfs_result, size: int, min_free: int) -> None:
    free = disk.f_bavail * disk.f_frsize
    if free - size < min_free:
        raise StoreFull(f"The disk of the data folder is full, or nearly so: {free / 1e6:.0f} MB are free.")


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
