"""What a kind of body is: which media types it takes, and how it becomes a sound."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mouthpiece.segments import Source
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.speech.voices import Speech
from mouthpiece_sender.storage.spool import Kept


@dataclass(frozen=True, slots=True)
class Body:
    """A body on its way."""

    media_type: str
    """In lower case, without its parameters; empty: the request names none, or one that says nothing."""
    parameters: Mapping[str, str]
    """Of the media type; names in lower case."""
    name: str | None
    """Of the file, if the request tells it."""
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a body has become."""

    sound: Sound
    source: Source


class Intake(Protocol):
    """What a kind may use: disk, decoder and voices."""

    max_seconds: float
    speech: Speech

    async def keep(self, chunks: AsyncIterator[bytes]) -> Kept:
        """Keeps what comes as the segment's file, durably.

        :raises StoreError: it cannot be kept.
        """
        ...

    async def sound(self, path: Path) -> Sound:
        """The kept file as a sound, its format found out.

        :raises AudioError: it is none that can be played.
        """
        ...


class Kind(Protocol):
    """One kind of body."""

    @property
    def content(self) -> Mapping[str, Mapping[str, Any]]:
        """Its media types, as OpenAPI describes them."""
        ...

    def takes(self, media_type: str) -> bool: ...

    async def read(self, body: Body, intake: Intake) -> Spoken:
        """:raises AudioError: it is not a sound that can be played. :raises Problem: it is not as it should be."""
        ...
