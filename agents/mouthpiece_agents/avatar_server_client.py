"""A client of the start-avatar protocol, which Avaluma's avatar server and ours both speak.

``POST /v1/livekit/start-avatar`` with the header ``api-secret`` and the body :class:`mouthpiece.wire.StartAvatar`. Of a
successful answer only ``session_id`` is read, which may be missing. Our server also answers ``GET /v1/sessions`` and
``DELETE /v1/sessions/{session_id}``. An older specification of Avaluma's has ``POST /v1/livekit/stop-avatar``; whether
their server still answers it is unknown.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from mouthpiece import wire
from mouthpiece.errors import AvatarStartFailed
from mouthpiece_agents.start_retries import StartRetries

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5.0
"""Seconds."""
LATE_ANSWER = 3.0
"""Seconds that a cancelled start waits for its answer."""
END_TIMEOUT = 3.0
"""Seconds for the calls about sessions; a job that ends waits no longer for the server."""
MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""
MAX_DETAIL = 200
"""Characters of a server's explanation that get into our messages."""


class AvatarServerClient:
    """The client of one avatar server; ``async with`` opens and closes its connections."""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        secret_name: str,
        start_timeout: float,
        has_stop_call: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param secret: the ``api-secret``.
        :param secret_name: the setting that holds it, for messages.
        :param start_timeout: seconds for one start, its retries included. Nothing else bounds the wait for an answer: a
            server may answer once it has loaded the avatar, and a second request would make it load another one.
        :param has_stop_call: a session is ended as Avaluma's specification says, not as our server does it.
        """
        self._url = url.rstrip("/")
        self._secret = secret
        self._secret_name = secret_name
        self._start_timeout = start_timeout
        self._has_stop_call = has_stop_call
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(headers={wire.API_SECRET_HEADER: self._secret}, trust_env=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def start(self, avatar_id: str, livekit_url: str, livekit_token: str) -> str | None:
        """Ask the server for the avatar until it agrees; return the session id, or None if the answer has none.

        A call that is cancelled during a request waits up to ``LATE_ANSWER`` seconds for the answer and ends the
        session: an avatar that joins after its job has ended would stay for as long as there is a viewer.

        :raises AvatarStartFailed: the server does not agree; ``retryable`` says whether a later call may succeed.
        """
        body = asdict(wire.StartAvatar(livekit_url, livekit_token, self._secret, avatar_id))
        deadline = self._clock() + self._start_timeout
        retries = StartRetries(deadline, secret_name=self._secret_name)
        while True:
            try:
                async with asyncio.timeout(max(0.0, deadline - self._clock())):
                    answer = await self._ask(body)
            except aiohttp.InvalidURL:
                raise AvatarStartFailed("the address of the avatar server is not a URL") from None
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                delay = retries.unreachable(_reason(error), self._clock())
            else:
                if answer.status < 300:
                    return _session_id(answer.body)
                detail = _detail(answer.body, hidden=(livekit_token, self._secret))
                problem = _text(answer.body, "type")
                delay = retries.refused(answer.status, detail, answer.retry_after, self._clock(), problem=problem)
            logger.info("%s; asking again in %.1f s", retries.reason, delay)
            await asyncio.sleep(delay)

    async def end(self, session_id: str) -> bool:
        """End a session; return False if the server does not know it or does not answer in time."""
        method, path, body = "DELETE", f"/v1/sessions/{quote(session_id, safe='')}", None
        if self._has_stop_call:
            method, path, body = "POST", wire.STOP_AVATAR_PATH, {"session_id": session_id}
        timeout = aiohttp.ClientTimeout(total=END_TIMEOUT)
        try:
            async with self._opened().request(
                method, self._url + path, json=body, timeout=timeout, allow_redirects=False
            ) as response:
                return response.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def knows(self, session_id: str) -> bool | None:
        """Return whether the server still runs the session, or None if it does not say."""
        sessions = await self._sessions()
        return None if sessions is None else session_id in sessions

    async def speaks(self, session_id: str) -> bool:
        """Return whether the session's avatar speaks now; False if the server does not say."""
        return (await self._sessions() or {}).get(session_id) is True

    async def _sessions(self) -> dict[str, Any] | None:
        """Return the ``speaking`` of each session by its id, or None if the server does not say."""
        try:
            timeout = aiohttp.ClientTimeout(total=END_TIMEOUT)
            async with self._opened().get(
                self._url + "/v1/sessions", timeout=timeout, allow_redirects=False
            ) as response:
                if response.status != 200:
                    return None
                sessions = _object(await response.read()).get("sessions")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        if not isinstance(sessions, list):
            return None
        known = [session for session in sessions if isinstance(session, dict)]
        return {str(session.get("session_id")): session.get("speaking") for session in known}

    async def _ask(self, body: dict[str, Any]) -> _Answer:
        asking = asyncio.create_task(self._post(wire.START_AVATAR_PATH, body))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            await asyncio.wait({asking}, timeout=LATE_ANSWER)
            if not asking.done():
                asking.cancel()
                await asyncio.wait({asking})
            elif not asking.cancelled() and asking.exception() is None:
                session_id = _session_id(asking.result().body)
                if session_id is not None:
                    await self.end(session_id)
            raise

    async def _post(self, path: str, body: dict[str, Any]) -> _Answer:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
        # redirects are not followed: they would carry the key and the token to another server
        async with self._opened().post(self._url + path, json=body, timeout=timeout, allow_redirects=False) as response:
            answer = await _read(response.content)
            return _Answer(response.status, answer, response.headers.get("Retry-After"))

    def _opened(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("the avatar server's client is not open: use it in `async with`")
        return self._http


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after: str | None


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Read to the end, or the first ``MAX_ANSWER`` bytes."""
    body = bytearray()
    while len(body) < MAX_ANSWER and (piece := await content.read(MAX_ANSWER - len(body))):
        body += piece  # `read` returns the bytes that have arrived, which may be fewer
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _session_id(body: bytes) -> str | None:
    return _text(body, "session_id") or None


def _text(body: bytes, key: str) -> str:
    """Return a member of a JSON object; empty if it is not a string, or missing."""
    value = _object(body).get(key)
    return value if isinstance(value, str) else ""


def _detail(body: bytes, *, hidden: Sequence[str]) -> str:
    """Return the server's explanation of an error in one line: problem+json, FastAPI's validation errors, or ``error``.

    FastAPI repeats the input beside each error, the token included, so only its location and message are read. Each
    string in ``hidden`` is replaced wherever it occurs.
    """
    explanation = " ".join(_explanation(body).split())
    for secret in hidden:
        explanation = explanation.replace(secret, "…") if secret else explanation
    return explanation[:MAX_DETAIL]


def _explanation(body: bytes) -> str:
    answer = _object(body)
    for key in ("detail", "title", "error", "message"):
        value = answer.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list):
            problems = [item for item in value if isinstance(item, dict)]
            fields = [".".join(map(str, item.get("loc", []))) + f": {item.get('msg', '')}" for item in problems]
            return "; ".join(fields)
    return ""


def _reason(error: BaseException) -> str:
    """Describe a failed connection in words, without the address, which may hold a password."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        if number is not None and number in errno.errorcode:
            return os.strerror(number)  # asyncio's own message holds the address
        return error.os_error.strerror or "connection failed"  # a name that does not resolve has no errno
    return "the connection broke"
