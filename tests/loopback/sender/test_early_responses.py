"""Requests that are answered, or left by their client, before they are whole; asked over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running, Start

QUEUE = "/v1/rooms/demo/segments"
KEYS = ["whole", "part:shop-"]
SIZE = 4_000_000
"""Bytes: more than the buffers between client and service hold."""


@asynccontextmanager
async def connected(
    sender: Running, path: str, *fields: str, length: int = SIZE
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that has sent the head of a POST, and wants the connection closed behind the answer."""
    host, port = sender.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Connection: close", f"Content-Length: {length}", *fields]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(20):
            yield reader, writer
    finally:
        writer.transport.abort()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


EARLY = {
    "no key": (QUEUE, [], 401),
    "wrong key": (QUEUE, ["Authorization: Bearer wrong"], 401),
    "another site": (QUEUE, ["Origin: https://evil.example"], 403),
    "another room": (QUEUE, ["Authorization: Bearer part"], 403),
    "bad query": (f"{QUEUE}?mode=shout", ["Authorization: Bearer whole"], 400),
    "bad room": ("/v1/rooms/%20/segments", ["Authorization: Bearer whole"], 400),
    "other kind": (QUEUE, ["Authorization: Bearer whole", "Content-Type: image/png"], 415),
    "too large": (QUEUE, ["Authorization: Bearer whole"], 413),
    "JSON too large": ("/v1/rooms", ["Authorization: Bearer whole"], 413),
    "no such call": ("/v1/nothing", ["Authorization: Bearer whole"], 404),
}


@pytest.mark.parametrize("why", EARLY)
async def test_a_client_that_sends_all_before_it_reads_gets_the_refusal(start: Start, why: str) -> None:
    path, fields, expected = EARLY[why]
    limit = 1 if why == "too large" else 300
    async with start(api_keys=KEYS, max_upload=limit) as sender, connected(sender, path, *fields) as (reader, writer):
        for _ in range(SIZE // 50_000):
            writer.write(bytes(50_000))
            await writer.drain()
            await asyncio.sleep(0.002)  # as over a network: the refusal is there long before the end
        answer = await reader.read()
        assert status(answer) == expected
        assert answer.endswith(b"}")
        assert sender.stored() == []


async def test_the_refusal_is_there_before_the_body(start: Start) -> None:
    async with start(api_keys=KEYS) as sender, connected(sender, QUEUE) as (reader, _):
        assert status(await reader.readuntil(b"}")) == 401


async def test_who_asks_before_it_sends_is_refused_without_being_asked_to(start: Start) -> None:
    async with start(api_keys=KEYS) as sender, connected(sender, QUEUE, "Expect: 100-continue") as (reader, _):
        assert status(await reader.read()) == 401


@pytest.mark.parametrize("path", [QUEUE, "/v1/rooms", "/v1/rooms/demo/interrupt"])
async def test_a_client_that_goes_away_in_the_middle_is_no_fault_of_ours(
    sender: Running, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async with connected(sender, path) as (_, writer):
        writer.write(sound_file()[:1000])
        await writer.drain()
    async with asyncio.timeout(10):
        while not (counted := await statuses(sender)):
            pass
    assert counted == ["499"]
    assert sender.stored() == []
    assert caplog.text == ""


async def statuses(sender: Running) -> list[str]:
    """Of the POST requests that were answered so far, by the figures."""
    lines = (await sender.client.get("/metrics")).text.splitlines()
    posts = [line for line in lines if line.startswith("mouthpiece_http_requests_total{") and '"POST"' in line]
    return [line.split('status="')[1][:3] for line in posts]


async def test_an_upload_in_progress_when_the_service_stops_reads_why(start: Start) -> None:
    async with start() as sender, connected(sender, QUEUE) as (reader, writer):
        for number in range(SIZE // 50_000):
            writer.write(bytes(50_000))
            await writer.drain()
            if number == 20:
                sender.dependencies.stopping.set()
            await asyncio.sleep(0.002)  # it sends all before it reads
        answer = await reader.read()
        assert status(answer) == 503
        assert b'"type":"stopping"' in answer
        assert b"retry-after: " in answer.lower()
        assert sender.stored() == []


async def test_a_connection_stays_open_between_two_requests(sender: Running) -> None:
    host, port = sender.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    async with asyncio.timeout(20):
        for pause in (0, 6):  # uvicorn's own limit is 5 s
            await asyncio.sleep(pause)
            writer.write(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert status(await reader.readuntil(b"}")) == 200
    writer.close()
