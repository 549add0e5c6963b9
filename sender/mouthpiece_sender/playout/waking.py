"""Waiting for a change or for a moment, whichever comes first."""

from __future__ import annotations

import asyncio


async def changed_within(changed: asyncio.Event, seconds: float | None) -> None:
    """Wait until ``changed`` is set, at most ``seconds``; None: without a limit."""
    try:
        async with asyncio.timeout(None if seconds is None else max(0.0, seconds)):
            await changed.wait()
    except TimeoutError:
        pass
