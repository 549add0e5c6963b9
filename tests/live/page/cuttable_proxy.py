"""A TCP proxy in front of a server, which a test can cut and restore: what a lost network does to a connection."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from urllib.parse import urlsplit


class CuttableProxy:
    """Listens on loopback, at ``url``, and forwards to the given URL until it is cut."""

    def __init__(self, url: str) -> None:
        upstream = urlsplit(url)
        self._scheme, self._host, self._port = upstream.scheme, upstream.hostname, upstream.port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None] | None] = set()
        self._forwards = True
        self.url = ""

    async def __aenter__(self) -> CuttableProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"{self._scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self.cut()
        self._server.close()
        await self._server.wait_closed()
        await asyncio.gather(*filter(None, self._connections))

    def cut(self) -> None:
        """Aborts open connections and refuses new ones."""
        self._forwards = False
        for writer in self._writers:
            writer.transport.abort()

    def restore(self) -> None:
        self._forwards = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._forwards:
            writer.transport.abort()
            return
        connection = asyncio.current_task()
        self._connections.add(connection)
        upstream_reader, upstream_writer = await asyncio.open_connection(self._host, self._port)
        both = {writer, upstream_writer}
        self._writers |= both
        await asyncio.gather(forward(reader, upstream_writer), forward(upstream_reader, writer))
        self._writers -= both
        self._connections.discard(connection)


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
