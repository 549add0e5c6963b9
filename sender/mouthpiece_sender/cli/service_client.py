"""A running service, as the commands use it."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import anyio
import httpx

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.cli.options import environment

UPLOAD_BLOCK = 65_536
"""Bytes."""
LONG_POLL = 20.0
"""Seconds that one request waits at the service."""
_TYPES = {".ogg": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".m4a": "audio/mp4", ".webm": "audio/webm"}


class ServiceError(MouthpieceError):
    """The service cannot be reached, or refused."""

    slug = "service"


class ServiceClient:
    """``async with ServiceClient(url) as service:``; every method raises :class:`ServiceError`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def __aenter__(self) -> Self:
        key = environment().get("MOUTHPIECE_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(10.0, read=LONG_POLL + 10, write=30.0)
        self._http = httpx.AsyncClient(base_url=self._url, headers=headers, timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def speak(self, room: str, path: Path, query: dict[str, str]) -> dict[str, Any]:
        """Hands over a file; the segment."""
        kind = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = {"Content-Type": kind, "Content-Length": str((await anyio.Path(path).stat()).st_size)}
        answer = await self._call(
            "POST", f"/v1/rooms/{_quoted(room)}/segments", params=query, content=_blocks(path), headers=headers
        )
        return dict(answer)

    async def say(self, room: str, text: dict[str, str], query: dict[str, str]) -> dict[str, Any]:
        """Hands over a text; the segment."""
        return dict(await self._call("POST", f"/v1/rooms/{_quoted(room)}/segments", params=query, json=text))

    async def segment(self, segment_id: str) -> dict[str, Any]:
        """A segment as it stands."""
        return dict(await self._call("GET", f"/v1/segments/{segment_id}"))

    async def finished(self, segment_id: str) -> dict[str, Any]:
        """A segment once it has ended, or as it stands after a long poll."""
        query = {"wait": "finished", "timeout": str(LONG_POLL)}
        return dict(await self._call("GET", f"/v1/segments/{segment_id}", params=query))

    async def cancel(self, segment_id: str) -> dict[str, Any]:
        """Cancels or interrupts a segment."""
        return dict(await self._call("DELETE", f"/v1/segments/{segment_id}"))

    async def interrupt(self, room: str, avatar: str | None, queued: str) -> Any:
        """Stops what plays."""
        query = {"avatar": avatar} if avatar else {}
        return await self._call("POST", f"/v1/rooms/{_quoted(room)}/interrupt", params=query, json={"queued": queued})

    async def rooms(self) -> Any:
        """The rooms that there are."""
        return await self._call("GET", "/v1/rooms")

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.HTTPError:
            raise ServiceError(
                f"The service at {self._url} cannot be reached: start it with `mouthpiece serve`, or name it with "
                "--service."
            ) from None
        if answer.is_success:
            return answer.json()
        try:
            problem = answer.json()
            detail = str(problem.get("detail") or problem.get("title"))
        except ValueError:
            detail = f"{self._url} answered {answer.status_code}; is it a Mouthpiece service?"
        if answer.status_code == 401:
            detail += " Set MOUTHPIECE_API_KEY to one of its keys."
        raise ServiceError(detail)


def _quoted(room: str) -> str:
    return quote(room, safe="")


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    async with await anyio.open_file(path, "rb") as file:
        while block := await file.read(UPLOAD_BLOCK):
            yield block
