"""A receiver of webhooks on a port of loopback, which answers as a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.loopback.http_server import served

Answer = Callable[[int], web.Response]
"""Returns the answer to the n-th request, from 0."""


@dataclass
class WebhookReceiver:
    port: int
    answer: Answer = field(default=lambda _: web.Response(status=204))
    taken: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    """Requests that were answered with success."""
    asked: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """Requests are answered once it is set."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.taken]

    def of(self, segment: str) -> list[str]:
        """Types of the events of a segment, as they came."""
        return [event["type"] for event in self.events if (event["segment"] or {}).get("id") == segment]

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not reached():
                self.changed.clear()
                await self.changed.wait()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        number, self.asked = self.asked, self.asked + 1
        self.changed.set()
        await self.hold.wait()
        answer = self.answer(number)
        if 200 <= answer.status < 300:
            self.taken.append((dict(request.headers), body))
        self.changed.set()
        return answer


@asynccontextmanager
async def receiving(port: int = 0, *, held: bool = False) -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver(port)
    if not held:
        receiver.hold.set()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.handle)
    async with served(web.AppRunner(app, shutdown_timeout=0), port) as url:
        receiver.port = int(url.rpartition(":")[2])
        try:
            yield receiver
        finally:
            receiver.hold.set()
