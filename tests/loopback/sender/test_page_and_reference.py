"""The page, the documentation page, and the description behind it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mouthpiece_sender.api.problems import KINDS
from tests.loopback.sender.conftest import PAGE, Running, Start


async def test_the_page_is_there_and_asked_for_anew(sender: Running) -> None:
    answer = await sender.client.get("/")
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "ws://livekit.example:7880 http://livekit.example:7880" in answer.headers["Content-Security-Policy"]
    same = await sender.client.get("/?room=demo", headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304


async def test_files_with_a_hash_in_their_name_are_kept(sender: Running) -> None:
    answer = await sender.client.get("/assets/main-abc123.js")
    assert answer.text == "run()"
    assert answer.headers["Cache-Control"].endswith("immutable")
    assert "javascript" in answer.headers["Content-Type"]
    assert (await sender.client.head("/icon.svg")).headers["Cache-Control"] == "no-cache"


async def test_the_page_can_read_which_sizes_are_refused(start: Start) -> None:
    async with start(max_upload=5) as sender:
        answer = await sender.client.get("/page.json")
        assert answer.json() == {"max_upload": 5_000_000, "max_text": 200_000}
        assert "page.json" not in (await sender.client.get("/openapi.json")).text


@pytest.mark.parametrize(
    "path", ["/..%2fdata%2fmouthpiece.db", "/assets/..%2f..%2fdata%2finstance", "/index.htm", "/assets/none.js"]
)
async def test_nothing_beside_the_page_is_served(sender: Running, path: str) -> None:
    answer = await sender.client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (404, "not-found")


async def test_without_a_page_it_is_said_how_to_build_one(start: Start, tmp_path: Path) -> None:
    async with start(web=tmp_path / "nothing") as sender:
        answer = await sender.client.get("/")
        assert "make web" in answer.text
        assert (await sender.client.get("/assets/x")).status_code == 404


async def test_the_reference_needs_nothing_from_elsewhere(sender: Running) -> None:
    page = await sender.client.get("/docs")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert "docs/swagger-ui-bundle.js" in named
    for path in named:
        assert not path.startswith(("http", "//"))
        assert (await sender.client.get(f"/{path}")).status_code == 200, path
    assert (await sender.client.get("/docs/other.js")).status_code == 404


async def test_the_description_is_whole(sender: Running) -> None:
    answer = await sender.client.get("/openapi.json")
    document = answer.json()
    calls = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert calls == {
        ("post", "/v1/rooms/{room}/segments"),
        ("get", "/v1/rooms/{room}/segments"),
        ("get", "/v1/segments/{segment_id}"),
        ("delete", "/v1/segments/{segment_id}"),
        ("post", "/v1/rooms/{room}/interrupt"),
        ("post", "/v1/rooms/{room}/pause"),
        ("post", "/v1/rooms/{room}/resume"),
        ("post", "/v1/rooms"),
        ("get", "/v1/rooms"),
        ("get", "/v1/rooms/{room}"),
        ("delete", "/v1/rooms/{room}"),
        ("post", "/v1/rooms/{room}/tokens"),
        ("get", "/v1/events"),
        ("get", "/v1/rooms/{room}/events"),
        ("get", "/v1/segments/{segment_id}/events"),
        ("post", "/v1/rooms/{room}/tickets"),
        ("get", "/v1/webhooks"),
        ("get", "/v1/webhooks/deliveries"),
        ("post", "/v1/webhooks/deliveries/{delivery_id}/retry"),
        ("get", "/v1/voices"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
    }
    schemas = document["components"]["schemas"]
    assert {
        "Segment",
        "ProblemDetails",
        "Room",
        "SegmentError",
        "OpenRoomBody",
        "InterruptBody",
        "TokenBody",
    } <= schemas.keys()
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert name in schemas
    speak = document["paths"]["/v1/rooms/{room}/segments"]["post"]
    assert {parameter["name"] for parameter in speak["parameters"]} == {
        *("room", "mode", "wait", "timeout", "expires_in", "on_loss", "wait_for_viewer", "interruptible", "avatar"),
        *("tag", "callback", "live", "Idempotency-Key"),
    }
    assert {"audio/wav", "multipart/form-data", "audio/pcm"} <= speak["requestBody"]["content"].keys()
    assert sorted(speak["responses"]) == [
        *("200", "202", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "502", "503", "507")
    ]
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            assert call["description"], (method, path)
            for status, response in call["responses"].items():
                if int(status) >= 400:
                    examples = response["content"]["application/problem+json"]["examples"]
                    assert {KINDS[slug].status for slug in examples} == {int(status)}
