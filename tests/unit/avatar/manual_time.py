"""Time that passes only when a test lets it, for several tasks that sleep at once."""

from __future__ import annotations

import asyncio


class ManualTime:
    """``clock`` and ``sleep`` are handed to what is tested."""

    def __init__(self) -> None:
        self.now = 50.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, and then everything run that can."""
        self.now += seconds
        due = [woken for at, woken in self._sleepers if at <= self.now + 1e-9]
        self._sleepers = [(at, woken) for at, woken in self._sleepers if at > self.now + 1e-9]
        for woken in due:
            if not woken.done():
                woken.set_result(None)
        for _ in range(20):
            await asyncio.sleep(0)
