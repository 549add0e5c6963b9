"""Folders and files that must stay where they were opened: what is written into a removed one is lost."""

from __future__ import annotations

import os
from pathlib import Path

from mouthpiece.errors import StoreError


class WatchedFolder:
    """A folder, for its owner alone. Every method blocks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None

    def create(self) -> None:
        """Create it if it is not there; it is durable when this returns.

        :raises OSError: it cannot be created.
        """
        create_folder(self.path)
        self._identity = identity(self.path)

    def check(self) -> None:
        """
        :raises StoreError: it was removed or replaced since ``create``.
        """
        if self._identity is not None and identity(self.path) != self._identity:
            raise replaced(self.path)

    def sync(self) -> None:
        """Make the names of its files durable.

        :raises OSError: it cannot be synced.
        :raises StoreError: it was removed or replaced.
        """
        sync_folder(self.path)
        self.check()


def create_folder(path: Path) -> None:
    """Create the folder and those above it that are missing, each for its owner alone; they are durable when this
    returns. One that is there keeps its mode: it may be somebody else's.

    :raises OSError: one cannot be created.
    """
    for folder in reversed([one for one in (path, *path.parents) if not one.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)  # with `parents` it would give those above the mode of others
        sync_folder(folder.parent)
    path.mkdir(mode=0o700, exist_ok=True)  # it may be a file


def sync_folder(path: Path) -> None:
    """:raises OSError: it cannot be synced."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def identity(path: Path) -> tuple[int, int]:
    """Return which file or folder lies at ``path``; none has the identity (0, 0)."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def traces(path: Path) -> tuple[int, int, int, int]:
    """Return the identity of a file with its size and the time of its last change in nanoseconds; none has zeros."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0, 0
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def replaced(path: Path) -> StoreError:
    """Return the error for a path at which something else lies now, or nothing."""
    return StoreError(
        f"{path} was removed or replaced while the service runs: put it back, or restart the service, which then "
        "works with what lies there."
    )


def overwritten(path: Path) -> StoreError:
    """Return the error for a file that somebody else has written to."""
    return StoreError(
        f"{path} was changed by another program while the service runs, so what is written into it may be lost: stop "
        "the service, and start it with a data folder that is whole (docs/operations.md)."
    )
