"""An id for each request, in the log and in the response, so that a caller can name it."""

from __future__ import annotations

import re
import secrets
from typing import Final

from mouthpiece.process.log_context import about
from mouthpiece.serving.request_guard import App, Message, Receive, Scope, Send

HEADER: Final = "X-Request-Id"
_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""What a caller may choose: nothing that ends a line or opens a tag."""


class RequestIds:
    """ASGI middleware: takes the caller's id, or makes one, and sends it back. Put it outside of everything else."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == HEADER.lower().encode()]
        taken = len(given) == 1 and _GIVEN.fullmatch(given[0]) is not None
        request = given[0].decode() if taken else f"req_{secrets.token_hex(8)}"

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (HEADER.lower().encode(), request.encode())]
                message = {**message, "headers": headers}
            await send(message)

        with about(None, request=request):
            await self._app(scope, receive, named)
