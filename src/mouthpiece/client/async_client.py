"""The client whose calls are coroutines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack, cast

import httpx

from mouthpiece.client import calls
from mouthpiece.client.calls import Call, SegmentOptions
from mouthpiece.client.errors import ClientError, ServiceProblem
from mouthpiece.client.event_parser import EventParser
from mouthpiece.client.retrying import AGAIN, Retrying
from mouthpiece.client.values import ENDED, Event, Segment


class AsyncClient:
    """``async with AsyncClient(url) as mouthpiece:``; every method raises ``ServiceProblem`` where the service
    refuses, ``ServiceUnavailable`` where it cannot be reached for ``retry_for`` seconds, and ``UnexpectedAnswer`` where
    something else answers."""

    def __init__(self, url: str, key: str | None = None, *, retry_for: float = 60.0, **options: Any) -> None:
        """
        :param key: one of the service's keys, where it has any.
        :param retry_for: seconds for which a call that fails for a reason that passes is sent again.
        :param options: for the client of httpx.
        """
        self._http = httpx.AsyncClient(base_url=url, **(calls.client_options(key) | options))
        self.retry_for = retry_for
        """May be changed between two calls."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def say(
        self,
        room: str,
        text: str,
        *,
        voice: str | None = None,
        tts: str | None = None,
        text_format: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[SegmentOptions],
    ) -> Segment:
        """Say a text; returns once it is stored.

        :param text_format: ``markdown`` reads what a language model writes as a person would; ``plain`` by default.
        :param idempotency_key: names what is said; without it, a new one is made for this call.
        """
        return cast(Segment, await self._call(calls.say(room, text, voice, tts, text_format, options, idempotency_key)))

    async def play(
        self,
        room: str,
        sound: bytes | Path,
        *,
        content_type: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[SegmentOptions],
    ) -> Segment:
        """Say a sound, the bytes of a file or the file itself; returns once it is stored.

        A file is read while it is sent, again with each try; a pipe is read into memory first.

        :param content_type: where the content does not say it, as for ``audio/pcm;rate=16000;channels=1``.
        :raises OSError: the file cannot be read.
        """
        content = await asyncio.to_thread(calls.sendable, sound)
        return cast(Segment, await self._call(calls.play(room, content, content_type, options, idempotency_key)))

    async def play_url(
        self, room: str, url: str, *, idempotency_key: str | None = None, **options: Unpack[SegmentOptions]
    ) -> Segment:
        """Say the sound at an address, which the service downloads; returns once it is stored."""
        return cast(Segment, await self._call(calls.play_url(room, url, options, idempotency_key)))

    async def again(
        self, room: str, segment_id: str, *, idempotency_key: str | None = None, **options: Unpack[SegmentOptions]
    ) -> Segment:
        """Say a segment once more; returns once it is stored."""
        return cast(Segment, await self._call(calls.again(room, segment_id, options, idempotency_key)))

    async def wait(self, segment_id: str, timeout: float | None = None) -> Segment:
        """Return a segment once it has ended, or as it stands after ``timeout`` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = calls.LONG_POLL if until is None else min(calls.LONG_POLL, max(0.0, until - time.monotonic()))
            segment = cast(Segment, await self._call(calls.finished(segment_id, left)))
            if segment["state"] in ENDED or (until is not None and time.monotonic() >= until):
                return segment
            await asyncio.sleep(AGAIN)  # a service that stops answers at once

    async def segment(self, segment_id: str) -> Segment:
        """Return a segment as it stands."""
        return cast(Segment, await self._call(calls.segment(segment_id)))

    async def segments(
        self,
        room: str,
        *,
        state: str | None = None,
        tag: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> dict[str, Any]:
        """Return a page of a room's ``segments``, newest first, and the cursor ``next``."""
        return await self._call(calls.segments(room, state, tag, limit, after))

    async def cancel(self, segment_id: str, *, purge: bool = False) -> Segment:
        """Cancel a segment that waits, interrupt one that plays."""
        return cast(Segment, await self._call(calls.cancel(segment_id, purge)))

    async def interrupt(self, room: str, *, avatar: str | None = None, drop_queued: bool = False) -> dict[str, Any]:
        """Stop what plays. Sent again after its answer was lost, it stops what plays then."""
        body = {"queued": "drop" if drop_queued else "keep"}
        return await self._call(calls.of_room(room, "interrupt", avatar, body))

    async def pause(self, room: str, *, avatar: str | None = None) -> dict[str, Any]:
        """Hold a room until it is resumed."""
        return await self._call(calls.of_room(room, "pause", avatar, {}))

    async def resume(self, room: str, *, avatar: str | None = None) -> dict[str, Any]:
        """Go on with a paused room."""
        return await self._call(calls.of_room(room, "resume", avatar, {}))

    async def open_room(self, room: str, **body: Any) -> dict[str, Any]:
        """Open a room with its avatar; the answer has a token for a viewer.

        :param body: further keys of ``POST /v1/rooms``.
        """
        return await self._call(calls.open_room({"room": room} | body))

    async def end_room(self, room: str) -> None:
        """End a room: everybody is thrown out of it."""
        await self._call(calls.end_room(room))

    async def token(self, room: str, **body: Any) -> dict[str, Any]:
        """Return a ``token`` for one more viewer.

        :param body: keys of ``POST /v1/rooms/{room}/tokens``.
        """
        return await self._call(calls.token(room, body))

    async def ticket(self, room: str, *, expires_in: int = 60) -> dict[str, Any]:
        """Return a ``ticket`` with which a browser opens the room's events, without a key.

        :param expires_in: seconds within which it can be used.
        """
        return await self._call(calls.ticket(room, expires_in))

    async def webhooks(self) -> dict[str, Any]:
        """Return the operator's ``webhooks``."""
        return await self._call(calls.webhooks())

    async def deliveries(self, *, state: str = "failed", limit: int = 50, after: str | None = None) -> dict[str, Any]:
        """Return a page of ``deliveries`` of webhooks, newest first, and the cursor ``next``.

        :param state: ``failed`` (given up) or ``pending``.
        """
        return await self._call(calls.deliveries(state, limit, after))

    async def retry_delivery(self, delivery_id: str) -> dict[str, Any]:
        """Send one that could not be delivered again; returns it."""
        return await self._call(calls.retry_delivery(delivery_id))

    async def room(self, room: str) -> dict[str, Any]:
        """Return a room with its avatars."""
        return await self._call(calls.room(room))

    async def rooms(self) -> dict[str, Any]:
        """Return all ``rooms``."""
        return await self._call(calls.rooms())

    async def voices(self) -> dict[str, Any]:
        """Return the ``voices`` that a text can be spoken with."""
        return await self._call(calls.voices())

    async def events(
        self, room: str | None = None, *, segment: str | None = None, after: str | None = None
    ) -> AsyncIterator[Event]:
        """Yield what happens, of all rooms, of one, or of one segment until its end; a stream that is cut goes on
        where it was.

        :param after: the id of an event; without it, from now on, or from a segment's beginning.
        """
        parser, path = EventParser(after), calls.events(room, segment)
        retrying = Retrying(time.monotonic() + self.retry_for)
        while True:
            parser.restart()
            failure: ClientError | None = None
            try:
                async with self._http.stream("GET", path, headers=parser.headers) as answer:
                    if answer.status_code == 204:
                        return
                    if calls.is_event_stream(answer):
                        retrying.succeeded(time.monotonic(), self.retry_for)
                        async for line in answer.aiter_lines():
                            if (event := parser.line(line)) is not None:
                                yield event
                    else:
                        await answer.aread()
                        failure = calls.failure_of(answer)
            except httpx.RequestError as error:
                failure = calls.unreachable(error)
            if failure is None:
                await asyncio.sleep(AGAIN)
            else:
                await self._pause(retrying, failure)

    async def _call(self, call: Call) -> dict[str, Any]:
        retrying = Retrying(time.monotonic() + self.retry_for)
        sent_before = False
        while True:
            try:
                answer = await self._send(call)
            except httpx.RequestError as error:
                failure: ClientError = calls.unreachable(error)
            else:
                if answer.is_success:
                    return calls.value_of(call, answer)
                failure = calls.failure_of(answer)
                if sent_before and isinstance(failure, ServiceProblem) and failure.slug == call.done:
                    return {}
            sent_before = True
            await self._pause(retrying, failure)

    async def _pause(self, retrying: Retrying, failure: ClientError) -> None:
        """Wait for the next try.

        :raises ClientError: there is none.
        """
        wait = retrying.after(failure, time.monotonic())
        if wait is None:
            raise failure
        await asyncio.sleep(wait)

    async def _send(self, call: Call) -> httpx.Response:
        if isinstance(call.content, Path):
            size = (await asyncio.to_thread(call.content.stat)).st_size
            return await self._request(call, _blocks(call.content), {"Content-Length": str(size)})
        return await self._request(call, call.content, {})

    async def _request(
        self, call: Call, content: bytes | AsyncIterator[bytes] | None, headers: dict[str, str]
    ) -> httpx.Response:
        return await self._http.request(
            call.method, call.path, params=call.params, json=call.json, content=content, headers=call.headers | headers
        )


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while block := await asyncio.to_thread(file.read, calls.BLOCK):
            yield block
    finally:
        file.close()
