"""Answers that come before their request is whole: what is still on its way is taken for a while.

A connection that is closed while its client still sends is reset, and the reset takes the answer with it (RFC 9112,
9.6). So the answer is sent at once, and ended, which is when a server may close, only behind the request.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mouthpiece_sender.settings import MEGABYTE

LINGER: Final = 2.0
"""Seconds that the rest of a body is taken for at most."""
MAX_REST: Final = 64 * MEGABYTE
"""Bytes of it that are taken at most."""


class DrainAfterEarlyResponse:
    """ASGI middleware. No answer lingers once ``stopping`` is set."""

    def __init__(
        self, app: ASGIApp, *, stopping: asyncio.Event, seconds: float = LINGER, max_rest: int = MAX_REST
    ) -> None:
        self._app = app
        self._stopping = stopping
        self._seconds = seconds
        self._max_rest = max_rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        # Who asks first whether to send (RFC 9110, 10.1.1) sends nothing before the application reads.
        nothing_comes = headers.get("expect", "").lower() == "100-continue"

        async def watched() -> Message:
            nonlocal nothing_comes
            message = await receive()
            nothing_comes = not message.get("more_body", False)  # nor after a disconnect
            return message

        async def lingering(message: Message) -> None:
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            if ends and not nothing_comes and not self._stopping.is_set():
                await send({**message, "more_body": True})
                await self._take_rest(receive)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, watched, lingering)

    async def _take_rest(self, receive: Receive) -> None:
        size, more = 0, True
        try:
            async with asyncio.timeout(self._seconds):
                while more and size <= self._max_rest:
                    message = await receive()
                    size += len(message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            pass  # the connection may be closed on it now


def _has_body(headers: Headers) -> bool:
    """RFC 9112, 6.3."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
