"""The sound to play as a file, from a path, a URL, or ``-`` for standard input."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import anyio
import httpx

from mouthpiece.errors import AudioError, AudioTooLarge
from mouthpiece_sender.cli.standard_input import blocks

MAX_BYTES = 500_000_000
"""Of a download, or of standard input."""
BLOCK = 65_536
"""Bytes per read of standard input."""
FETCH_TIMEOUT = 60.0
"""Seconds for a whole download."""


class CannotFetch(AudioError):
    """The URL is not http or https, or could not be downloaded."""

    slug = "cannot-fetch"


@asynccontextmanager
async def input_file(given: str) -> AsyncIterator[Path]:
    """Yield the path of the file to play. A temporary file is removed after the block.

    :param given: a path, an http or https URL, or ``-``.
    :raises AudioError: the URL cannot be fetched, the sound is larger than ``MAX_BYTES``, or standard input is empty.
    :raises MouthpieceError: standard input cannot be read.
    """
    if given != "-" and "://" not in given:
        yield Path(given)
        return
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="mouthpiece-")
    try:
        if given == "-":
            path = Path(folder.name) / "stdin"
            if not await _save(blocks(BLOCK), path):
                raise AudioError("Nothing came on standard input.")
        else:
            name = PurePosixPath(urlsplit(given).path).name or "download"
            path = Path(folder.name) / name.replace("\0", "")[-100:]
            await _fetch(given, path)
        yield path
    finally:
        await asyncio.to_thread(folder.cleanup)


async def _fetch(url: str, path: Path) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise CannotFetch("Only http:// and https:// addresses can be played.")
    try:
        async with (
            asyncio.timeout(FETCH_TIMEOUT),
            httpx.AsyncClient(follow_redirects=True, timeout=10) as http,
            http.stream("GET", url) as answer,
        ):
            if not answer.is_success:
                raise CannotFetch(f"The address answered {answer.status_code} instead of a sound file.")
            await _save(answer.aiter_bytes(), path)
    except TimeoutError:
        raise CannotFetch(f"The download took longer than {FETCH_TIMEOUT:.0f} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise CannotFetch("The address cannot be fetched: check it, and the network.") from None


async def _save(data: AsyncIterator[bytes], path: Path) -> int:
    """Write ``data`` to ``path`` and return the number of bytes.

    :raises AudioTooLarge: there are more than ``MAX_BYTES``.
    """
    size = 0
    async with await anyio.open_file(path, "wb") as file:
        async for block in data:
            size += len(block)
            if size > MAX_BYTES:
                raise AudioTooLarge(f"The sound is larger than {MAX_BYTES / 1_000_000:g} MB: play it in parts.")
            await file.write(block)
    return size
