"""What callers and keys may have at a time, over HTTP."""

from __future__ import annotations

import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Start

KEYS = ["first-key-of-the-two-that-there-are", "second-key-of-the-two-that-there-are"]
FIRST, SECOND = ({"Authorization": f"Bearer {key}"} for key in KEYS)


async def test_a_room_too_many_is_answered_with_503_and_when_to_come_again(start: Start) -> None:
    async with start(max_rooms=2) as sender:
        assert (await sender.client.get("/readyz")).json()["rooms"] == {"open": 0, "limit": 2, "free": 2}
        await sender.speak("one", sound_file())
        await sender.speak("two", sound_file())
        refused = await sender.client.post("/v1/rooms/three/segments", content=sound_file())
        assert (refused.status_code, refused.json()["type"]) == (503, "rooms-full")
        assert int(refused.headers["Retry-After"]) > 0
        assert len(sender.stored()) == 2
        await sender.speak("one", sound_file())
        ready = (await sender.client.get("/readyz")).json()
        assert ready == {"status": "ok", "rooms": {"open": 2, "limit": 2, "free": 0}, "waiting": 3}


@pytest.mark.parametrize("limits", [{"key_rooms": 1}, {"key_segments": 1}, {"key_seconds": 0.6}])
async def test_a_key_with_its_share_waits_and_another_key_does_not(start: Start, limits: dict[str, float]) -> None:
    async with start(api_keys=KEYS, **limits) as sender:
        first = await sender.client.post("/v1/rooms/one/segments", content=sound_file(), headers=FIRST)
        assert first.status_code == 202
        refused = await sender.client.post("/v1/rooms/two/segments", content=sound_file(), headers=FIRST)
        assert (refused.status_code, refused.json()["type"]) == (429, "key-limit")
        assert int(refused.headers["Retry-After"]) > 0
        other = await sender.client.post("/v1/rooms/two/segments", content=sound_file(), headers=SECOND)
        assert other.status_code == 202
        await sender.client.delete(f"/v1/segments/{first.json()['id']}", headers=FIRST)
        await sender.client.get("/v1/rooms/one/segments", headers=FIRST)  # what has happened is written before
        again = await sender.client.post("/v1/rooms/two/segments", content=sound_file(), headers=FIRST)
        assert again.status_code == 202


async def test_requests_a_minute_are_counted_for_each_key(start: Start) -> None:
    async with start(api_keys=KEYS, key_requests=3) as sender:
        for _ in range(3):
            assert (await sender.client.get("/v1/rooms", headers=FIRST)).status_code == 200
        refused = await sender.client.get("/v1/rooms", headers=FIRST)
        assert (refused.status_code, refused.json()["type"]) == (429, "key-limit")
        assert 0 < int(refused.headers["Retry-After"]) <= 20
        assert (await sender.client.get("/v1/rooms", headers=SECOND)).status_code == 200
        assert (await sender.client.get("/readyz")).status_code == 200


async def test_a_burst_that_is_ignored_never_answers_429(start: Start) -> None:
    limits = {"max_queue": 1, "key_segments": 1, "key_seconds": 0.5, "key_requests": 2}
    async with start(api_keys=KEYS, **limits) as sender:
        first = await sender.client.post("/v1/rooms/one/segments", content=sound_file(), headers=FIRST)
        assert first.status_code == 202
        for _ in range(10):
            query = {"mode": "ignore", "wait": "finished"}
            answer = await sender.client.post(
                "/v1/rooms/one/segments", content=sound_file(), headers=FIRST, params=query
            )
            assert (answer.status_code, answer.json()["state"]) == (200, "ignored")
        other = [await sender.client.get("/v1/rooms?mode=ignore", headers=FIRST) for _ in range(2)]
        assert other[-1].status_code == 429, "nothing else is let through by its name"


async def test_a_room_that_is_to_stay_open_for_longer_than_a_key_may_ask_is_refused(start: Start) -> None:
    async with start(key_empty_timeout=120) as sender:
        for field in ("empty_timeout", "departure_timeout"):
            refused = await sender.client.post("/v1/rooms", json={"room": "one", field: 121})
            assert (refused.status_code, refused.json()["type"], refused.json()["field"]) == (
                400,
                "bad-parameter",
                field,
            )
        assert sender.livekit.rooms_there == {}
        assert (await sender.client.post("/v1/rooms", json={"room": "one"})).status_code == 201
        facts = sender.livekit.rooms_there["one"]
        assert (facts.empty_timeout, facts.departure_timeout) == (120, 60)
