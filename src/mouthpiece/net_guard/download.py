"""Reads the body of a URL, with a limit of bytes and of time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote

import httpx

from mouthpiece.errors import AudioTooLarge, UrlUnavailable


@dataclass(frozen=True, slots=True)
class Download:
    """A body that arrives."""

    content_type: str | None
    """As the server named it."""
    name: str | None
    """The last part of the URL's path."""
    blocks: AsyncIterator[bytes]
    """Raises ``UrlUnavailable`` where it breaks off and ``AudioTooLarge`` past the limit."""


@asynccontextmanager
async def download(client: httpx.AsyncClient, url: str, *, max_bytes: int, seconds: float) -> AsyncIterator[Download]:
    """
    :param client: a :func:`~mouthpiece.net_guard.transport.guarded_client`.
    :param seconds: for all of it, what the caller does meanwhile included.
    :raises UrlRefused: the URL, or one that it redirects to, may not be asked.
    :raises UrlUnavailable: it does not answer with a body in time.
    :raises AudioTooLarge: the server announces more than ``max_bytes``.
    """
    try:
        async with (
            asyncio.timeout(seconds),
            # A body that is compressed could be much larger than what arrives.
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if answer.status_code != 200:
                raise UrlUnavailable(f"The URL was answered with {answer.status_code}.")
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise UrlUnavailable("The URL was answered with a compressed body.")
            announced = answer.headers.get("Content-Length", "")
            if announced.isascii() and announced.isdigit() and int(announced) > max_bytes:
                raise _too_large(max_bytes)
            name = unquote(answer.url.path.rpartition("/")[2]) or None
            yield Download(answer.headers.get("Content-Type"), name, _limited(answer, max_bytes))
    except httpx.TooManyRedirects:
        raise UrlUnavailable("The URL redirects too often.") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise UrlUnavailable("The URL cannot be reached, or broke off.") from None
    except TimeoutError:
        raise UrlUnavailable(f"The URL took longer than {seconds:g} s.") from None


async def _limited(answer: httpx.Response, max_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for block in answer.aiter_raw():
        size += len(block)
        if size > max_bytes:
            raise _too_large(max_bytes)
        yield block


def _too_large(max_bytes: int) -> AudioTooLarge:
    return AudioTooLarge(f"The URL has more than {max_bytes} bytes.")
