"""A TCP proxy that forwards nothing until a test lets it: a LiveKit that answers late."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.live.page.cuttable_proxy import forward


class HoldingProxy:
    """Listens on loopback, and forwards to ``url`` once ``let_go`` is set; ``url`` of its own is where it listens."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self._host, self._port = there.hostname, there.port
        self._connections: set[asyncio.Task[None] | None] = set()
        self.url = ""
        self.asked = asyncio.Event()
        """Set once a client has connected."""
        self.let_go = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go.set()
        self._server.close()
        await asyncio.gather(*filter(None, self._connections))
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(asyncio.current_task())
        self.asked.set()
        await self.let_go.wait()
        there_reader, there_writer = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(forward(reader, there_writer), forward(there_reader, writer))
