"""Blocks are read one at a time, the first at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import NotAudio
from mouthpiece_sender.playout.block_reader import BlockReader

BLOCK = Pcm(np.ones(160, np.int16), 16_000)


class Blocks:
    """Two blocks, each once ``let`` is called; then the end, or an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.left = False
        self._error = error
        self._may = asyncio.Semaphore(0)

    def let(self) -> None:
        self._may.release()

    async def __call__(self) -> AsyncIterator[Pcm]:
        try:
            for _ in range(2):
                self.asked += 1
                await self._may.acquire()
                yield BLOCK
            if self._error is not None:
                raise self._error
        finally:
            self.left = True


async def test_the_first_is_read_at_once_and_the_next_when_it_is_waited_for() -> None:
    blocks = Blocks()
    async with BlockReader(blocks()) as reader:
        blocks.let()
        await asyncio.sleep(0.01)
        assert blocks.asked == 1
        assert await reader.comes(1)
        assert reader.take() is BLOCK
        await asyncio.sleep(0.01)
        assert blocks.asked == 1
        assert not await reader.comes(0)
        blocks.let()
        assert await reader.comes(1)
        assert reader.take() is BLOCK
        assert await reader.comes(1)
        assert reader.take() is None


async def test_a_wait_that_is_over_loses_nothing() -> None:
    blocks = Blocks()
    async with BlockReader(blocks()) as reader:
        assert not await reader.comes(0.001)
        assert not await reader.comes(0.001)
        blocks.let()
        assert await reader.comes(1)
        assert reader.take() is BLOCK
    assert blocks.asked == 1


async def test_what_goes_wrong_is_raised_where_the_block_is_taken() -> None:
    blocks = Blocks(NotAudio("It is broken."))
    blocks.let()
    blocks.let()
    async with BlockReader(blocks()) as reader:
        for _ in range(2):
            assert await reader.comes(1)
            reader.take()
        assert await reader.comes(1)
        with pytest.raises(NotAudio):
            reader.take()


async def test_leaving_ends_a_read_and_what_nobody_waited_for_is_not_raised() -> None:
    blocks = Blocks()
    async with BlockReader(blocks()) as reader:
        assert not await reader.comes(0.001)
    assert blocks.left

    async def broken() -> AsyncIterator[Pcm]:
        raise NotAudio("It is broken.")
        yield BLOCK

    async with BlockReader(broken()):
        await asyncio.sleep(0.01)
