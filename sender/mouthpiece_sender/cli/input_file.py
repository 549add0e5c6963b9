"""What a command was given to play, as a file: a path, an address, or ``-`` for standard input."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import anyio
import httpx

from mouthpiece.errors import AudioError, AudioTooLong

MAX_BYTES = 500_000_000
FETCH_TIMEOUT = 60.0
"""Seconds that a whole download may take."""


class CannotFetch(AudioError):
    slug = "cannot-fetch"


@asynccontextmanager
async def input_file(given: str) -> AsyncIterator[Path]:
    """The file to play; a temporary one is gone afterwards.

    :raises AudioError: there is none, or it cannot be fetched.
    """
    if given != "-" and "://" not in given:
        yield Path(given)
        return
    with tempfile.TemporaryDirectory(prefix="mouthpiece-") as folder:
        if given == "-":
            path = Path(folder) / "stdin"
            await asyncio.to_thread(_read_stdin, path)
        else:
            name = PurePosixPath(urlsplit(given).path).name or "download"
            path = Path(folder) / name.replace("\0", "")[-100:]
            await _fetch(given, path)
        yield path


def _read_stdin(path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    if path.stat().st_size == 0:
        raise AudioError("Nothing came on standard input.")


async def _fetch(url: str, path: Path) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise CannotFetch("Only http:// and https:// addresses can be played.")
    try:
        async with (
            asyncio.timeout(FETCH_TIMEOUT),
            httpx.AsyncClient(follow_redirects=True, timeout=10) as http,
            http.stream("GET", url) as answer,
            await anyio.open_file(path, "wb") as file,
        ):
            if not answer.is_success:
                raise CannotFetch(f"The address answered {answer.status_code} instead of a sound file.")
            size = 0
            async for block in answer.aiter_bytes():
                size += len(block)
                if size > MAX_BYTES:
                    raise AudioTooLong(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
                await file.write(block)
    except TimeoutError:
        raise CannotFetch(f"The download took longer than {FETCH_TIMEOUT:.0f} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise CannotFetch("The address cannot be fetched: check it, and the network.") from None
