"""Until when the process before this one served: a file whose time of change follows the clock."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

logger = logging.getLogger(__name__)

INTERVAL: Final = 1.0
"""Seconds from one mark to the next: the time is known to within them."""


class AliveMark:
    """``async with AliveMark(path) as mark:``; the file is touched until the block is left, and stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.earlier: float | None = None
        """Seconds between the last mark of an earlier process and the start of this one; None: there is none."""

    async def __aenter__(self) -> Self:
        self.earlier = await asyncio.to_thread(_age, self._path)
        self._task = asyncio.create_task(self._run(), name="alive")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._path.touch, 0o600)
            except OSError as error:  # the store says what is wrong with the folder
                logger.debug("the mark of a living process was not written: %s", error)
            await asyncio.sleep(INTERVAL)


def _age(path: Path) -> float | None:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return None
