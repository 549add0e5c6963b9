"""A TCP line to a server that can be cut and mended: what a lost network does to a signalling connection."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from urllib.parse import urlsplit


class CuttableLine:
    """Listens on loopback and forwards to ``url`` while it is whole; ``url`` of its own is where it listens."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self._scheme, self._host, self._port = there.scheme, there.hostname, there.port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._lines: set[asyncio.Task[None] | None] = set()
        self._whole = True
        self.url = ""

    async def __aenter__(self) -> CuttableLine:
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
        await asyncio.gather(*filter(None, self._lines))

    def cut(self) -> None:
        """Ends what is open and refuses what comes."""
        self._whole = False
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._whole = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        line = asyncio.current_task()
        self._lines.add(line)
        there_reader, there_writer = await asyncio.open_connection(self._host, self._port)
        both = {writer, there_writer}
        self._writers |= both
        await asyncio.gather(pass_on(reader, there_writer), pass_on(there_reader, writer))
        self._writers -= both
        self._lines.discard(line)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
