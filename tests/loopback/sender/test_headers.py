"""Headers that ask for what no call does are refused, never ignored."""

from __future__ import annotations

import gzip

import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running

CALLS = [
    ("POST", "/v1/rooms/demo/segments", sound_file()),
    ("POST", "/v1/rooms/demo/interrupt", b"{}"),
    ("GET", "/v1/rooms/demo/segments", b""),
    ("GET", "/v1/rooms", b""),
    ("GET", "/v1/voices", b""),
]
HEADERS = [
    ("Range", "bytes=0-99", 400),
    ("Content-Range", "bytes 0-9/100", 400),
    ("Prefer", "respond-async, wait=10", 400),
    ("Content-Encoding", "gzip", 415),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_they_are_refused_by_name_and_nothing_is_stored(
    sender: Running, method: str, path: str, body: bytes
) -> None:
    for name, value, status in HEADERS:
        refused = await sender.client.request(method, path, content=body, headers={name: value})
        assert (refused.status_code, refused.json()["field"]) == (status, name)
    assert sender.stored() == []
    accepted = await sender.client.request(method, path, content=body, headers={"Content-Encoding": "identity"})
    assert accepted.is_success


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "x-gzip", "gzip, identity", "GZIP"])
async def test_a_compressed_body_is_refused_whatever_the_coding(sender: Running, coding: str) -> None:
    body = gzip.compress(b'{"text": "Hello."}')
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    refused = await sender.client.post("/v1/rooms/demo/segments", content=body, headers=headers)
    assert (refused.status_code, refused.json()["field"]) == (415, "Content-Encoding")
    assert sender.stored() == []


async def test_a_probe_is_answered_whatever_it_asks_for(sender: Running) -> None:
    assert (await sender.client.get("/readyz", headers={"Range": "bytes=0-1", "Prefer": "wait=1"})).status_code == 200
