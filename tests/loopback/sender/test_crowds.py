"""Clients that hold connections and uploads open: others are answered, and what is held open is closed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest

from mouthpiece.serving import connections, request_guard
from mouthpiece.serving.drain import MAX_REST
from mouthpiece_sender import service
from mouthpiece_sender.api import app
from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running, Start

KEY = "a-key-of-16-characters"


@contextlib.asynccontextmanager
async def opened(sender: Running, count: int, sent: bytes = b"") -> AsyncIterator[list[asyncio.StreamReader]]:
    address = httpx.URL(sender.url)
    both = [await asyncio.open_connection(address.host, address.port) for _ in range(count)]
    try:
        for _, writer in both:
            writer.write(sent)
        yield [reader for reader, _ in both]
    finally:
        for _, writer in both:
            writer.close()


def upload(declared: int, *fields: str) -> bytes:
    lines = ["POST /v1/rooms/demo/segments HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {declared}", *fields]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.ConnectionLimits, "within", lambda _: connections.ConnectionLimits(12, 8))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("sent", [b"", b"GET /v1/rooms HTTP/1.1\r\nHost: 127"])
async def test_connections_without_a_request_keep_nobody_out(start: Start, sent: bytes) -> None:
    async with start() as sender, opened(sender, 40, sent) as readers:
        for _ in range(3):
            assert (await sender.client.get("/healthz")).status_code == 200
        await sender.speak("demo", sound_file())
        async with asyncio.timeout(5):
            for reader in readers[:30]:
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == b""


@pytest.mark.usefixtures("small")
async def test_stalled_uploads_keep_nobody_out(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED", 0.0)
    kept: list[connections.Connections] = []

    def keep(limits: connections.ConnectionLimits) -> connections.Connections:
        kept.append(connections.Connections(limits))
        return kept[0]

    monkeypatch.setattr(service, "Connections", keep)
    async with start(api_keys=[KEY]) as sender:
        sender.client.headers["Authorization"] = f"Bearer {KEY}"
        sent = upload(1_000_000, f"Authorization: Bearer {KEY}") + b"RIFF" + bytes(1000)
        async with opened(sender, 30, sent):
            while not kept or len(kept[0]) < 8 or any(one.waits_since is None for one in kept[0].all()):  # noqa: ASYNC110 (there is no event for it)
                await asyncio.sleep(0.01)
            await sender.speak("demo", sound_file())


async def test_a_header_that_does_not_come_is_not_waited_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "Connections", partial(connections.Connections, header_time=0.05))
    async with start() as sender, opened(sender, 1) as (silent,), opened(sender, 1, b"GET / HT") as (slow,):
        async with asyncio.timeout(5):
            assert await silent.read() == b""
            assert (await slow.read()).startswith(b"HTTP/1.1 408 ")
        assert (await sender.client.get("/healthz")).status_code == 200


async def test_an_upload_that_stalls_is_answered_and_leaves_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "RequestGuard", partial(request_guard.RequestGuard, stall_time=0.05))
    monkeypatch.setattr("mouthpiece.serving.drain.DRAIN_TIME", 0.05)
    async with start() as sender, opened(sender, 1, upload(1000) + b"RIFF") as (reader,):
        async with asyncio.timeout(10):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"request-timeout" in answer
        assert sender.stored() == []


async def test_who_may_not_call_sends_no_more_than_a_little(start: Start) -> None:
    """600 MB from somebody without a key: the answer comes at once, and no more is read than of any other upload."""
    async with start(api_keys=[KEY]) as sender:
        address = httpx.URL(sender.url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        taken = 0
        with contextlib.suppress(ConnectionError):
            writer.write(upload(600_000_000))
            async with asyncio.timeout(20):
                while taken < 600_000_000:
                    writer.write(bytes(100_000))
                    await writer.drain()
                    taken += 100_000
        writer.close()
        assert taken < MAX_REST + 20_000_000  # what lies in buffers besides
        with contextlib.suppress(ConnectionError):
            assert (await reader.read(12)) == b"HTTP/1.1 401"
