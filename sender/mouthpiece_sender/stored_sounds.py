"""The sounds of segments that were accepted, from what is stored of them: to go on after a restart, and to say one
once more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from mouthpiece.audio.decoders import Decoders
from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import AudioError, SoundNotKept
from mouthpiece.segments import AudioInfo, Encoding, Segment
from mouthpiece_sender.sounds.cues import Cue
from mouthpiece_sender.sounds.file import FileSound, PcmFileSound
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.speech.text_sound import TextSound
from mouthpiece_sender.speech.voices import Voices
from mouthpiece_sender.storage.spool import Spool

_LOOKED_AT: Final = 1 << 20
"""Bytes of a file that say which of its bytes come first."""


class StoredSounds:
    """Makes the sound of a stored segment. Words are always enough; a file must still be in the spool."""

    def __init__(self, spool: Spool, decoders: Decoders, voices: Voices) -> None:
        self._spool = spool
        self._decoders = decoders
        self._voices = voices

    async def sound(self, segment: Segment) -> Sound:
        """
        :raises SoundNotKept: neither its words nor its file are stored any more.
        :raises AudioError: the file cannot be read.
        """
        source = segment.source
        if source.text is not None:
            return LaterSpeech(self._voices, segment)
        path = self._spool.path(segment.id)
        if not await asyncio.to_thread(path.is_file):
            raise SoundNotKept(f"The sound of {segment.id} is no longer kept (MOUTHPIECE_KEEP_SOUNDS): send it again.")
        encoding = source.encoding or await self._recognise(path)
        if encoding == "container":
            return FileSound(path, segment.audio, self._decoders)
        return PcmFileSound(path, segment.audio, big_endian=encoding == "s16be")

    async def _recognise(self, path: Path) -> Encoding:
        """Return the encoding of a file that version 0.1 stored, which did not write it down."""
        try:
            await self._decoders.probe(path)
        except AudioError:
            return await asyncio.to_thread(_byte_order, path)
        return "container"


class LaterSpeech:
    """A text as a sound that asks for its voice when it is opened, and not before."""

    def __init__(self, voices: Voices, segment: Segment) -> None:
        self._voices = voices
        self._source = segment.source
        self._info = segment.audio
        self._sound: TextSound | None = None

    @property
    def info(self) -> AudioInfo:
        return self._info if self._sound is None else self._sound.info

    @property
    def cues(self) -> Sequence[Cue]:
        return () if self._sound is None else self._sound.cues

    @contextlib.asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """:raises MouthpieceError: the voice is not here any more, or failed."""
        if self._sound is None:
            source = self._source
            self._sound, _ = await self._voices.sound(
                source.text or "", voice=source.voice, tts=source.tts, text_format=source.text_format or "plain"
            )
        async with self._sound.open(offset) as blocks:
            yield blocks


def _byte_order(path: Path) -> Encoding:
    """Return the order in which neighbouring samples differ less: sound is smooth, noise is not."""
    with path.open("rb") as file:
        data = file.read(_LOOKED_AT)
    data = data[: len(data) - len(data) % 2]
    little, big = (_roughness(np.frombuffer(data, dtype=order)) for order in ("<i2", ">i2"))
    return "s16be" if big < little else "s16le"


def _roughness(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> float:
    return float(np.abs(np.diff(samples.astype(np.int32))).sum())
