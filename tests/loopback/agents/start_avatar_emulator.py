"""An avatar server of the start-avatar protocol that gives a list of answers, and faults, in turn."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from mouthpiece import wire
from tests.loopback.http_server import served


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one call; the last one of a list repeats."""

    status: int = 200
    body: bytes = b'{"session_id": "session-1"}'
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    """Seconds before the answer."""
    hang_up: bool = False
    """Close the connection without an answer."""
    in_pieces: bool = False
    """Send the body in two pieces, with a moment between them."""


@dataclass(slots=True)
class StartAvatarEmulator:
    """The requests that came, and the answers."""

    answers: list[Answer]
    on_start: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None
    """Awaited with the body before a success is answered."""
    url: str = ""
    starts: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    stopped: list[object] = field(default_factory=list)
    """The bodies of Avaluma's ``stop-avatar``, with the secret."""
    sessions: object = None
    """The answer to ``GET /v1/sessions``; None: 404, as from Avaluma's server."""
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        answer = self.answers[min(len(self.starts), len(self.answers) - 1)]
        self.starts.append(body)
        self.secrets.append(request.headers[wire.API_SECRET_HEADER])
        self.called.set()
        await asyncio.sleep(answer.after)
        if answer.hang_up:
            assert request.transport is not None
            request.transport.abort()
        if answer.status < 300 and self.on_start is not None:
            await self.on_start(body)
        if answer.in_pieces:
            return await self._in_pieces(request, answer)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def _in_pieces(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        await response.prepare(request)
        middle = len(answer.body) // 2
        await response.write(answer.body[:middle])
        await asyncio.sleep(0.1)
        await response.write(answer.body[middle:])
        await response.write_eof()
        return response

    async def listed(self, _: web.Request) -> web.Response:
        return web.Response(status=404) if self.sessions is None else web.json_response(self.sessions)

    async def end(self, request: web.Request) -> web.Response:
        self.ended.append(request.match_info["session"])
        return web.Response(status=204)

    async def stop(self, request: web.Request) -> web.Response:
        self.stopped.append((await request.json(), request.headers[wire.API_SECRET_HEADER]))
        return web.json_response({})


def problem(status: int, detail: object, **headers: str) -> Answer:
    """A refusal with an explanation."""
    return Answer(status, json.dumps({"detail": detail}).encode(), headers)


@contextlib.asynccontextmanager
async def emulator(*answers: Answer) -> AsyncIterator[StartAvatarEmulator]:
    """Run an emulator on a free port of loopback."""
    emulated = StartAvatarEmulator(list(answers) or [Answer()])
    app = web.Application()
    app.router.add_post(wire.START_AVATAR_PATH, emulated.start)
    app.router.add_post(wire.STOP_AVATAR_PATH, emulated.stop)
    app.router.add_get("/v1/sessions", emulated.listed)
    app.router.add_delete("/v1/sessions/{session}", emulated.end)
    async with served(web.AppRunner(app, shutdown_timeout=0.1)) as emulated.url:
        yield emulated
