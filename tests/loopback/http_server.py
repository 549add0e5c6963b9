"""An HTTP server within a test."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web


@contextlib.asynccontextmanager
async def served(runner: web.BaseRunner, port: int = 0) -> AsyncIterator[str]:
    """Serve on ``port`` of loopback, a free one unless it is given; the address."""
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
