"""``POST …/pause`` and ``…/resume`` over HTTP, in a room without an avatar: what is held, shown and kept."""

from __future__ import annotations

import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running, Start

ROOM = "/v1/rooms/demo"


async def test_a_room_is_paused_until_it_is_resumed(sender: Running) -> None:
    waiting = await sender.speak("demo", sound_file())
    assert (await sender.client.get(ROOM)).json()["paused"] is False
    for _ in range(2):  # again is no error
        answer = await sender.client.post(f"{ROOM}/pause")
        assert (answer.status_code, answer.json()) == (200, {"room": "demo", "paused": True, "segments": []})
    assert (await sender.client.get(ROOM)).json()["paused"] is True
    assert [room["paused"] for room in (await sender.client.get("/v1/rooms")).json()["rooms"]] == [True]
    assert (await sender.speak("demo", sound_file()))["state"] == "queued"
    for _ in range(2):
        answer = await sender.client.post(f"{ROOM}/resume", json={})
        assert (answer.status_code, answer.json()) == (200, {"room": "demo", "paused": False, "segments": []})
    assert (await sender.client.get(ROOM)).json()["paused"] is False
    assert (await sender.client.get(f"/v1/segments/{waiting['id']}")).json()["state"] == "queued"


async def test_a_pause_survives_a_restart_and_what_waits_does_too(start: Start) -> None:
    async with start() as sender:
        await sender.client.post(f"{ROOM}/pause")
        waiting = await sender.speak("demo", sound_file())
    async with start() as sender:
        assert (await sender.client.get(ROOM)).json()["paused"] is True
        assert (await sender.client.get(f"/v1/segments/{waiting['id']}")).json()["state"] == "queued"
        assert sender.stored() == [waiting["id"]]
        await sender.client.post(f"{ROOM}/resume")
    async with start() as sender:
        assert (await sender.client.get(ROOM)).json()["paused"] is False


async def test_in_a_paused_room_nothing_fails_for_want_of_an_avatar(start: Start) -> None:
    async with start(avatar_timeout=0.2) as sender:
        await sender.client.post(f"{ROOM}/pause")
        held = await sender.speak("demo", sound_file())
        shown = await sender.client.get(f"/v1/segments/{held['id']}", params={"wait": "finished", "timeout": 1})
        assert shown.json()["state"] == "queued"
        await sender.client.post(f"{ROOM}/resume")
        shown = await sender.client.get(f"/v1/segments/{held['id']}", params={"wait": "finished", "timeout": 10})
        assert (shown.json()["state"], shown.json()["ended_by"]) == ("failed", "avatar")


@pytest.mark.parametrize("call", ["pause", "resume"])
async def test_who_may_not_speak_in_a_room_may_not_hold_it(start: Start, call: str) -> None:
    async with start(api_keys=["all", "part:shop-"]) as sender:
        refused = await sender.client.post(f"{ROOM}/{call}", headers={"Authorization": "Bearer part"})
        assert (refused.status_code, refused.json()["type"]) == (403, "not-this-room")


@pytest.mark.parametrize("call", ["pause", "resume"])
async def test_what_is_not_known_is_refused_by_name(sender: Running, call: str) -> None:
    for answer in (
        await sender.client.post(f"{ROOM}/{call}", json={"for": 3}),
        await sender.client.post(f"{ROOM}/{call}", params={"for": 3}),
    ):
        assert (answer.status_code, answer.json()["field"]) == (400, "for")
