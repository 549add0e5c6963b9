"""Responses that begin before their request has ended: the rest of the request is drained first.

If a server closes a connection while the client still sends, the connection is reset, and the client may lose the
response (RFC 9112, 9.6). So the response is sent at once, but ended only after the request: then the server may close.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mouthpiece_sender.settings import MEGABYTE

DRAIN_TIME: Final = 2.0
"""Seconds for which the rest of a body is read at most."""
STOPPING_TIME: Final = 1.0
"""The same once the service stops: it must end, and an upload that is refused must still read why."""
MAX_REST: Final = 64 * MEGABYTE
"""Bytes of the rest that are read at most."""


class DrainAfterEarlyResponse:
    """ASGI middleware. Once ``stopping`` is set, a request is drained for ``stopping_time`` at most."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        stopping: asyncio.Event,
        seconds: float = DRAIN_TIME,
        stopping_time: float = STOPPING_TIME,
        max_rest: int = MAX_REST,
    ) -> None:
        self._app = app
        self._stopping = stopping
        self._seconds = seconds
        self._stopping_time = stopping_time
        self._max_rest = max_rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        # A client that sent `Expect: 100-continue` (RFC 9110, 10.1.1) sends no body before the application reads.
        nothing_to_drain = headers.get("expect", "").lower() == "100-continue"

        async def watched() -> Message:
            nonlocal nothing_to_drain
            message = await receive()
            nothing_to_drain = not message.get("more_body", False)  # a disconnect ends it too
            return message

        async def send_after_drain(message: Message) -> None:
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            if ends and not nothing_to_drain:
                await send({**message, "more_body": True})
                await self._drain(receive)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, watched, send_after_drain)

    async def _drain(self, receive: Receive) -> None:
        size, more = 0, True
        seconds = min(self._seconds, self._stopping_time) if self._stopping.is_set() else self._seconds
        try:
            async with asyncio.timeout(seconds):
                while more and size <= self._max_rest:
                    message = await receive()
                    size += len(message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            pass  # the server may reset the connection now


def _has_body(headers: Headers) -> bool:
    """RFC 9112, 6.3."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
