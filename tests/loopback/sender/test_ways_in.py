"""Sounds that come by their address, or in base64."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from mouthpiece_sender.api.bodies.encoded_sound import MAX_BYTES
from tests.loopback.http_server import served
from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.test_errors import expect

QUEUE = "/v1/rooms/demo/segments"
FILES: dict[str, tuple[bytes, str]] = {
    "hello%20there.flac": (sound_file(format="FLAC"), "application/x-whatever"),
    "typeless": (sound_file(), ""),
    "raw.pcm": (samples(0.25, rate=24_000), "audio/L16;codec=pcm;rate=24000"),
    "raw-without-rate.pcm": (samples(), "audio/pcm"),
    "page.html": (b"<!doctype html><html><body>Not found</body></html>", "text/html; charset=utf-8"),
    "large.wav": (sound_file(8.0, rate=96_000), "audio/wav"),
    "nothing.wav": (b"", "audio/wav"),
}


class Files:
    """A server with ``FILES``; ``/to?…`` redirects."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(request.raw_path)
        name = request.raw_path.lstrip("/")
        if name.startswith("to?"):
            return web.Response(status=302, headers={"Location": name.removeprefix("to?")})
        if name not in FILES:
            return web.Response(status=404)
        content, kind = FILES[name]
        return web.Response(body=content, headers={"Content-Type": kind} if kind else {})


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    there = Files()
    async with served(web.ServerRunner(web.Server(there.answer), shutdown_timeout=0.1)) as there.url:
        yield there


async def post(sender: Running, body: Any, **options: Any) -> Any:
    return await sender.client.post(QUEUE, json=body, **options)


async def test_a_sound_is_fetched_from_an_address(start: Start, files: Files) -> None:
    async with start(allowed_hosts=["127.0.0.1"]) as sender:
        answer = await post(sender, {"url": f"{files.url}/hello%20there.flac", "metadata": {"a": 1}})
        segment = answer.json()
        assert answer.status_code == 202, answer.text
        assert segment["source"] == {"kind": "url", "name": "hello there.flac", "text": None, "voice": None}
        assert segment["audio"] == {"sample_rate": 16_000, "num_channels": 1, "duration": 0.5}
        assert segment["metadata"] == {"a": 1}
        assert sender.stored() == [segment["id"]]
        assert (await post(sender, {"url": f"{files.url}/typeless"})).status_code == 202
        raw = (await post(sender, {"url": f"{files.url}/to?{files.url}/raw.pcm"})).json()
        assert raw["audio"] == {"sample_rate": 24_000, "num_channels": 1, "duration": 0.25}


async def test_what_an_address_has_is_asked_for_once(start: Start, files: Files) -> None:
    async with start(allowed_hosts=["127.0.0.1"]) as sender:
        key = {"Idempotency-Key": "k"}
        body = {"url": f"{files.url}/typeless"}
        first = (await post(sender, body, headers=key)).json()
        again = (await post(sender, body, headers=key)).json()
        assert (again["id"], again["duplicate"]) == (first["id"], True)
        assert files.asked == ["/typeless"]
        other = await post(sender, {"url": f"{files.url}/raw.pcm"}, headers=key)
        expect(other, "idempotency-mismatch", "Idempotency-Key")


@pytest.mark.parametrize(
    ("path", "slug", "field", "words"),
    [
        ("missing.wav", "url-unavailable", None, "404"),
        ("page.html", "not-audio", None, "web page"),
        ("nothing.wav", "not-audio", None, "0 bytes"),
        ("raw-without-rate.pcm", "bad-parameter", "url", "rate"),
        ("large.wav", "too-large", None, "bytes"),
        ("to?http://10.0.0.1/x.wav", "url-refused", None, "not a public one"),
        ("to?http://localhost/x.wav", "url-refused", None, "not a public one"),
        ("to?file:///etc/passwd", "url-refused", None, "must begin"),
    ],
)
async def test_what_an_address_does_not_give_is_said(
    start: Start, files: Files, path: str, slug: str, field: str | None, words: str
) -> None:
    async with start(allowed_hosts=["127.0.0.1"], max_upload=1) as sender:
        answer = await post(sender, {"url": f"{files.url}/{path}"})
        expect(answer, slug, field)
        assert words in answer.json()["detail"]
        assert sender.stored() == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.wav", "ftp://example.org/x.wav", "hello.wav", "http://[::1]/"])
async def test_an_address_that_may_not_be_asked_is_refused(sender: Running, url: str) -> None:
    expect(await post(sender, {"url": url}), "url-refused", None)
    expect(await post(sender, {"url": url, "text": "both"}), "bad-parameter", "text")


SOUND = base64.b64encode(sound_file()).decode()


@pytest.mark.parametrize(
    "body",
    [
        {"audio": SOUND},
        {"audio": SOUND, "type": "audio/wav"},
        {"audio": SOUND, "type": "audio/mpeg"},
        {"audio": "\n".join(SOUND[at : at + 76] for at in range(0, len(SOUND), 76))},
        {"audio": SOUND.rstrip("=").replace("+", "-").replace("/", "_")},
        {"audio": f"data:audio/wav;base64,{SOUND}"},
        {"audio": base64.b64encode(samples()).decode(), "type": "audio/pcm;rate=16000"},
        {"audio": f"data:audio/pcm;rate=16000;base64,{base64.b64encode(samples()).decode()}"},
        {"audio": base64.b64encode(samples(order=">")).decode(), "type": "audio/L16;rate=16000"},
    ],
)
async def test_a_sound_comes_in_json(sender: Running, body: dict[str, str]) -> None:
    answer = await post(sender, body | {"metadata": {"a": 1}})
    segment = answer.json()
    assert answer.status_code == 202, answer.text
    assert segment["audio"] == {"sample_rate": 16_000, "num_channels": 1, "duration": 0.5}
    assert (segment["source"]["kind"], segment["metadata"]) == ("file", {"a": 1})
    assert sender.stored() == [segment["id"]]


@pytest.mark.parametrize(
    ("body", "slug", "field"),
    [
        ({"audio": "not base64!"}, "bad-parameter", "audio"),
        ({"audio": "abcde"}, "bad-parameter", "audio"),
        ({"audio": ""}, "bad-parameter", "audio"),
        ({"audio": "="}, "not-audio", None),
        ({"audio": 7}, "bad-parameter", "audio"),
        ({"audio": "data:audio/wav,abc"}, "bad-parameter", "audio"),
        ({"audio": base64.b64encode(b"Hello there, you.").decode()}, "not-audio", None),
        ({"audio": SOUND, "type": "video/x-flv"}, "unsupported-format", "type"),
        ({"audio": SOUND, "type": "audio/pcm"}, "bad-parameter", "type"),
        ({"audio": SOUND, "text": "both"}, "bad-parameter", "text"),
        ({"audio": "A" * (MAX_BYTES + 1)}, "too-large", "audio"),
    ],
)
async def test_what_is_no_sound_in_json_is_refused(
    sender: Running, body: dict[str, Any], slug: str, field: str | None
) -> None:
    expect(await post(sender, body), slug, field)
    assert sender.stored() == []
