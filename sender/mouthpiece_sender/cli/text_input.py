"""A text from standard input, in pieces."""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator
from typing import Final

from mouthpiece_sender.cli.standard_input import blocks

BLOCK: Final = 4096
"""Bytes per read."""


async def standard_input() -> AsyncIterator[str]:
    """Yield pieces as they are written; bytes that are not UTF-8 become replacement characters.

    :raises MouthpieceError: standard input cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    async for data in blocks(BLOCK):
        if piece := decoder.decode(data):
            yield piece
