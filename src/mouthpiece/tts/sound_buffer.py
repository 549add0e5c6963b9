"""Between the task that reads a provider and whoever takes the sound."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from mouthpiece.tts.pcm_data import PcmData


class Block(NamedTuple):
    """A chunk on its way."""

    data: PcmData
    final: bool
    """Nothing follows; only this one may be empty."""


class SoundBuffer:
    """Sound that is ready and not yet taken, bounded in seconds.

    When it is full, ``put`` waits, and with it the provider's stream: nothing is dropped. A chunk that is longer than
    the bound is taken whole once there is any room. After ``stop`` nothing comes out any more, and nothing goes in.
    """

    def __init__(self, seconds: float) -> None:
        self._limit = seconds
        self._blocks: deque[Block] = deque()
        self._held = 0.0
        self._ended = False
        self._stopped = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    @property
    def stopped(self) -> bool:
        return self._stopped

    async def put(self, block: Block) -> None:
        while self._held >= self._limit and not self._stopped:
            await self._wait()
        if self._stopped:
            return
        self._blocks.append(block)
        self._held += block.data.duration
        self._tell()

    async def get(self) -> Block | None:
        """The next chunk; None at the end or after a stop.

        :raises Exception: the one that ``end`` was given, after the last chunk, once.
        """
        while not (self._blocks or self._ended or self._stopped):
            await self._wait()
        if self._blocks:
            block = self._blocks.popleft()
            self._held = max(0.0, self._held - block.data.duration)
            self._tell()
            return block
        error, self._error = self._error, None
        if error is not None and not self._stopped:
            raise error
        return None

    def end(self, error: Exception | None = None) -> None:
        """No more is put."""
        if not self._ended:
            self._ended, self._error = True, error
            self._tell()

    def stop(self) -> None:
        """Drops what is held."""
        self._stopped = True
        self._blocks.clear()
        self._held = 0.0
        self._tell()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
