"""Copies a data folder while a service works in it, and puts such a copy in place.

A backup is a data folder: database, sounds and the sender's name. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mouthpiece.errors import ConfigurationError, StoreError
from mouthpiece_sender.storage import statements
from mouthpiece_sender.storage.store_file import StoreFile
from mouthpiece_sender.storage.watched_folder import create_folder, sync_folder

DATABASE: Final = "mouthpiece.db"
SOUNDS: Final = "sounds"
INSTANCE: Final = "instance"
TRIES: Final = 5
"""A segment that was accepted and ended within one try may have lost its sound before it was copied."""
_WAITING: Final = "state IN ('queued', 'playing', 'paused')"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds."""

    segments: int
    waiting: int
    """Of them, those that have not ended: a service over this folder goes on with them."""
    sounds: int
    bytes: int


def back_up(data: Path, to: Path) -> Contents:
    """Copy the data folder ``data``, in use or not, to ``to``: there is a whole backup there when this returns, and
    nothing if it raises. Sounds are linked where both folders lie on one file system, since nobody changes one.

    :raises ConfigurationError: ``data`` is no data folder, or ``to`` is there already.
    :raises StoreError: it cannot be read or written, or its segments ended faster than they could be copied.
    """
    if not (data / DATABASE).is_file():
        raise ConfigurationError(f"{data} holds no {DATABASE}: name the data folder in MOUTHPIECE_DATA.")
    if to.exists():
        raise ConfigurationError(f"{to} is there already: a backup is written into a folder of its own.")
    part = to.with_name(to.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        create_folder(part / SOUNDS)
        with contextlib.suppress(FileNotFoundError):
            _copy(data / INSTANCE, part / INSTANCE)
        for _ in range(TRIES):
            _copy_sounds(data / SOUNDS, part / SOUNDS)
            _copy_database(data / DATABASE, part / DATABASE)
            _copy_sounds(data / SOUNDS, part / SOUNDS)  # those that came since
            if not _without_sound(part):
                break
        else:
            raise StoreError("Segments end faster than they can be copied: try again in a quieter moment.")
        contents = _tidied(part)
        for folder in (part / SOUNDS, part):
            sync_folder(folder)
        part.rename(to)
        sync_folder(to.parent)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The backup could not be made: {error}.") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return contents


def restore(backup: Path, data: Path, *, paused: bool) -> tuple[Contents, Path | None]:
    """Copy a backup into the data folder ``data``, in which no service may work. What lies there is moved aside, into a
    folder within it: ``data`` itself may be a mounted volume.

    :param paused: pause the rooms of what waits, so that nothing is said before they are resumed.
    :returns: what was restored, and the folder with what was there, if anything was.
    :raises ConfigurationError: ``backup`` is no backup, has a later version, or a service uses ``data``.
    :raises StoreError: it cannot be read or written.
    """
    if not (backup / DATABASE).is_file():
        raise ConfigurationError(f"{backup} holds no {DATABASE}: it is no backup.")
    part = data / "restoring"
    try:
        create_folder(data)
        with _locked(data):
            shutil.rmtree(part, ignore_errors=True)
            contents = back_up(backup, part)
            _migrate(part / DATABASE, paused=paused)
            aside = _move_aside(data)
            for name in (SOUNDS, INSTANCE, DATABASE):
                with contextlib.suppress(FileNotFoundError):  # the service makes an instance if there is none
                    (part / name).rename(data / name)
            sync_folder(data)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The backup could not be restored: {error}.") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return contents, aside


def _move_aside(data: Path) -> Path | None:
    there = [data / name for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", SOUNDS, INSTANCE)]
    if not (there := [one for one in there if one.exists()]):
        return None
    aside = data / f"before-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
    create_folder(aside)
    for one in there:
        one.rename(aside / one.name)
    return aside


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[None]:
    """
    :raises ConfigurationError: a service uses ``data``.
    """
    lock = os.open(data / f"{DATABASE}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigurationError(f"A service uses {data}: stop it first.") from None
    finally:
        os.close(lock)


def _migrate(database: Path, *, paused: bool) -> None:
    """Bring the database to the newest version, as the service would, and pause the rooms of what waits."""
    file = StoreFile(database)
    try:
        file.open()
        if paused:
            file.transaction(statements.pause_waiting)
    finally:
        file.close()


def _copy_database(source: Path, target: Path) -> None:
    """SQLite's online backup, in one step: what was committed at one moment, while others go on writing."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with (
        contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as read,
        contextlib.closing(sqlite3.connect(target)) as written,
    ):
        read.backup(written)


def _copy_sounds(source: Path, target: Path) -> None:
    """Copy what is not there yet. An upload that is not complete belongs to no segment."""
    for file in source.iterdir() if source.is_dir() else ():
        if "." not in file.name and not (target / file.name).exists():
            with contextlib.suppress(FileNotFoundError):  # its segment has ended meanwhile
                _link_or_copy(file, target / file.name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f"{target.name}.copying")
    with source.open("rb") as read, part.open("xb") as written:
        os.fchmod(written.fileno(), 0o600)
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
    part.rename(target)


def _without_sound(part: Path) -> bool:
    """Whether a segment of the copied database waits for a sound that was not copied."""
    with contextlib.closing(sqlite3.connect(part / DATABASE)) as copied:
        select = f"SELECT id FROM segments WHERE {_WAITING} AND source_text IS NULL"
        return any(not (part / SOUNDS / id).is_file() for (id,) in copied.execute(select))


def _tidied(part: Path) -> Contents:
    """Remove the sounds of segments that the database does not know: they were accepted after it was copied."""
    with contextlib.closing(sqlite3.connect(part / DATABASE)) as copied:
        known = {id for (id,) in copied.execute("SELECT id FROM segments")}
        ((waiting,),) = copied.execute(f"SELECT count(*) FROM segments WHERE {_WAITING}")
    files = [*(part / SOUNDS).iterdir()]
    for file in files:
        if file.name not in known:
            file.unlink()
    kept = [file.stat().st_size for file in files if file.name in known]
    return Contents(len(known), waiting, len(kept), (part / DATABASE).stat().st_size + sum(kept))
