"""The store's file: one SQLite database, used by one process. Every method blocks: call them all in one thread."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.storage.rows import MIGRATIONS

T = TypeVar("T")


class StoreFile:
    """WAL, so that another process may read it meanwhile; ``synchronous=FULL``, so that a commit is on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None
        self._database: sqlite3.Connection | None = None

    def open(self) -> None:
        """Create the file if there is none, and migrate it to the newest version.

        :raises ConfigurationError: the file cannot be used, is not a store, has a later version, or another process
            uses it.
        :raises sqlite3.OperationalError: SQLite cannot write it, for example because the disk is full.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.parent.chmod(0o700)
            self._lock_out_others()
            # SQLite gives the log and its index the mode of the file.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._path.chmod(0o600)
            self._database = sqlite3.connect(self._path, isolation_level=None)
            self._migrate(self._database)
        except OSError as error:
            raise ConfigurationError(
                f"{self._path} cannot be used ({error.strerror}): name another folder in MOUTHPIECE_DATA."
            ) from None
        except sqlite3.OperationalError:  # for example a full disk: the caller reports SQLite's own message
            raise
        except sqlite3.DatabaseError:
            raise ConfigurationError(
                f"{self._path} is no store of ours, or a damaged one: move it away to begin anew."
            ) from None

    def close(self) -> None:
        """Close and unlock the file; also right after an ``open`` that failed."""
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def select(self, statement: str, values: Collection[object]) -> list[sqlite3.Row]:
        """Return all rows of a query.

        :raises sqlite3.Error: it failed.
        """
        rows: list[sqlite3.Row] = self._opened.execute(statement, tuple(values)).fetchall()
        return rows

    def transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in a transaction: durable when this returns, undone if it raises.

        :raises sqlite3.Error: it failed.
        """
        database = self._opened
        database.execute("BEGIN IMMEDIATE")
        try:
            done = work(database)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:  # a full disk may have rolled it back already
                database.execute("ROLLBACK")
            raise
        return done

    def empty_log(self) -> None:
        """Write the WAL into the database and truncate it: until then it still holds what was overwritten.

        :raises sqlite3.Error: it failed.
        """
        self._opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            raise RuntimeError("the store is not open: use it inside its `async with`")
        return self._database

    def _lock_out_others(self) -> None:
        self._lock = os.open(
            self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"Another process uses {self._path}: stop it, or name another folder in MOUTHPIECE_DATA."
            ) from None

    def _migrate(self, database: sqlite3.Connection) -> None:
        database.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            database.execute(f"PRAGMA {pragma}")
        version = _version(database)
        if version > len(MIGRATIONS):
            raise ConfigurationError(f"{self._path} was made by a later version of Mouthpiece: use that one.")
        for number, migration in enumerate(MIGRATIONS[version:], version + 1):
            database.executescript(f"BEGIN IMMEDIATE;{migration};PRAGMA user_version = {number};COMMIT;")


def _version(database: sqlite3.Connection) -> int:
    row: tuple[Any, ...] = database.execute("PRAGMA user_version").fetchone()
    return int(row[0])
