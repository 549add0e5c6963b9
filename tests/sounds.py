"""Sounds made in memory, for tests that need none from a file."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from mouthpiece.audio.pcm import Pcm
from mouthpiece.segments import AudioInfo


class Tone:
    """A sine, loud from its first sample on, in blocks of half a second."""

    def __init__(self, seconds: float, *, sample_rate: int = 16_000, hertz: float = 440.0) -> None:
        self.info = AudioInfo(sample_rate, 1, seconds)
        time = np.arange(round(seconds * sample_rate)) / sample_rate
        self.samples = np.rint(12_000 * np.cos(2 * np.pi * hertz * time)).astype(np.int16)

    @asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        yield self._blocks(round(offset * self.info.sample_rate))

    async def _blocks(self, start: int) -> AsyncIterator[Pcm]:
        block = self.info.sample_rate // 2
        for position in range(start, len(self.samples), block):
            yield Pcm(self.samples[position : position + block], self.info.sample_rate)


async def as_spoken(
    samples: bytes, begun: float, *, sample_rate: int = 16_000, block: float = 0.02, late: float = 0.0
) -> AsyncIterator[bytes]:
    """Mono samples (s16le) as a microphone sends them that began at ``begun`` (monotonic seconds).

    :param block: seconds.
    :param late: seconds that a block is late, at most.
    """
    size = 2 * round(block * sample_rate)
    for number, at in enumerate(range(0, len(samples), size), 1):
        due = begun + number * block + random.random() * late
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        yield samples[at : at + size]
