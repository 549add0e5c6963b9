"""Server-sent events (WHATWG HTML, 9.2), from the log to the connection, without a queue between them.

A page of the log is read only once the one before was taken. So a client that reads slowly holds one page and the
server's write buffer, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import StreamingResponse
from starlette.types import Send

from mouthpiece_sender.events.event_json import event_json
from mouthpiece_sender.events.following import Gap
from mouthpiece_sender.storage.journal import LogEntry

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = 15.0
"""Seconds from one comment to the next while nothing happens: proxies close what is silent for longer."""
SLOW: Final = 20.0
"""Seconds that a client may take nothing; then it is closed, and goes on from where it was when it comes back."""
RETRY: Final = 1000
"""Milliseconds after which a browser connects again."""
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx passes it on at once


class EventStream(StreamingResponse):
    """
    :param entries: as ``follow`` yields them.
    :param begins: the number after which they begin, where the client named none: one that is cut off before its first
        event goes on from there.
    """

    def __init__(
        self, entries: AsyncIterator[LogEntry | Gap | None], *, begins: int | None = None, slow: float = SLOW
    ) -> None:
        super().__init__(_written(entries, begins), headers=dict(HEADERS), media_type=MEDIA_TYPE)
        self._slow = slow

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in self.body_iterator:
            try:
                async with asyncio.timeout(self._slow):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except TimeoutError:
                return  # the server closes the connection
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _written(entries: AsyncIterator[LogEntry | Gap | None], begins: int | None) -> AsyncIterator[bytes]:
    known = "" if begins is None else f"id: {begins}\n"
    yield f"retry: {RETRY}\n{known}\n".encode()
    async for entry in entries:
        match entry:
            case None:
                yield b": still here\n\n"
            case Gap():
                yield _block("gap", {"type": "gap", "after": str(entry.after), "reached": str(entry.reached)})
            case LogEntry():
                yield _block(entry.event.type, event_json(entry), entry.event.seq)


def _block(kind: str, data: dict[str, Any], number: int | None = None) -> bytes:
    """A gap has no number: a client that is cut off right after it learns of it again, and misses nothing."""
    id = "" if number is None else f"id: {number}\n"
    return f"{id}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
