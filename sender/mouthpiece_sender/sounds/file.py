"""Sounds on disk: encoded files, which a decoder process reads, and files of raw PCM."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import IO, Final

import numpy as np

from mouthpiece.audio.decoders import BLOCK, FIRST_BLOCK, Decoders
from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import AudioError, DamagedAudio, NotAudio
from mouthpiece.segments import AudioInfo

SAMPLE_BYTES: Final = 2


class FileSound:
    """A file in any format that ``mouthpiece.audio.decoders`` reads::

        sound = await FileSound.probe(Path("hello.wav"), decoders)

    :param info: the result of ``decoders.probe(path)``.
    """

    def __init__(self, path: Path, info: AudioInfo, decoders: Decoders) -> None:
        self._path, self._info, self._decoders = path, info, decoders

    @classmethod
    async def probe(cls, path: Path, decoders: Decoders, holder: str = "") -> FileSound:
        """Read the properties of the file at ``path`` and return it as a sound.

        :param holder: see ``Decoders.probe``.
        :raises AudioError: it is not a sound that can be played (see ``Decoders.probe``).
        """
        return cls(path, await decoders.probe(path, holder), decoders)

    @property
    def info(self) -> AudioInfo:
        return self._info

    def open(self, offset: float = 0.0) -> AbstractAsyncContextManager[AsyncIterator[Pcm]]:
        """See ``Sound.open``.

        :raises AudioError: (from the iterator) it cannot be decoded any further.
        """
        return self._decoders.open(self._path, self._info, offset)


class PcmFileSound:
    """A file of interleaved 16-bit samples without a header.

    :param info: see ``pcm_info``.
    """

    def __init__(self, path: Path, info: AudioInfo, *, big_endian: bool = False) -> None:
        self._path, self._info = path, info
        self._order: Final = ">i2" if big_endian else "<i2"

    @property
    def info(self) -> AudioInfo:
        return self._info

    @contextlib.asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """See ``Sound.open``.

        :raises DamagedAudio: the file is not there any more.
        """
        try:
            file = await asyncio.to_thread(self._path.open, "rb", buffering=0)
        except OSError:
            raise DamagedAudio("The sound is no longer on disk.") from None
        try:
            yield self._blocks(file, round(offset * self._info.sample_rate))
        finally:
            await asyncio.to_thread(file.close)

    async def _blocks(self, file: IO[bytes], frame: int) -> AsyncIterator[Pcm]:
        rate, channels = self._info.sample_rate, self._info.num_channels
        seconds = FIRST_BLOCK
        at = frame * channels * SAMPLE_BYTES
        while True:
            data = await asyncio.to_thread(_read, file, at, max(1, round(seconds * rate)) * channels * SAMPLE_BYTES)
            data = data[: len(data) - len(data) % (channels * SAMPLE_BYTES)]
            if not data:
                return
            at += len(data)
            samples = np.frombuffer(data, dtype=self._order).astype(np.int16, copy=False)
            yield Pcm(samples if channels == 1 else samples.reshape(-1, channels).T, rate)
            seconds = BLOCK


def pcm_info(size: int, sample_rate: int, num_channels: int) -> AudioInfo:
    """The properties of ``size`` bytes of interleaved 16-bit samples.

    :raises NotAudio: ``size`` is 0.
    :raises AudioError: ``size`` bytes are not whole frames.
    """
    frame = num_channels * SAMPLE_BYTES
    if not size:
        raise NotAudio("There is nothing in it: 0 bytes.")
    if size % frame:
        raise AudioError(f"{size} bytes are not whole frames of {frame} bytes ({num_channels} channel(s) of 16 bits).")
    return AudioInfo(sample_rate, num_channels, size / frame / sample_rate)


def _read(file: IO[bytes], at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
