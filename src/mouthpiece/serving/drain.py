"""Responses that begin before their request has ended: the rest of the request is drained first.

If a server closes a connection while the client still sends, the connection is reset, and the client may lose the
response (RFC 9112, 9.6). So the response is sent at once, but ended only after the request: then the server may close.
"""

from __future__ import annotations

import asyncio
from typing import Final

from mouthpiece.errors import BodyTooLarge, RequestTimeout
from mouthpiece.serving.request_guard import App, Message, Receive, Scope, Send

DRAIN_TIME: Final = 2.0
"""Seconds for which the rest of a body is read at most."""
STOPPING_TIME: Final = 1.0
"""The same once the service stops: it must end, and an upload that is refused must still read why."""
MAX_REST: Final = 64_000_000
"""Bytes of the rest that are read at most."""


class DrainAfterEarlyResponse:
    """ASGI middleware. Once ``stopping`` is set, a request is drained for ``stopping_time`` at most."""

    def __init__(
        self,
        app: App,
        *,
        stopping: asyncio.Event | None = None,
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
        headers = {name: value.lower() for name, value in scope["headers"]} if scope["type"] == "http" else {}
        if not _has_body(headers):
            await self._app(scope, receive, send)
            return
        # A client that sent `Expect: 100-continue` (RFC 9110, 10.1.1) sends no body before the application reads.
        nothing_to_drain = headers.get(b"expect") == b"100-continue"

        async def watched() -> Message:
            nonlocal nothing_to_drain
            message = await receive()
            nothing_to_drain = not message.get("more_body", False)  # a disconnect ends it too
            return message

        async def send_after_drain(message: Message) -> None:
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            if ends and not nothing_to_drain:
                await send({**message, "more_body": True})
                await self._drain(watched)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, watched, send_after_drain)

    async def _drain(self, receive: Receive) -> None:
        size, more = 0, True
        stops = self._stopping is not None and self._stopping.is_set()
        seconds = min(self._seconds, self._stopping_time) if stops else self._seconds
        try:
            async with asyncio.timeout(seconds):
                while more and size <= self._max_rest:
                    message = await receive()
                    size += len(message.get("body", b""))
                    more = message.get("more_body", False)
        except (TimeoutError, BodyTooLarge, RequestTimeout):
            pass  # the server may reset the connection now


def _has_body(headers: dict[bytes, bytes]) -> bool:
    """RFC 9112, 6.3."""
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
