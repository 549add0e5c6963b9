"""A sound file as the body itself."""

from __future__ import annotations

from typing import Any, Final

from mouthpiece.segments import Source
from mouthpiece_sender.api.bodies.kind import Body, Intake, Spoken

BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
OTHERS: Final = ("", "application/ogg", "video/webm", "video/mp4", "video/ogg")
"""What is sent for sound beside ``audio/…``: browsers take a file's extension for its type."""


class SoundFile:
    """WAV, FLAC, MP3, Ogg, Opus, WebM, M4A: the content says which, whatever the type says."""

    content: Final[dict[str, Any]] = dict.fromkeys(
        (
            *("audio/wav", "audio/flac", "audio/mpeg", "audio/ogg", "audio/opus", "audio/webm", "audio/mp4"),
            "application/octet-stream",
        ),
        BINARY,
    )

    def takes(self, media_type: str) -> bool:
        return media_type.startswith("audio/") or media_type in OTHERS

    async def read(self, body: Body, intake: Intake) -> Spoken:
        kept = await intake.keep(body.chunks)
        return Spoken(await intake.sound(kept.path), Source("file", body.name))
