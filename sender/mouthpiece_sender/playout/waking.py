"""How a room waits between two decisions."""

from __future__ import annotations

import asyncio


async def changed_within(changed: asyncio.Event, seconds: float | None) -> None:
    """Returns when ``changed`` is set, or so many seconds have passed; None: only then."""
    try:
        async with asyncio.timeout(None if seconds is None else max(0.0, seconds)):
            await changed.wait()
    except TimeoutError:
        pass
