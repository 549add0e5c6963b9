"""A sound file that is the whole body."""

from __future__ import annotations

from typing import Any, Final

from mouthpiece.errors import NotAudio, UnsupportedFormat
from mouthpiece.segments import Source
from mouthpiece_sender.api.bodies.kind import BodyResources, ParsedBody, RequestBody

BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
OTHERS: Final = ("", "application/ogg", "video/webm", "video/mp4", "video/ogg")
"""Media types that clients send for sound, beside ``audio/…``: browsers derive the type from the file's extension."""


OTHER_SAMPLES: Final = (
    *("audio/l8", "audio/l20", "audio/l24", "audio/basic", "audio/pcmu", "audio/pcma", "audio/g722", "audio/g711"),
    *("audio/mulaw", "audio/x-mulaw", "audio/alaw", "audio/x-alaw", "audio/raw", "audio/x-raw", "audio/x-pcm"),
)
"""Media types of samples without a header in other forms than ``raw_pcm``'s."""


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
        try:
            sound = await resources.sound(stored.path)
        except NotAudio:
            if body.media_type in OTHER_SAMPLES:
                raise UnsupportedFormat(
                    f"{body.media_type} names samples without a header that are not spoken here: send them as a WAV, "
                    "or 16-bit ones as audio/pcm;rate=16000;channels=1."
                ) from None
            raise
        return ParsedBody(sound, source, {"file": stored.digest})
