"""A kind of request body: the media types that it takes, and how it becomes a sound."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mouthpiece.net_guard import Download
from mouthpiece.segments import Source, TextFormat
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.storage.spool import StoredAudio


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A body that is arriving."""

    media_type: str
    """In lower case, without its parameters; empty: the request names none, or a generic one."""
    parameters: Mapping[str, str]
    """Of the media type; names in lower case."""
    name: str | None
    """The file's, where the request has it."""
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """A body as the sound of a segment."""

    sound: Sound
    source: Source
    content: Mapping[str, Any]
    """What was sent, ready for JSON: the same for the same request, however it travelled. Files are digests."""
    metadata: dict[str, Any] | None = None

    @property
    def compared(self) -> Mapping[str, Any]:
        """``content`` and ``metadata``, for an idempotency key."""
        return (
            {"content": self.content} if self.metadata is None else {"content": self.content, "metadata": self.metadata}
        )


class BodyResources(Protocol):
    """Disk, decoder and voices for the body of one segment."""

    max_seconds: float
    """Seconds of sound in one body."""

    async def store(self, chunks: AsyncIterator[bytes]) -> StoredAudio:
        """Write ``chunks`` as the segment's file; it is durable when this returns.

        :raises StoreError: it cannot be written.
        """
        ...

    async def sound(self, path: Path) -> Sound:
        """Return the stored file as a sound; the file's content says its format.

        :raises AudioError: the file cannot be played.
        """
        ...

    def download(self, url: str) -> AbstractAsyncContextManager[Download]:
        """Ask for a sound at an address that a caller gave.

        :raises UrlError: the URL may not be asked, or it did not answer with a body in time.
        :raises AudioTooLarge: it has more bytes than a body may have.
        """
        ...

    async def say(
        self, text: str, *, voice: str | None, tts: str | None, text_format: TextFormat
    ) -> tuple[Sound, str | None]:
        """Return ``text`` as a sound, and the id of the voice that says it.

        :raises ConfigurationError: there is no such provider here.
        :raises TTSError: the text cannot be spoken, there is no such voice, or the voice failed.
        """
        ...

    async def again(self, segment_id: str) -> tuple[Sound, Source]:
        """Return the sound and the source of a segment that was accepted earlier.

        :raises ApiProblem: there is no such segment, its sound is no longer kept, or its room is not the caller's.
        """
        ...


class BodyKind(Protocol):
    """One kind of request body."""

    @property
    def content(self) -> Mapping[str, Mapping[str, Any]]:
        """The OpenAPI description of each of its media types."""
        ...

    def takes(self, media_type: str) -> bool:
        """Return whether this kind reads bodies of ``media_type``."""
        ...

    async def read(self, body: RequestBody, resources: BodyResources) -> ParsedBody:
        """Read ``body`` to its end, as the sound of a segment.

        :raises AudioError: it cannot be played.
        :raises StoreError: it cannot be stored.
        :raises TTSError: its text cannot be spoken.
        :raises ApiProblem: it is malformed.
        """
        ...
