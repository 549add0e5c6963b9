from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from mouthpiece.audio.decoders import Decoders


@pytest_asyncio.fixture
async def decoders() -> AsyncIterator[Decoders]:
    async with Decoders() as decoders:
        yield decoders
