"""Keys, rooms, hosts and sites, asked of the running service."""

from __future__ import annotations

import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running, Start

QUEUE = "/v1/rooms/demo/segments"
CALLS = [
    ("GET", "/v1/rooms"),
    ("POST", "/v1/rooms"),
    ("GET", "/v1/rooms/demo"),
    ("DELETE", "/v1/rooms/demo"),
    ("POST", "/v1/rooms/demo/tokens"),
    ("POST", "/v1/rooms/demo/interrupt"),
    ("POST", QUEUE),
    ("GET", QUEUE),
    ("GET", "/v1/segments/seg_1"),
    ("DELETE", "/v1/segments/seg_1"),
    ("GET", "/v1/anything"),
]
KEYS = ["whole", "part:shop-"]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic d2hvbGU6"])
async def test_every_call_needs_a_key(start: Start, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with start(api_keys=KEYS) as sender:
        for method, path in CALLS:
            answer = await sender.client.request(method, path, headers=headers)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        for path in ("/", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/icon.svg"):
            assert (await sender.client.get(path)).status_code == 200, path


async def test_a_key_is_kept_to_its_rooms(start: Start) -> None:
    whole, part = {"Authorization": "Bearer whole"}, {"Authorization": "Bearer part"}
    async with start(api_keys=KEYS) as sender:
        foreign = (await sender.client.post(QUEUE, content=sound_file(), headers=whole)).json()["id"]
        own = (await sender.client.post("/v1/rooms/shop-1/segments", content=sound_file(), headers=part)).json()["id"]
        refused = [("GET", f"/v1/segments/{foreign}"), ("DELETE", f"/v1/segments/{foreign}"), *CALLS[2:8]]
        for method, path in refused:
            answer = await sender.client.request(method, path, headers=part)
            assert (answer.status_code, answer.json()["type"]) == (403, "not-this-room"), path
        assert (await sender.client.get(f"/v1/segments/{own}", headers=part)).json()["room"] == "shop-1"
        for room in ("shop-1", "office"):
            await sender.client.post("/v1/rooms", json={"room": room}, headers=whole)
        listed = (await sender.client.get("/v1/rooms", headers=part)).json()["rooms"]
        assert [room["room"] for room in listed] == ["shop-1"]
        made = (await sender.client.post("/v1/rooms", headers=part)).json()["room"]
        assert made.startswith("shop-")
        refusal = await sender.client.post("/v1/rooms", json={"room": "office"}, headers=part)
        assert refusal.status_code == 403
        assert len(sender.stored()) == 2


async def test_a_key_with_several_prefixes_is_for_the_rooms_of_each(start: Start) -> None:
    part = {"Authorization": "Bearer part"}
    async with start(api_keys=["part:shop-", "whole", "part:bar-"]) as sender:
        for room, status in [("shop-1", 201), ("bar-1", 201), ("office", 403)]:
            answer = await sender.client.post("/v1/rooms", json={"room": room}, headers=part)
            assert answer.status_code == status, room
        assert (await sender.client.post("/v1/rooms", headers=part)).json()["room"].startswith("shop-")
        listed = (await sender.client.get("/v1/rooms", headers=part)).json()["rooms"]
        assert all(room["room"].startswith(("shop-", "bar-")) for room in listed)
        assert len(listed) == 3


async def test_a_refused_upload_is_not_read(start: Start) -> None:
    async with start(api_keys=KEYS) as sender:
        answer = await sender.client.post(QUEUE, content=bytes(20_000_000))
        assert answer.status_code == 401
        assert sender.stored() == []


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/v1/rooms", QUEUE, "/metrics", "/icon.svg"])
async def test_a_name_that_was_made_to_point_here_reads_nothing(sender: Running, path: str) -> None:
    answer = await sender.client.get(path, headers={"Host": "rebound.example:8090"})
    assert (answer.status_code, answer.json()["type"]) == (403, "host-refused")


async def test_with_a_key_any_name_is_answered_and_without_one_none_of_another(start: Start) -> None:
    async with start(api_keys=KEYS) as sender:
        named = {"Host": "sender:8090"}
        for path, key, status in [
            ("/v1/rooms", "whole", 200),
            ("/v1/rooms", "wrong", 403),
            ("/v1/rooms", None, 403),
            ("/", "whole", 403),
        ]:
            shown = {"Authorization": f"Bearer {key}"} if key else {}
            answer = await sender.client.get(path, headers={**named, **shown})
            assert answer.status_code == status, (path, key)
        other = {**named, "Authorization": "Bearer whole", "Origin": "https://evil.example"}
        assert (await sender.client.get("/v1/rooms", headers=other)).json()["type"] == "origin-refused"


async def test_where_no_key_is_set_a_made_up_one_opens_no_other_name(sender: Running) -> None:
    shown = {"Host": "rebound.example:8090", "Authorization": "Bearer anything"}
    assert (await sender.client.get("/v1/rooms", headers=shown)).json()["type"] == "host-refused"


async def test_a_public_name_is_ours_with_its_port(start: Start) -> None:
    async with start(public_hosts=["speak.example.org", "other.example.org:8443"]) as sender:
        for host, status in [
            ("speak.example.org", 200),
            ("Speak.Example.org:9000", 200),
            ("other.example.org:8443", 200),
            ("other.example.org", 403),
        ]:
            assert (await sender.client.get("/v1/rooms", headers={"Host": host})).status_code == status, host


async def test_probes_are_answered_under_any_name(sender: Running) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await sender.client.get(path, headers={"Host": "pod-7"})).status_code == 200


async def test_pages_of_other_sites_are_refused_and_ours_are_not(start: Start) -> None:
    async with start(allowed_origins=["https://friend.example"]) as sender:
        for origin, status in [
            ("https://evil.example", 403),
            ("null", 403),
            (sender.url, 200),
            ("https://friend.example", 200),
        ]:
            answer = await sender.client.get("/v1/rooms", headers={"Origin": origin})
            assert answer.status_code == status, origin
            assert not [name for name in answer.headers if name.startswith("access-control")]
        preflight = await sender.client.options(
            "/v1/rooms", headers={"Origin": "https://friend.example", "Access-Control-Request-Method": "POST"}
        )
        assert preflight.status_code == 405
        refused = await sender.client.post(
            QUEUE, content=sound_file(), headers={"Origin": "https://evil.example", "Content-Type": "text/plain"}
        )
        assert refused.status_code == 403
        assert sender.stored() == []
