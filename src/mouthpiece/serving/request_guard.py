"""ASGI middleware: bounds the header, the time that a body or an answer may stall, and the size of a body; and adds the
headers that every answer has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from mouthpiece.errors import BodyTooLarge, HeaderTooLarge, MouthpieceError, RequestTimeout
from mouthpiece.serving.connections import Connection, Connections

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

STALL_TIME: Final = 30.0
"""Seconds in which ``STALL_BYTES`` of a body must come, and in which a client must take some of its answer."""
STALL_BYTES: Final = 1_000
MOST_HEADER: Final = 32_768
"""Bytes of a request's headers."""
MOST_QUERY: Final = 16_384
"""Bytes of its query."""


class RequestGuard:
    """:param answer: makes the application that answers with an error.
    :param max_body: bytes; None: the application bounds its bodies itself.
    """

    def __init__(
        self,
        app: App,
        *,
        connections: Connections,
        answer: Callable[[MouthpieceError], App],
        max_body: int | None = None,
        stall_time: float = STALL_TIME,
    ) -> None:
        self._app = app
        self._connections = connections
        self._answer = answer
        self._max_body = max_body
        self._stall_time = stall_time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = self._connections.of(scope.get("client"))
        if connection is not None:
            connection.request_began()
        request = _Request(scope, receive, send, connection, self._max_body, self._stall_time)
        try:
            try:
                _check_header(scope)
                await self._app(scope, request.receive, request.send)
            except (BodyTooLarge, HeaderTooLarge, RequestTimeout) as error:  # the application has no answer for it
                if request.started:
                    raise
                await self._answer(error)(scope, request.receive, request.send)
        finally:
            if connection is not None:
                connection.request_ended()
                if request.unread:
                    connection.linger()


class _Request:
    """One request: its ``receive`` and ``send`` as the application gets them."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        connection: Connection | None,
        max_body: int | None,
        stall_time: float,
    ) -> None:
        self._receive, self._send = receive, send
        self._connection = connection
        self._max_body = max_body
        self._stall_time = stall_time
        length, chunked = _body_of(scope)
        self._length = length
        self.unread = bool(length) or chunked
        """Some of its body has not been read."""
        self.started = False
        """The answer."""
        self._size = 0
        self._stalled = False
        self._came = 0
        self._until = 0.0
        self._may_be_cached = not scope["path"].startswith("/v1/")

    async def receive(self) -> Message:
        """
        :raises BodyTooLarge: the body is longer than it may be.
        :raises RequestTimeout: it has stalled.
        """
        if self._stalled:
            return {"type": "http.disconnect"}
        if not self.unread:
            if self._connection is not None:
                self._connection.read_on()
            return await self._receive()  # waits for the end of the connection
        self._check(self._length)
        now = asyncio.get_running_loop().time()
        if not self._until:
            self._until = now + self._stall_time
        if self._connection is not None:
            self._connection.body_wanted()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            self._stalled = True
            raise RequestTimeout(
                f"The body has stalled: less than {STALL_BYTES} bytes of it came in {self._stall_time:g} s."
            ) from None
        finally:
            if self._connection is not None:
                self._connection.waits_since = None
        self._took(message)
        return message

    def _took(self, message: Message) -> None:
        size = len(message.get("body", b""))
        self._size += size
        self._came += size
        if self._came >= STALL_BYTES:
            self._came, self._until = 0, 0.0
        self.unread = message["type"] == "http.request" and bool(message.get("more_body", False))
        self._check(self._size)

    def _check(self, size: int) -> None:
        if self._max_body is not None and size > self._max_body:
            raise BodyTooLarge(f"The body is larger than {self._max_body} bytes.")

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message = {**message, "headers": [*message.get("headers", ()), *self._missing(message)]}
        try:
            async with asyncio.timeout(self._stall_time):
                await self._send(message)
        except TimeoutError:  # the client takes nothing
            self._stalled = True
            if self._connection is not None:
                self._connection.abort()

    def _missing(self, message: Message) -> list[tuple[bytes, bytes]]:
        there = {name.lower() for name, _ in message.get("headers", ())}
        wanted = [(b"x-content-type-options", b"nosniff")]
        if not self._may_be_cached:
            wanted.append((b"cache-control", b"no-store"))
        return [(name, value) for name, value in wanted if name not in there]


def _check_header(scope: Scope) -> None:
    """
    :raises HeaderTooLarge: the headers or the query are too long.
    """
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER:
        raise HeaderTooLarge(f"The headers have more than {MOST_HEADER} bytes.")
    if len(scope["query_string"]) > MOST_QUERY:
        raise HeaderTooLarge(f"The query has more than {MOST_QUERY} bytes.")


def _body_of(scope: Scope) -> tuple[int, bool]:
    """The length that is stated, and whether the body comes in chunks (RFC 9112, 6.3)."""
    length, chunked = 0, False
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            length = int(value[:18])
        chunked |= name == b"transfer-encoding"
    return length, chunked
