"""A sound file that is the whole body."""

from __future__ import annotations

from typing import Any, Final

from mouthpiece.segments import Source
from mouthpiece_sender.api.bodies.kind import BodyResources, ParsedBody, RequestBody

BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
OTHERS: Final = ("", "application/ogg", "video/webm", "video/mp4", "video/ogg")
"""Media types that clients send for sound, beside ``audio/…``: browsers derive the type from the file's extension."""


class SoundFile:
    """WAV, FLAC, MP3, Ogg, Opus, WebM or M4A: the content decides, not the media type."""

    content: Final[dict[str, Any]] = dict.fromkeys(
        (
            *("audio/wav", "audio/flac", "audio/mpeg", "audio/ogg", "audio/opus", "audio/webm", "audio/mp4"),
            "application/octet-stream",
        ),
        BINARY,
    )

    def takes(self, media_type: str) -> bool:
        return media_type.startswith("audio/") or media_type in OTHERS

    async def read(self, body: RequestBody, resources: BodyResources) -> ParsedBody:
        stored = await resources.store(body.chunks)
        source = Source("file", body.name, encoding="container")
        return ParsedBody(await resources.sound(stored.path), source, {"file": stored.digest})
