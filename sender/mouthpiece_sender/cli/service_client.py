"""The client of a running service (``mouthpiece.client``) as the commands use it: one sentence for each error."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from mouthpiece.client import (
    AsyncClient,
    ClientError,
    Event,
    Segment,
    SegmentOptions,
    ServiceProblem,
    ServiceUnavailable,
    UnexpectedAnswer,
)
from mouthpiece.errors import AudioError, MouthpieceError
from mouthpiece.process.sockets import is_loopback
from mouthpiece_sender.cli.options import DEFAULT_SERVICE, environment

RETRY_FOR = 60.0
"""Seconds that an absence of a service may last which has answered this command before."""
_TYPES = {".ogg": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".m4a": "audio/mp4", ".webm": "audio/webm"}

Answer = TypeVar("Answer", bound=Mapping[str, Any])


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
        trust_env = not is_loopback(url.host)  # a proxy could not connect back to this machine
        self._client = AsyncClient(str(url), key, retry_for=0, trust_env=trust_env)  # a wrong address is said at once
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def speak(self, room: str, path: Path, options: SegmentOptions) -> Segment:
        """Upload a sound file; return its segment.

        :raises AudioError: the file cannot be read.
        """
        kind = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        try:
            return await self._answer(self._client.play(room, path, content_type=kind, **options))
        except OSError as error:
            raise AudioError(f"{path} cannot be read: {error.strerror}.") from None

    async def say(
        self, room: str, text: str, voice: str | None, tts: str | None, text_format: str, options: SegmentOptions
    ) -> Segment:
        """Submit a text; return its segment."""
        known = None if text_format == "plain" else text_format  # an older service knows none
        call = self._client.say(room, text, voice=voice, tts=tts, text_format=known, **options)
        return await self._answer(call)

    async def segment(self, segment_id: str) -> Segment:
        """Return a segment as it stands."""
        return await self._answer(self._client.segment(segment_id))

    async def finished(self, segment_id: str) -> Segment:
        """Return a segment once it has ended."""
        return await self._answer(self._client.wait(segment_id))

    async def cancel(self, segment_id: str) -> Segment:
        """Cancel a segment, or interrupt it if it plays; return its current value."""
        return await self._answer(self._client.cancel(segment_id))

    async def interrupt(self, room: str, avatar: str | None, queued: str) -> dict[str, Any]:
        """Interrupt the segment that plays; the answer has the ``segments`` that ended."""
        return await self._answer(self._client.interrupt(room, avatar=avatar, drop_queued=queued == "drop"))

    async def rooms(self) -> dict[str, Any]:
        """Return the answer with all ``rooms``."""
        return await self._answer(self._client.rooms())

    async def active_segments(self, room: str) -> list[Segment]:
        """Return the segments of a room that have not ended, the newest 200."""
        answer = await self._answer(self._client.segments(room, state="queued,playing,paused", limit=200))
        segments: list[Segment] = answer["segments"]
        return segments

    async def events(self, room: str | None) -> AsyncIterator[Event]:
        """Yield what happens from now on, of all rooms or of one; a stream that is cut goes on where it was."""
        try:
            async for event in self._client.events(room):
                yield event
        except ClientError as error:
            raise ServiceError(self._sentence(error)) from None

    async def _answer(self, call: Awaitable[Answer]) -> Answer:
        try:
            answer = await call
        except ClientError as error:
            raise ServiceError(self._sentence(error)) from None
        self._client.retry_for = RETRY_FOR
        return answer

    def _sentence(self, error: ClientError) -> str:
        match error:
            case ServiceProblem():
                hint = " Set MOUTHPIECE_API_KEY to one of its keys." if error.status == 401 else ""
                return f"{error.detail}{hint}"
            case UnexpectedAnswer():
                return f"{self._url} answered {error.status}, and not as a Mouthpiece service does: check --service."
            case ServiceUnavailable():
                return (
                    f"The service at {self._url} cannot be reached: start it with `mouthpiece serve`, or name it with "
                    "--service."
                )
        return str(error)


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
