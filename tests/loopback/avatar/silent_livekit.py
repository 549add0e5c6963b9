"""A LiveKit that takes connections and never answers, as a firewall or a hung server looks to a client."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class SilentLiveKit:
    """``async with``, on a free port of loopback."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = asyncio.Event()
        """Set once a client has connected."""
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _accept(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.asked.set()
