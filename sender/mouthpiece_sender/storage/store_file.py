"""The store's file: one SQLite database, used by one process. Every method blocks: call them all in one thread."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.storage.migrations import MIGRATIONS
from mouthpiece_sender.storage.watched_folder import create_folder, identity, overwritten, replaced, traces

MOST_VALUES: Final = 500
"""Values of one query."""
LONGEST_LOG: Final = 4_000_000
"""Bytes of the WAL from which on each commit writes it into the database; as SQLite's own default of 1,000 pages."""
_SIZES: Final = ("page_count", "freelist_count", "page_size")
_PRAGMAS: Final = (
    *("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"),
    # The database changes only where we say so, and the log shrinks after that: its size says when.
    *("wal_autocheckpoint = 0", "journal_size_limit = 0"),
)

T = TypeVar("T")


class StoreFile:
    """WAL, so that another process may read it meanwhile; ``synchronous=FULL``, so that a commit is on disk.

    Nobody else may write to it: what another program's change leaves of ours cannot be known. A copy that was written
    over the file keeps its identity, and SQLite takes it for ours.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None
        self._database: sqlite3.Connection | None = None
        self._files: dict[Path, tuple[int, int]] = {}
        """What lay at each path when it was opened."""
        self._written: dict[Path, tuple[int, int, int, int]] = {}
        """How we left the database and its log."""

    def open(self) -> None:
        """Create the file if there is none, and migrate it to the newest version.

        :raises ConfigurationError: the file cannot be used, is not a store, has a later version, or another process
            uses it.
        :raises sqlite3.OperationalError: SQLite cannot write it, for example because the disk is full.
        """
        try:
            create_folder(self._path.parent)
            self._lock_out_others()
            # SQLite gives the log and its index the mode of the file.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._path.chmod(0o600)
            self._database = sqlite3.connect(self._path, isolation_level=None)
            self._migrate(self._database)
            self._files = {file: identity(file) for file in (self._path, self._log, self._beside(".lock"))}
            self._note(self._path, self._log)
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

    def select_in(self, statement: str, values: Sequence[str]) -> list[sqlite3.Row]:
        """Return all rows of a query whose ``{marks}`` stand for ``values``, however many they are.

        :raises sqlite3.Error: it failed.
        """
        found: list[sqlite3.Row] = []
        for start in range(0, len(values), MOST_VALUES):
            some = values[start : start + MOST_VALUES]
            found += self.select(statement.format(marks=", ".join("?" * len(some))), some)
        return found

    def size(self) -> int:
        """Return the bytes in use: pages that were emptied are used again before the file grows.

        :raises sqlite3.Error: it cannot be read.
        """
        pages, free, page = (self.select(f"PRAGMA {name}", ())[0][0] for name in _SIZES)
        return int((pages - free) * page)

    def transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in a transaction: durable when this returns, undone if it raises.

        :raises sqlite3.Error: it failed.
        :raises StoreError: the files were removed, replaced or changed, so that what was written would be lost.
        """
        database = self._opened
        self._check_files()
        self._check_unchanged(self._path, self._log)
        database.execute("BEGIN IMMEDIATE")
        try:
            done = work(database)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:  # a full disk may have rolled it back already
                database.execute("ROLLBACK")
            raise
        finally:
            self._note(self._log)
        self._check_files()  # they may have gone since
        self._check_unchanged(self._path)
        if self._written[self._log][2] >= LONGEST_LOG:
            self._checkpoint("PASSIVE")
        return done

    def empty_log(self) -> None:
        """Write the WAL into the database and truncate it: until then it still holds what was overwritten.

        :raises sqlite3.Error: it failed.
        :raises StoreError: as ``transaction``.
        """
        self._check_unchanged(self._path, self._log)
        self._checkpoint("TRUNCATE")

    def _checkpoint(self, mode: str) -> None:
        self._opened.execute(f"PRAGMA wal_checkpoint({mode})")
        self._note(self._path, self._log)

    def _check_files(self) -> None:
        """
        :raises StoreError: another file lies where ours was, or none.
        """
        for file, known in self._files.items():
            if identity(file) != known:
                raise replaced(file)

    def _check_unchanged(self, *files: Path) -> None:
        """
        :raises StoreError: somebody else has written to one of ``files``.
        """
        for file in files:
            if traces(file) != self._written[file]:
                raise overwritten(file)

    def _note(self, *files: Path) -> None:
        self._written |= {file: traces(file) for file in files}

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            raise RuntimeError("the store is not open: use it inside its `async with`")
        return self._database

    def _lock_out_others(self) -> None:
        self._lock = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"Another process uses {self._path}: stop it, or name another folder in MOUTHPIECE_DATA."
            ) from None

    @property
    def _log(self) -> Path:
        return self._beside("-wal")

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)

    def _migrate(self, database: sqlite3.Connection) -> None:
        database.row_factory = sqlite3.Row
        for pragma in _PRAGMAS:
            database.execute(f"PRAGMA {pragma}")
        version = _version(database)
        if version > len(MIGRATIONS):
            raise ConfigurationError(f"{self._path} was made by a later version of Mouthpiece: use that one.")
        for number, migration in enumerate(MIGRATIONS[version:], version + 1):
            database.executescript(f"BEGIN IMMEDIATE;{migration};PRAGMA user_version = {number};COMMIT;")


def _version(database: sqlite3.Connection) -> int:
    row: tuple[Any, ...] = database.execute("PRAGMA user_version").fetchone()
    return int(row[0])
