"""Reads request bodies: finds the kind, enforces the limits, and removes what a refused body left on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from mouthpiece.errors import AudioError, TooMuchInFlight
from mouthpiece.serving.byte_budget import ByteBudget
from mouthpiece_sender.api.bodies.form import Form
from mouthpiece_sender.api.bodies.json_object import JsonObject
from mouthpiece_sender.api.bodies.kind import BodyKind, BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.bodies.live import LiveBody, read_live
from mouthpiece_sender.api.bodies.raw_pcm import RawPcm
from mouthpiece_sender.api.bodies.resources import ContentOnly, Media, SegmentResources
from mouthpiece_sender.api.bodies.sound_file import SoundFile
from mouthpiece_sender.api.callers import Caller
from mouthpiece_sender.api.media_types import clean_name, read_content_type
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.settings import MEGABYTE

SOUNDS: Final[tuple[BodyKind, ...]] = (RawPcm(), SoundFile())
"""Kinds that may also be in a form, at an address or in base64; ``SoundFile`` takes every ``audio/…`` that none before
took."""
KINDS: Final[tuple[BodyKind, ...]] = (JsonObject(*SOUNDS), *SOUNDS, Form(*SOUNDS))
"""The first kind that takes a media type reads the body."""
ACCEPTED: Final[dict[str, Any]] = {name: dict(kind) for known in KINDS for name, kind in known.content.items()}
"""The OpenAPI description of every media type."""


SHORT: Final = 16_384
"""Bytes of a body that is not counted: every connection may hold as much."""


class BodyReader:
    """Reads request bodies. Each becomes the sound of one segment, or leaves nothing on disk.

    :param max_bytes: size of a body.
    :param budget: bytes that bodies which are not written to disk hold in memory.
    """

    def __init__(self, media: Media, *, max_bytes: int, budget: ByteBudget) -> None:
        self._media = media
        self._budget = budget
        self._max_bytes = max_bytes
        self._reading: set[asyncio.Timeout] = set()
        self._stopped = False

    async def read(self, request: Request, segment_id: str, caller: Caller) -> ParsedBody:
        """Read the body of ``request`` as the sound of the segment ``segment_id``.

        :raises AudioError: it cannot be played.
        :raises StoreError: it cannot be stored.
        :raises TTSError: its text cannot be spoken.
        :raises ApiProblem: it is too large, of an unsupported media type, or malformed; or the service is stopping.
        :raises ClientDisconnect: the client disconnected before the end of the body.
        """
        try:
            self._check_size(_length(request))
            await self._media.spool.require_space(_length(request))
            return await self._read(request, SegmentResources(self._media, segment_id, caller), caller.holder)
        except BaseException:
            await self.discard(segment_id)
            raise

    @asynccontextmanager
    async def live(self, request: Request) -> AsyncIterator[LiveBody]:
        """The body of ``request`` as a sound that is spoken while it arrives; nothing of it is stored.

        :raises AudioError: it is no sound that can be.
        :raises ApiProblem: as ``read``; also from within, where the service stops or it becomes too large.
        :raises ClientDisconnect: the client disconnected before the end of the body.
        """
        async with self._until_stopped():
            self._check_size(_length(request))
            body = await _begin(request, self._arriving(request))
            live = await read_live(body, self._media.max_seconds)
            try:
                yield live
            finally:
                live.sound.end(AudioError("The sound broke off while it arrived."))

    async def read_content(self, request: Request) -> ParsedBody:
        """Read the body of ``request`` for its content alone. Its sound is none.

        :raises AudioError: it cannot be the content of an accepted segment.
        :raises ApiProblem: as ``read``.
        :raises ClientDisconnect: the client disconnected before the end of the body.
        """
        return await self._read(request, ContentOnly())

    async def _read(self, request: Request, resources: BodyResources, holder: str = "") -> ParsedBody:
        async with self._until_stopped():
            self._check_size(_length(request))
            body = await _begin(request, self._arriving(request))
            kind = next((kind for kind in KINDS if kind.takes(body.media_type)), None)
            if kind is None:
                raise _refused(body.media_type)
            if isinstance(kind, JsonObject):
                body = replace(body, chunks=self._held(body.chunks, f"key {holder}"))
            return await kind.read(body, resources)

    def stop(self) -> None:
        """Refuse every body from now on, those that are arriving too."""
        self._stopped = True
        for limit in self._reading:
            limit.reschedule(0)

    async def discard(self, segment_id: str) -> None:
        """Remove a segment's audio from disk, if there is any.

        :raises StoreError: it cannot be removed.
        """
        await self._media.spool.remove(segment_id)

    async def check(self) -> None:
        """
        :raises StoreError: the folder for bodies was removed or replaced.
        """
        await self._media.spool.check()

    @asynccontextmanager
    async def _until_stopped(self) -> AsyncIterator[None]:
        """:raises ApiProblem: ``stop`` was called."""
        try:
            async with asyncio.timeout(0 if self._stopped else None) as limit:
                self._reading.add(limit)
                try:
                    yield
                finally:
                    self._reading.discard(limit)
        except TimeoutError:
            if not self._stopped:
                raise
            raise ApiProblem("stopping", "The service is stopping: send it again in a moment.") from None

    async def _arriving(self, request: Request) -> AsyncIterator[bytes]:
        """The pieces of the body. None is held while the next one is waited for, or each upload that stalls would hold
        its last one uncounted.

        :raises ApiProblem: it is too large.
        :raises ClientDisconnect: the client disconnected before the end of the body.
        """
        size, more = 0, True
        while more:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            chunk = message.get("body", b"")
            size += len(chunk)
            self._check_size(size)
            if chunk:
                yield chunk
            del message, chunk

    async def _held(self, chunks: AsyncIterator[bytes], holder: str) -> AsyncIterator[bytes]:
        """Count what the chunks take in memory; a short body takes too little to count.

        :raises TooMuchInFlight: the bodies that are arriving leave no room.
        """
        size = taken = 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > SHORT:
                    if not self._budget.take(holder, size - taken):
                        raise TooMuchInFlight("Too many long bodies arrive at once: send this one again in a moment.")
                    taken = size
                yield chunk
                del chunk
        finally:
            self._budget.give(holder, taken)

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise ApiProblem(
                "too-large",
                f"The body is larger than {self._max_bytes / MEGABYTE:g} MB: send less, compress it (FLAC, Ogg), or "
                "raise MOUTHPIECE_MAX_UPLOAD_MB.",
            )


async def _begin(request: Request, chunks: AsyncIterator[bytes]) -> RequestBody:
    """Return the body as the headers describe it; where they do not, its first bytes decide between JSON and sound."""
    media_type, parameters = read_content_type(request.headers.get("content-type"))
    if not media_type:
        first = await anext(chunks, b"")
        chunks = _prepended(first, chunks)
        if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"\xff\xfe{", b"\xfe\xff\0{")):
            media_type = "application/json"
    _, disposition = parse_options_header(request.headers.get("content-disposition"))
    return RequestBody(
        media_type,
        parameters,
        clean_name(disposition.get(b"filename", b"").decode("utf-8", "replace")),
        chunks,
    )


def _length(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


async def _prepended(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    del first
    async for chunk in rest:
        yield chunk
        del chunk


def _refused(media_type: str) -> ApiProblem:
    if media_type.startswith("text/"):
        return ApiProblem(
            "unsupported-format",
            'A text is sent as JSON: Content-Type application/json, {"text": "…"}.',
            field="Content-Type",
        )
    return ApiProblem(
        "unsupported-format",
        f"“{media_type}” is not spoken here: send a sound file (WAV, FLAC, MP3, Ogg, Opus, WebM, M4A), raw samples "
        '(audio/pcm;rate=16000;channels=1) or a text as JSON ({"text": "…"}).',
        field="Content-Type",
    )
