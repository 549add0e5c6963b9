"""A service behind an address that stays, whose answers can be lost and which is then started again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.loopback.sender.conftest import Running, running


class Restarting:
    """``lose`` makes the next answers be lost after the service gave them; each loss starts the service again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._service: AsyncExitStack | None = None
        self._target: int | None = None
        self._restarts: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self.sender: Running
        self.lose = 0
        self.restarted = 0
        self.streams = 0
        """Streams of events that have begun."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await asyncio.gather(*self._restarts)
        await self._stop()
        for connection in self._connections:  # a client may keep one that it uses no more
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _start(self, meanwhile: Callable[[Running], Awaitable[None]] | None = None) -> None:
        self._service = AsyncExitStack()
        self.sender = await self._service.enter_async_context(running(self._folder, drain=0))
        if meanwhile is not None:
            await meanwhile(self.sender)
        self._target = httpx.URL(self.sender.url).port

    async def _stop(self) -> None:
        self._target = None
        if self._service is not None:
            await self._service.aclose()

    async def restart(self, meanwhile: Callable[[Running], Awaitable[None]] | None = None) -> None:
        """:param meanwhile: runs before the address answers again."""
        await self._stop()
        await self._start(meanwhile)
        self.restarted += 1

    async def settled(self) -> None:
        """Wait until no restart is under way."""
        await asyncio.gather(*self._restarts)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._pass_on(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closed(writer):
            if self._target is None:
                return
            there, here = await asyncio.open_connection("127.0.0.1", self._target)
            async with _closed(here):
                up = asyncio.create_task(_copy(reader, here))
                try:
                    while block := await there.read(65_536):
                        if self.lose > 0:
                            self.lose -= 1
                            self._target = None
                            task = asyncio.create_task(self.restart())
                            self._restarts.add(task)
                            return
                        writer.write(block)
                        await writer.drain()
                        self.streams += block.count(b"retry: ")
                except OSError:
                    pass  # one of the two is gone
                finally:
                    up.cancel()
                    await asyncio.wait([up])


@asynccontextmanager
async def _closed(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(65_536):
            writer.write(block)
            await writer.drain()
