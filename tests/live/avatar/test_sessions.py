"""How an avatar comes into a room, and every way it goes again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from livekit import api, rtc

from mouthpiece import profiles, wire
from mouthpiece_sender.demo.livekit_server import LiveKit, free_port
from tests.live.avatar.conftest import (
    AVATAR,
    Join,
    avatar_token,
    running_avatar_server,
    start_avatar,
    tone,
)
from tests.live.viewer import Viewer, viewer_token


async def until(condition: Callable[[], bool], timeout: float = 10) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 (the SDK's participants change without an event that covers all)
            await asyncio.sleep(0.05)


async def running(http: httpx.AsyncClient) -> dict[str, str]:
    sessions = (await http.get("/v1/sessions")).json()["sessions"]
    return {session["session_id"]: session["state"] for session in sessions}


async def until_ended(http: httpx.AsyncClient, session_id: str, timeout: float = 15) -> None:
    async with asyncio.timeout(timeout):
        while session_id in await running(http):  # noqa: ASYNC110 (over HTTP there is nothing to wait on)
            await asyncio.sleep(0.1)


async def test_it_says_that_it_listens_and_for_whom_it_speaks(viewer: Viewer, avatar: str) -> None:
    participant = viewer.room.remote_participants[AVATAR]
    info = wire.AvatarInfo.loads(participant.attributes[wire.ATTR_AVATAR])
    assert info == wire.AvatarInfo(1, "mia", avatar)
    assert participant.attributes[wire.ATTR_PUBLISH_ON_BEHALF] == "agent-test"
    assert participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    assert profiles.recognise(AVATAR, participant.attributes, True) is profiles.MOUTHPIECE


async def test_with_a_token_like_avalumas_it_works_without_its_attribute(
    http: httpx.AsyncClient, livekit: LiveKit, room_name: str, join: Join
) -> None:
    answer = await start_avatar(http, livekit, avatar_token(livekit, room_name, own_attributes=False))
    assert answer.status_code == 200
    async with Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer, join() as sender:
        await viewer.ready()
        attributes = viewer.room.remote_participants[AVATAR].attributes
        assert profiles.recognise(AVATAR, attributes, True) is profiles.AVALUMA
        assert await sender.clear() == "ok"
        await sender.say(tone(0.5))
        assert await sender.finished() == [wire.PlaybackFinished(0.5, False)]
    await http.delete(f"/v1/sessions/{answer.json()['session_id']}")


async def test_the_list_tells_of_it_and_delete_lets_it_leave(
    http: httpx.AsyncClient, viewer: Viewer, avatar: str, room_name: str
) -> None:
    [session] = [s for s in (await http.get("/v1/sessions")).json()["sessions"] if s["session_id"] == avatar]
    assert session["room"] == room_name
    assert session["identity"] == AVATAR
    assert session["state"] == "live"
    assert not session["speaking"]
    assert (await http.delete(f"/v1/sessions/{avatar}")).status_code == 204
    assert avatar not in await running(http)
    await until(lambda: AVATAR not in viewer.room.remote_participants)
    again = await http.delete(f"/v1/sessions/{avatar}")
    assert again.status_code == 404
    assert again.headers["content-type"] == "application/problem+json"


async def test_a_second_start_takes_the_place_of_the_first(
    http: httpx.AsyncClient, livekit: LiveKit, room_name: str, avatar: str, viewer: Viewer, join: Join
) -> None:
    answer = await start_avatar(http, livekit, avatar_token(livekit, room_name))
    second = answer.json()["session_id"]
    assert second != avatar
    await until_ended(http, avatar)
    assert (await running(http))[second] == "live"
    async with join() as sender:
        await until(lambda: AVATAR in sender.room.remote_participants)
        await sender.say(tone(0.5))
        assert await sender.finished() == [wire.PlaybackFinished(0.5, False)]
    await http.delete(f"/v1/sessions/{second}")


async def test_it_ends_when_it_is_removed(
    http: httpx.AsyncClient, livekit: LiveKit, room_name: str, avatar: str
) -> None:
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        await server.room.remove_participant(api.RoomParticipantIdentity(room=room_name, identity=AVATAR))
    await until_ended(http, avatar)


async def test_it_ends_when_the_room_is_closed(
    http: httpx.AsyncClient, livekit: LiveKit, room_name: str, avatar: str
) -> None:
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        await server.room.delete_room(api.DeleteRoomRequest(room=room_name))
    await until_ended(http, avatar)


async def test_a_broken_connection_is_survived(viewer: Viewer, join: Join, avatar: str) -> None:
    """The avatar's own connection is out of reach from here; the sender's breaks, and its next stream is heard."""
    async with join() as sender:
        back = asyncio.Event()
        sender.room.on("reconnected", back.set)
        await sender.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
        await asyncio.wait_for(back.wait(), 15)  # before, a resume that fails would lose what is written
        await sender.say(tone(0.5))
        assert await sender.finished() == [wire.PlaybackFinished(0.5, False)]


async def test_a_wrong_key_of_livekit_is_said(http: httpx.AsyncClient, livekit: LiveKit, room_name: str) -> None:
    other = LiveKit(livekit.url, livekit.api_key, "not-the-secret-of-that-server-0000")
    answer = await start_avatar(http, livekit, avatar_token(other, room_name))
    assert answer.status_code == 502
    assert "did not accept the token" in answer.json()["detail"]
    assert answer.json()["type"].endswith("livekit-refused")


async def test_a_livekit_that_is_away_is_said(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    away = f"ws://127.0.0.1:{free_port()}"
    with running_avatar_server(tmp_path / "log", LIVEKIT_URL=away) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            answer = await start_avatar(http, livekit, avatar_token(livekit, room_name), livekit_url=away)
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert "cannot be reached" in answer.json()["detail"]
            assert (await running(http)) == {}
    assert "Traceback" not in server.log.read_text()


async def test_other_livekit_servers_are_not_joined(http: httpx.AsyncClient, livekit: LiveKit, room_name: str) -> None:
    token = avatar_token(livekit, room_name)
    answer = await start_avatar(http, livekit, token, livekit_url="wss://livekit.example.com")
    assert answer.status_code == 403
    assert "MOUTHPIECE_AVATAR_LIVEKIT_URLS" in answer.json()["detail"]
    assert token not in answer.text


async def test_it_leaves_its_rooms_when_it_is_stopped(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    with running_avatar_server(tmp_path / "log", LIVEKIT_URL=livekit.url) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            answer = await start_avatar(http, livekit, avatar_token(livekit, room_name))
            assert answer.status_code == 200
        async with Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer:
            await viewer.ready()
            stopped = time.monotonic()
            assert await asyncio.to_thread(server.stop) == 0
            await until(lambda: AVATAR not in viewer.room.remote_participants)
            assert time.monotonic() - stopped < 10
    log = server.log.read_text()
    assert "Traceback" not in log
    assert avatar_token(livekit, room_name)[:40] not in log


async def test_no_more_rooms_than_may_be(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    environment = {"LIVEKIT_URL": livekit.url, "MOUTHPIECE_AVATAR_MAX_SESSIONS": "1"}
    with running_avatar_server(tmp_path / "log", **environment) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            first, second = await asyncio.gather(
                *(start_avatar(http, livekit, avatar_token(livekit, f"{room_name}-{i}")) for i in range(2))
            )
            assert sorted([first.status_code, second.status_code]) == [200, 503]
            refused = first if first.status_code == 503 else second
            assert refused.headers["retry-after"]
            figures = (await http.get("/metrics")).text
            assert "mouthpiece_avatar_sessions 1.0" in figures
            ready = await http.get("/readyz")
            assert (ready.status_code, ready.json()["sessions"]) == (503, 1)


async def test_alone_in_its_room_it_leaves_and_says_why(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    environment = {"LIVEKIT_URL": livekit.url, "MOUTHPIECE_AVATAR_ALONE": "4"}
    with running_avatar_server(tmp_path / "log", **environment) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            answer = await start_avatar(http, livekit, avatar_token(livekit, room_name))
            async with Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer:
                await viewer.ready()
                await asyncio.sleep(8)
                assert len(await running(http)) == 1
            await until_ended(http, answer.json()["session_id"])
            why = 'mouthpiece_avatar_sessions_ended_total{reason="it was alone in its room for 4 s"} 1.0'
            assert why in (await http.get("/metrics")).text
    assert "alone in its room" in server.log.read_text()


async def test_many_rooms_at_once_do_not_mix(
    http: httpx.AsyncClient, livekit: LiveKit, room_name: str, avatar: str, viewer: Viewer, join: Join
) -> None:
    other = f"{room_name}-other"
    answer = await start_avatar(http, livekit, avatar_token(livekit, other))
    assert answer.status_code == 200
    async with Viewer(livekit.url, viewer_token(livekit, other)) as there, join() as sender:
        await there.ready()
        before = time.monotonic()
        await sender.say(tone(1.0))
        await viewer.onset(before)
        await sender.finished()
        assert there.loud_seconds(before) == 0
    await http.delete(f"/v1/sessions/{answer.json()['session_id']}")


@pytest.mark.parametrize("identity", ["avatar-mia", "avatar-noah"])
async def test_the_id_chooses_the_face(
    http: httpx.AsyncClient, livekit: LiveKit, room_name: str, identity: str
) -> None:
    answer = await start_avatar(
        http,
        livekit,
        avatar_token(livekit, room_name, identity=identity),
        avaluma_avatar_id=identity.removeprefix("avatar-"),
    )
    assert answer.status_code == 200
    async with Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer:
        await viewer.ready()
        await viewer.until(lambda: len(viewer.pictures) > 30)  # the first ones are coarse
        red, _, blue = viewer.picture()[100:300, :60].mean(axis=(0, 1))
        assert (red > blue + 5) == (identity == "avatar-mia"), "mia's room is warm, noah's is cool"
    await http.delete(f"/v1/sessions/{answer.json()['session_id']}")
