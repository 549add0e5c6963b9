"""A text from standard input, as it comes."""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator
from typing import Final

from mouthpiece_sender.cli.standard_input import blocks

BLOCK: Final = 4096
"""Bytes."""


async def standard_input() -> AsyncIterator[str]:
    """Pieces as they are written; bytes that are no UTF-8 come as replacement characters.

    :raises MouthpieceError: it cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    async for data in blocks(BLOCK):
        if piece := decoder.decode(data):
            yield piece
