"""A sound that is spoken while it arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Literal

import numpy as np

from mouthpiece.audio.pcm import Pcm, Samples
from mouthpiece.errors import MouthpieceError, SoundNotKept
from mouthpiece.segments import AudioInfo

AHEAD: Final = 5.0
"""Seconds that may wait to be read; then ``feed`` waits, and with it the client that sends."""
KEPT: Final = 60.0
"""Seconds that are kept once they were read, for a pause, or for an avatar that was lost."""

SampleFormat = Literal["s16le", "s16be", "s24le", "s32le", "f32le"]
SAMPLE_BYTES: Final[dict[SampleFormat, int]] = {"s16le": 2, "s16be": 2, "s24le": 3, "s32le": 4, "f32le": 4}


class LiveSound:
    """A ``mouthpiece_sender.sounds.sound.Sound`` of samples that ``feed`` and ``end`` write."""

    def __init__(self, sample_rate: int, num_channels: int, sample_format: SampleFormat) -> None:
        self._rate, self._channels, self._format = sample_rate, num_channels, sample_format
        self._blocks: deque[Samples] = deque()
        """Of the shape ``(frames, channels)``."""
        self._first = 0
        """The frame that they begin with."""
        self._written = self._read = 0
        """Frames."""
        self._rest = b""
        self._ended = False
        self._error: MouthpieceError | None = None
        self._changed = asyncio.Event()

    @property
    def info(self) -> AudioInfo:
        """The duration is None until it has ended."""
        return AudioInfo(self._rate, self._channels, self._written / self._rate if self._ended else None)

    @property
    def written(self) -> float:
        """Seconds that have arrived."""
        return self._written / self._rate

    async def feed(self, data: bytes) -> None:
        """Add ``data``, which may break off anywhere; wait while ``AHEAD`` seconds wait to be read."""
        data = self._rest + data
        whole = len(data) - len(data) % (SAMPLE_BYTES[self._format] * self._channels)
        self._rest = data[whole:]
        if not whole:
            return
        block = _decoded(data[:whole], self._format).reshape(-1, self._channels)
        self._blocks.append(block)
        self._written += len(block)
        self._notify()
        while self._written - self._read > AHEAD * self._rate:
            await self._change()

    def end(self, error: MouthpieceError | None = None) -> None:
        """End it; with ``error``, reading beyond what has arrived raises that. Calls after the first have no effect."""
        if not self._ended:
            self._ended, self._error = True, error
            self._notify()

    @contextlib.asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """See ``Sound.open``.

        :raises SoundNotKept: ``offset`` lies more than ``KEPT`` seconds behind what was read.
        """
        yield self._read_from(round(offset * self._rate))

    async def _read_from(self, frame: int) -> AsyncIterator[Pcm]:
        while True:
            if frame < self._first:
                raise SoundNotKept("The sound was spoken while it arrived: its beginning is not kept.")
            if frame < self._written:
                block = self._block_at(frame)
                frame += len(block)
                self._read = max(self._read, frame)
                self._forget()
                self._notify()
                yield Pcm(block[:, 0] if self._channels == 1 else block.T, self._rate)
            elif self._ended:
                if self._error is not None:
                    raise self._error
                return
            else:
                await self._change()

    def _block_at(self, frame: int) -> Samples:
        begin = self._first
        for block in self._blocks:
            if frame < begin + len(block):
                return block[frame - begin :]
            begin += len(block)
        raise AssertionError(frame)

    def _forget(self) -> None:
        while self._blocks and self._read - self._first - len(self._blocks[0]) > KEPT * self._rate:
            self._first += len(self._blocks.popleft())

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _change(self) -> None:
        await self._changed.wait()


def _decoded(data: bytes, sample_format: SampleFormat) -> Samples:
    match sample_format:
        case "s16le" | "s16be":
            samples = np.frombuffer(data, dtype="<i2" if sample_format == "s16le" else ">i2")
        case "s24le":
            samples = np.ascontiguousarray(np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)[:, 1:]).view("<i2")
        case "s32le":
            samples = np.frombuffer(data, dtype="<i4") >> 16
        case "f32le":
            floats = np.nan_to_num(np.frombuffer(data, dtype="<f4"), nan=0.0, posinf=1.0, neginf=-1.0)
            samples = np.clip(np.rint(floats * np.float32(32_768)), -32_768, 32_767)
    decoded: Samples = samples.astype(np.int16, copy=False)
    return decoded
