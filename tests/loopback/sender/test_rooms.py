"""Opening, looking at and ending rooms, and tokens."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from mouthpiece_sender.api.models import OpenedRoom, Room, RoomList, Token
from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.fakes import avatar, viewer


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, "a-secret-of-thirty-two-characters", algorithms=["HS256"]))


async def test_opening_makes_the_room_sends_the_worker_and_gives_a_token(sender: Running) -> None:
    answer = await sender.client.post("/v1/rooms", json={"room": "demo"})
    opened = OpenedRoom.model_validate(answer.json())
    assert answer.status_code == 201
    assert (opened.room, opened.livekit_url) == ("demo", "ws://livekit.example:7880")
    assert opened.avatar == "avatar-mouthpiece"  # the worker's choice where nobody names one
    facts = sender.livekit.rooms_there["demo"]
    assert (facts.empty_timeout, facts.departure_timeout) == (300, 60)
    assert sender.livekit.dispatched == [("demo", "mouthpiece", "")]
    said = claims(opened.token)
    assert said["sub"] == opened.identity
    assert said["video"]["room"] == "demo"
    assert said["roomConfig"] == {
        "agents": [{"agentName": "mouthpiece"}],
        "emptyTimeout": 300,
        "departureTimeout": 60,
        "syncStreams": True,
    }


async def test_opening_takes_wishes(sender: Running) -> None:
    wishes = {
        "room": "r",
        "avatar": {"provider": "local", "id": "mia"},
        "empty_timeout": 7200,
        "identity": "ada",
        "name": "Ada",
    }
    opened = (await sender.client.post("/v1/rooms", json=wishes)).json()
    assert (opened["avatar"], opened["identity"]) == ("avatar-mia", "ada")
    facts = sender.livekit.rooms_there["r"]
    assert (facts.empty_timeout, facts.departure_timeout) == (7200, 7200)
    [(_, _, metadata)] = sender.livekit.dispatched
    assert json.loads(metadata) == {"avatar": {"provider": "local", "id": "mia"}, "empty_timeout": 7200}
    said = claims(opened["token"])
    assert (said["sub"], said["name"]) == ("ada", "Ada")
    assert said["roomConfig"]["agents"] == [{"agentName": "mouthpiece", "metadata": metadata}]


async def test_a_room_gets_a_name_if_it_is_given_none_and_a_body_is_not_needed(sender: Running) -> None:
    first, second = [(await sender.client.post("/v1/rooms")).json()["room"] for _ in range(2)]
    assert first != second
    assert set(sender.livekit.rooms_there) == {first, second}


async def test_an_avatar_that_is_there_already_is_named(sender: Running) -> None:
    await sender.client.post("/v1/rooms", json={"room": "demo"})
    sender.livekit.people["demo"] = [viewer("ada"), avatar("mia")]
    opened = (await sender.client.post("/v1/rooms", json={"room": "demo"})).json()
    assert opened["avatar"] == "avatar-mia"


async def test_a_public_address_is_what_viewers_get(start: Start) -> None:
    async with start(livekit_public_url="wss://live.example.com") as sender:
        opened = (await sender.client.post("/v1/rooms")).json()
        given = (await sender.client.post("/v1/rooms/x/tokens")).json()
    assert opened["livekit_url"] == given["livekit_url"] == "wss://live.example.com"


async def test_a_room_shows_who_is_there_and_what_waits(sender: Running) -> None:
    await sender.client.post("/v1/rooms", json={"room": "demo"})
    await sender.speak("demo", sound_file())
    sender.livekit.people["demo"] = [viewer("ada"), viewer("bob"), avatar("mia")]
    answer = await sender.client.get("/v1/rooms/demo")
    shown = Room.model_validate(answer.json())
    assert (shown.viewers, shown.queue, shown.playing) == (2, 1, None)
    assert [found.model_dump() for found in shown.avatars] == [
        {"identity": "avatar-mia", "profile": "mouthpiece", "ready": None, "queue": 0, "playing": None}
    ]
    assert answer.json()["created_at"].endswith("Z")
    listed = RoomList.model_validate((await sender.client.get("/v1/rooms")).json())
    assert listed.rooms == [shown]


async def test_a_room_that_segments_wait_for_is_shown_before_it_is_there(sender: Running) -> None:
    await sender.speak("later", sound_file())
    shown = (await sender.client.get("/v1/rooms/later")).json()
    assert (shown["created_at"], shown["viewers"], shown["queue"]) == (None, 0, 1)
    assert [room["room"] for room in (await sender.client.get("/v1/rooms")).json()["rooms"]] == ["later"]


async def test_ending_a_room_ends_what_waits_there(sender: Running) -> None:
    await sender.client.post("/v1/rooms", json={"room": "demo"})
    segment = await sender.speak("demo", sound_file())
    answer = await sender.client.delete("/v1/rooms/demo")
    assert (answer.status_code, answer.content) == (204, b"")
    assert sender.livekit.rooms_there == {}
    ended = (await sender.client.get(f"/v1/segments/{segment['id']}")).json()
    assert (ended["state"], ended["error"]["type"]) == ("failed", "room-closed")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_room_that_is_not_there_is_not_found(sender: Running, method: str) -> None:
    answer = await sender.client.request(method, "/v1/rooms/nowhere")
    assert (answer.status_code, answer.json()["type"]) == (404, "room-not-found")


async def test_a_token_lets_one_more_person_look_and_listen(sender: Running) -> None:
    answer = await sender.client.post("/v1/rooms/demo/tokens", json={"identity": "ada", "name": "Ada"})
    given = Token.model_validate(answer.json())
    assert (answer.status_code, given.identity, given.room) == (201, "ada", "demo")
    said = claims(given.token)
    assert said["video"]["canUpdateOwnMetadata"] is False
    assert said["video"]["canPublishSources"] == ["microphone"]
    assert said["video"]["canPublishData"] is False
    assert "roomConfig" not in said
    assert "kind" not in said
    assert sender.livekit.rooms_there == {}
    made = [(await sender.client.post("/v1/rooms/demo/tokens")).json()["identity"] for _ in range(2)]
    assert made[0] != made[1]


@pytest.mark.parametrize("path", ["/v1/rooms", "/v1/rooms/demo/tokens"])
async def test_a_viewer_publishes_data_only_where_that_was_asked_for(sender: Running, path: str) -> None:
    for body, may in (({}, False), ({"data": False}, False), ({"data": True}, True)):
        given = (await sender.client.post(path, json=body)).json()
        assert claims(given["token"])["video"]["canPublishData"] is may


async def test_names_of_rooms_may_be_anything_that_an_address_can_hold(sender: Running) -> None:
    name = "Büro 3 & friends?"
    opened = (await sender.client.post("/v1/rooms", json={"room": name})).json()
    assert opened["room"] == name
    assert (await sender.client.get("/v1/rooms/B%C3%BCro%203%20%26%20friends%3F")).json()["room"] == name
