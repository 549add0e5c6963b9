"""Reads a stream of server-sent events, as a browser does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Received:
    id: str | None
    type: str
    data: dict[str, Any]


class EventReader:
    """``last`` is the id of the last event that had one: what a browser sends when it connects again."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()
        self.last: str | None = None

    async def next(self) -> Received | None:
        """The next event; None at the end of the stream."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif not line and "data" in fields:
                self.last = fields.get("id", self.last)
                return Received(fields.get("id"), fields["event"], json.loads(fields["data"]))
            elif not line:
                fields = {}
        return None

    async def take(self, count: int) -> list[Received]:
        taken = []
        for _ in range(count):
            event = await self.next()
            assert event is not None, "the stream has ended"
            taken.append(event)
        return taken


@asynccontextmanager
async def reading(client: httpx.AsyncClient, path: str, last: str | None = None) -> AsyncIterator[EventReader]:
    headers = {"Accept": "text/event-stream"} | ({} if last is None else {"Last-Event-ID": last})
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield EventReader(answer)
