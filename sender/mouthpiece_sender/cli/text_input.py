"""A text from standard input, as it comes."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import threading
from collections.abc import AsyncIterator
from typing import Final

BLOCK: Final = 4096
"""Bytes."""
WAITING: Final = 4
"""Pieces that are read ahead; then whoever writes the pipe waits."""


async def standard_input() -> AsyncIterator[str]:
    """Pieces as they are written; bytes that are no UTF-8 come as replacement characters.

    A thread of its own reads, and is left behind when nobody wants more: a read of a terminal cannot be called off.
    """
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes] = asyncio.Queue(maxsize=WAITING)
    source = sys.stdin.fileno()

    def read() -> None:
        data = b"-"
        while data:
            data = os.read(source, BLOCK)
            try:
                asyncio.run_coroutine_threadsafe(pieces.put(data), loop).result()
            except (RuntimeError, asyncio.CancelledError):
                return  # the loop has ended

    threading.Thread(target=read, name="stdin", daemon=True).start()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while data := await pieces.get():
        if piece := decoder.decode(data):
            yield piece
