"""Standard input in blocks, read so that the command can end while it stays open."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from typing import Final

from mouthpiece.errors import MouthpieceError

WAITING: Final = 4
"""Blocks that are read ahead; then the writer of the pipe waits."""


async def blocks(size: int) -> AsyncIterator[bytes]:
    """Yield blocks of at most ``size`` bytes as they are written; none if standard input is closed.

    A daemon thread reads, since a read of a terminal or of an open pipe cannot be cancelled: asyncio waits at its end
    for the threads of its own pool.

    :raises MouthpieceError: standard input cannot be read.
    """
    if sys.stdin is None:
        return
    source = sys.stdin.fileno()
    loop = asyncio.get_running_loop()
    read_ahead: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    room = threading.Semaphore(WAITING)

    def read() -> None:
        data: bytes | OSError = b"-"
        while data and isinstance(data, bytes):
            room.acquire()
            try:
                data = os.read(source, size)
            except OSError as error:
                data = error
            try:
                loop.call_soon_threadsafe(read_ahead.put_nowait, data)
            except RuntimeError:
                return  # the loop has ended

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while data := await read_ahead.get():
        if isinstance(data, OSError):
            raise MouthpieceError(f"Standard input cannot be read: {data.strerror}.")
        room.release()
        yield data
