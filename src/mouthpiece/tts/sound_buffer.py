"""The buffer between the task that reads a provider and the consumer of the sound."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from mouthpiece.tts.pcm_data import PcmData


class Block(NamedTuple):
    """A chunk in the buffer."""

    data: PcmData
    final: bool
    """It is the last one; only the last may be empty."""


class SoundBuffer:
    """A queue of blocks, bounded in seconds.

    When it is full, ``put`` waits, and with it the provider's stream: nothing is dropped. A block that is longer than
    the bound is taken whole once there is any room. After ``stop`` nothing goes in or out.
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
        """Add ``block``; wait for room first. After ``stop`` the block is dropped."""
        while self._held >= self._limit and not self._stopped:
            await self._wait()
        if self._stopped:
            return
        self._blocks.append(block)
        self._held += block.data.duration
        self._notify()

    async def get(self) -> Block | None:
        """Wait for the next block; None at the end or after a stop.

        :raises Exception: the error that ``end`` was called with, once, after the last block.
        """
        while not (self._blocks or self._ended or self._stopped):
            await self._wait()
        if self._blocks:
            block = self._blocks.popleft()
            self._held = max(0.0, self._held - block.data.duration)
            self._notify()
            return block
        error, self._error = self._error, None
        if error is not None and not self._stopped:
            raise error
        return None

    def end(self, error: Exception | None = None) -> None:
        """Nothing more is put; ``error``: the reason, if the sound is not complete. Calls after the first have no
        effect."""
        if not self._ended:
            self._ended, self._error = True, error
            self._notify()

    def stop(self) -> None:
        """Drop the blocks, and every later one."""
        self._stopped = True
        self._blocks.clear()
        self._held = 0.0
        self._notify()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
