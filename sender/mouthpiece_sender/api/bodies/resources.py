"""What a body is read with: the disk, the decoders and the voices; or nothing, where only its content is compared."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import SegmentNotFound, SoundNotKept
from mouthpiece.net_guard import Download, download
from mouthpiece.segments import AudioInfo, Source, TextFormat
from mouthpiece_sender.api.callers import Caller
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.sounds.file import FileSound, PcmFileSound
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.speech.voices import Voices
from mouthpiece_sender.storage.journal import SegmentStore
from mouthpiece_sender.storage.spool import Spool, StoredAudio
from mouthpiece_sender.stored_sounds import StoredSounds

DOWNLOAD_TIME: Final = 60.0
"""Seconds for a whole download."""


@dataclass(frozen=True, slots=True)
class Media:
    """What all bodies share."""

    spool: Spool
    decoders: Decoders
    voices: Voices
    store: SegmentStore
    sounds: StoredSounds
    client: httpx.AsyncClient
    """A ``guarded_client`` for addresses that callers give."""
    max_bytes: int
    """Bytes of one body."""
    max_seconds: float
    """Seconds of sound in one body."""


class SegmentResources:
    """The ``BodyResources`` of a body that becomes the segment ``segment_id``."""

    def __init__(self, media: Media, segment_id: str, caller: Caller) -> None:
        self.max_seconds = media.max_seconds
        self._media = media
        self._segment_id = segment_id
        self._caller = caller

    async def store(self, chunks: AsyncIterator[bytes]) -> StoredAudio:
        return await self._media.spool.store(self._segment_id, chunks)

    async def sound(self, path: Path) -> Sound:
        return await FileSound.probe(path, self._media.decoders, self._caller.holder)

    def download(self, url: str) -> AbstractAsyncContextManager[Download]:
        return download(self._media.client, url, max_bytes=self._media.max_bytes, seconds=DOWNLOAD_TIME)

    async def say(
        self, text: str, *, voice: str | None, tts: str | None, text_format: TextFormat
    ) -> tuple[Sound, str | None]:
        return await self._media.voices.sound(text, voice=voice, tts=tts, text_format=text_format)

    async def again(self, segment_id: str) -> tuple[Sound, Source]:
        try:
            earlier = await self._media.store.get(segment_id)
            self._caller.require(earlier.room)
            if earlier.source.text is None:
                await self._media.spool.link(segment_id, self._segment_id)
            return await self._media.sounds.sound(replace(earlier, id=self._segment_id)), earlier.source
        except SegmentNotFound as error:
            raise ApiProblem(error.slug, str(error), field="segment") from None
        except SoundNotKept:
            raise ApiProblem(
                SoundNotKept.slug,
                f"The sound of {segment_id} is no longer kept (MOUTHPIECE_KEEP_SOUNDS says how long one is): send it "
                "again.",
                field="segment",
            ) from None


class ContentOnly:
    """The ``BodyResources`` of a body that was accepted before: it is read for its content, and nothing is stored."""

    max_seconds = float("inf")

    async def store(self, chunks: AsyncIterator[bytes]) -> StoredAudio:
        digest, size = hashlib.sha256(), 0
        async for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
        return StoredAudio(Path(), size, digest.hexdigest())

    async def sound(self, path: Path) -> Sound:
        return _NO_SOUND

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[Download]:
        """Not asked again: the address is what is compared."""

        async def nothing() -> AsyncIterator[bytes]:
            return
            yield

        yield Download(None, None, nothing())

    async def say(
        self, text: str, *, voice: str | None, tts: str | None, text_format: TextFormat
    ) -> tuple[Sound, str | None]:
        return _NO_SOUND, voice

    async def again(self, segment_id: str) -> tuple[Sound, Source]:
        return _NO_SOUND, Source("file")


_NO_SOUND = PcmFileSound(Path(), AudioInfo(16_000, 1, 0.0))
"""Is never opened."""
