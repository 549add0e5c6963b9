"""Reads the blocks of a sound: the first at once, each further one when it is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from mouthpiece.audio.pcm import Pcm


class BlockReader:
    """``async with``; leaving ends a read in progress. A long read may be waited for in steps."""

    def __init__(self, blocks: AsyncIterator[Pcm]) -> None:
        self._blocks = blocks
        self._reading: asyncio.Future[Pcm | None] | None = None

    async def __aenter__(self) -> Self:
        self._read()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (reading := self._reading) is None:
            return
        reading.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            reading.exception()  # nobody waited for it

    async def comes(self, within: float) -> bool:
        """Return whether the next block comes within so many seconds: or the end, or what went wrong."""
        done, _ = await asyncio.wait([self._read()], timeout=within)
        return bool(done)

    def take(self) -> Pcm | None:
        """Return the block that came; None: the sound has ended. Call it once after ``comes`` returned True.

        :raises MouthpieceError: the sound cannot be read any further.
        """
        assert self._reading is not None
        reading, self._reading = self._reading, None
        return reading.result()

    def _read(self) -> asyncio.Future[Pcm | None]:
        if self._reading is None:
            self._reading = asyncio.ensure_future(anext(self._blocks, None))
        return self._reading
