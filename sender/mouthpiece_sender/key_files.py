"""Keys that lie in files, read again whenever a file changes: they are rotated without a restart.

A file that cannot be read or makes no sense changes nothing: what was known stays, so a mistake opens no door.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mouthpiece.errors import ConfigurationError

logger = logging.getLogger(__name__)

DEVELOPMENT_API_KEY: Final = "mouthpiece-development-key"
"""The API key in docker-compose.yml, in use until a key is set. Everybody knows it, so a log may show it."""
EVERY: Final = 2.0
"""Seconds between two looks at the files."""
LARGEST: Final = 1_000_000
"""Bytes of a file."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One file."""

    setting: str
    """The environment variable that names it."""
    path: Path
    take: Callable[[str], str]
    """Takes the content and describes it without a key in it; raises ``ValueError`` with a sentence."""


class KeyFiles:
    """``read`` first, then ``run`` until it is cancelled.

    :param asked: set it to have all files read at once, changed or not.
    """

    def __init__(self, files: Sequence[KeyFile], asked: asyncio.Event, *, every: float = EVERY) -> None:
        self._files = files
        self._asked = asked
        self._every = every
        self._seen: dict[Path, tuple[int, ...] | None] = {}

    async def read(self) -> None:
        """
        :raises ConfigurationError: a file cannot be read, or its content is wrong.
        """
        for file in self._files:
            try:
                await self._take(file)
            except (OSError, ValueError) as error:
                raise ConfigurationError(f"{file.setting}: {_reason(error)}") from None

    async def run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._asked.wait()
            asked = self._asked.is_set()
            self._asked.clear()
            for file in self._files:
                if asked or await asyncio.to_thread(_traces, file.path) != self._seen.get(file.path):
                    await self._take_or_keep(file)

    async def _take_or_keep(self, file: KeyFile) -> None:
        try:
            described = await self._take(file)
        except (OSError, ValueError) as error:
            logger.error("%s is not taken, what was known stays: %s", file.setting, _reason(error))
        else:
            logger.info("%s was read again: %s", file.setting, described)

    async def _take(self, file: KeyFile) -> str:
        """:raises OSError: it cannot be read. :raises ValueError: its content is wrong."""
        self._seen[file.path] = await asyncio.to_thread(_traces, file.path)
        return file.take(await asyncio.to_thread(_content, file.path))


def check_entry(entry: str) -> None:
    """Accept an entry of API keys: ``key`` or ``key:room-prefix``.

    :raises ValueError: its key or its prefix is empty; an empty prefix would open every room.
    """
    key, colon, prefix = entry.partition(":")
    if not key:
        raise ValueError("an entry has no key before its colon")
    if colon and not prefix:
        raise ValueError("an entry has no prefix after its colon, and would open every room")


def api_keys_in(text: str, shortest: int = 1) -> list[str]:
    """Return the entries of a file of API keys: one a line, ``key`` or ``key:room-prefix``; ``#`` begins a comment.

    :param shortest: characters of a key.
    :raises ValueError: it has no entry, one without a key or with an empty prefix, or one whose key is too short.
    """
    lines = (line.strip() for line in text.splitlines())
    entries = [line for line in lines if line and not line.startswith("#")]
    if not entries:
        raise ValueError("there is no key in it, and without one everybody would be let in")
    for entry in entries:
        check_entry(entry)
        if any(map(str.isspace, entry)):
            raise ValueError("write one entry a line, as key or key:room-prefix")
        if len(entry.partition(":")[0]) < shortest:
            raise ValueError(f"a key has fewer than {shortest} characters: too short where other machines reach it")
    return entries


def livekit_key_in(text: str) -> tuple[str, str]:
    """Return the first key and its secret of a file as livekit-server reads it: ``key: secret``, one pair a line.

    :raises ValueError: there is none.
    """
    for line in text.splitlines():
        key, separator, secret = line.partition(":")
        key, secret = key.strip().strip("\"'"), secret.strip().strip("\"'")
        if separator and key and secret and not key.startswith("#"):
            return key, secret
    raise ValueError("there is no line “key: secret” in it")


def _content(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("it is too large for a file of keys")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not text") from None


def _traces(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _reason(error: OSError | ValueError) -> str:
    return f"the file cannot be read ({error.strerror})" if isinstance(error, OSError) else str(error)
