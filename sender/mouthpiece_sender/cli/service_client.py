"""A client for the HTTP API of a running service, with the calls that the commands make (docs/api.md)."""

from __future__ import annotations

import asyncio
import mimetypes
import stat
from collections.abc import AsyncIterator, Set
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import anyio
import httpx

from mouthpiece.errors import AudioError, MouthpieceError
from mouthpiece.process.sockets import is_loopback
from mouthpiece_sender.cli.options import DEFAULT_SERVICE, environment

UPLOAD_BLOCK = 65_536
"""Bytes."""
LONG_POLL = 20.0
"""Seconds that the service may hold one request back."""
_TYPES = {".ogg": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".m4a": "audio/mp4", ".webm": "audio/webm"}


class ServiceError(MouthpieceError):
    """The service cannot be reached, or refused the request."""

    slug = "service"


class ServiceClient:
    """``async with ServiceClient(url) as service:``; every method raises :class:`ServiceError`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def __aenter__(self) -> Self:
        url = _address(self._url)
        key = (await asyncio.to_thread(environment)).get("MOUTHPIECE_API_KEY")
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(10.0, read=LONG_POLL + 10, write=30.0),
            trust_env=not is_loopback(url.host),  # a proxy could not connect back to this machine
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def speak(self, room: str, path: Path, query: dict[str, str]) -> dict[str, Any]:
        """Upload a sound file; return its segment.

        :raises AudioError: the file cannot be read.
        """
        kind = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = {"Content-Type": kind}
        try:
            facts = await anyio.Path(path).stat()
            file = await anyio.open_file(path, "rb")
        except OSError as error:
            raise _unreadable(path, error) from None
        if stat.S_ISREG(facts.st_mode):  # the size of a pipe is not known
            headers["Content-Length"] = str(facts.st_size)
        async with file:
            return await self._segment("POST", _queue(room), params=query, content=_blocks(file, path), headers=headers)

    async def say(self, room: str, text: dict[str, str], query: dict[str, str]) -> dict[str, Any]:
        """Submit a text; return its segment."""
        return await self._segment("POST", _queue(room), params=query, json=text)

    async def segment(self, segment_id: str) -> dict[str, Any]:
        """Return the current value of a segment."""
        return await self._segment("GET", f"/v1/segments/{segment_id}")

    async def finished(self, segment_id: str) -> dict[str, Any]:
        """Wait until a segment has ended, at most ``LONG_POLL`` seconds; return its current value."""
        query = {"wait": "finished", "timeout": str(LONG_POLL)}
        return await self._segment("GET", f"/v1/segments/{segment_id}", params=query)

    async def cancel(self, segment_id: str) -> dict[str, Any]:
        """Cancel a segment, or interrupt it if it plays; return its current value."""
        return await self._segment("DELETE", f"/v1/segments/{segment_id}")

    async def interrupt(self, room: str, avatar: str | None, queued: str) -> dict[str, Any]:
        """Interrupt the segment that plays; the answer has the ``segments`` that ended."""
        query = {"avatar": avatar} if avatar else {}
        path = f"/v1/rooms/{_quoted(room)}/interrupt"
        return await self._call("POST", path, {"segments"}, params=query, json={"queued": queued})

    async def rooms(self) -> dict[str, Any]:
        """Return the answer with all ``rooms``."""
        return await self._call("GET", "/v1/rooms", {"rooms"})

    async def _segment(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return await self._call(method, path, {"id", "state"}, **request)

    async def _call(self, method: str, path: str, expected: Set[str], **request: Any) -> dict[str, Any]:
        """:param expected: members that the answer of a Mouthpiece service has."""
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.HTTPError:
            raise ServiceError(
                f"The service at {self._url} cannot be reached: start it with `mouthpiece serve`, or name it with "
                "--service."
            ) from None
        value = _json(answer)
        if answer.is_success and expected <= value.keys():
            return value
        detail = None if answer.is_success else value.get("detail") or value.get("title")
        if detail is None:
            raise ServiceError(
                f"{self._url} answered {answer.status_code}, and not as a Mouthpiece service does: check --service."
            )
        if answer.status_code == 401:
            detail = f"{detail} Set MOUTHPIECE_API_KEY to one of its keys."
        raise ServiceError(str(detail))


def _address(url: str) -> httpx.URL:
    """:raises ServiceError: ``url`` is not an http or https URL with a host and a valid port."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    port = 80 if parsed.port is None else parsed.port
    if parsed.scheme not in ("http", "https") or not parsed.host or not 0 < port < 65_536:
        raise ServiceError(f"“{url}” is no address of a service: --service takes one such as {DEFAULT_SERVICE}.")
    return parsed


def _json(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object in the answer; an empty one if there is none."""
    try:
        value = answer.json()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _queue(room: str) -> str:
    return f"/v1/rooms/{_quoted(room)}/segments"


def _quoted(room: str) -> str:
    return quote(room, safe="")


async def _blocks(file: anyio.AsyncFile[bytes], path: Path) -> AsyncIterator[bytes]:
    """:raises AudioError: a read failed."""
    try:
        while block := await file.read(UPLOAD_BLOCK):
            yield block
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> AudioError:
    return AudioError(f"{path} cannot be read: {error.strerror}.")
