"""Sessions are spread over processes behind one port; one that dies takes its own sessions along, and no other."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from mouthpiece import wire
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar.conftest import (
    AVATAR,
    AvatarServer,
    Speaker,
    avatar_token,
    running_avatar_server,
    start_avatar,
    tone,
)
from tests.live.viewer import Viewer, viewer_token


def children(process: int) -> list[int]:
    """Processes that ``process`` has started."""
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


async def sessions(http: httpx.AsyncClient) -> dict[str, str]:
    listed = (await http.get("/v1/sessions")).json()["sessions"]
    return {session["session_id"]: session["room"] for session in listed}


async def figure(http: httpx.AsyncClient, name: str) -> float:
    lines = (await http.get("/metrics")).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


async def until_processes(http: httpx.AsyncClient, count: int) -> None:
    async with asyncio.timeout(30):
        while await figure(http, "mouthpiece_avatar_processes") != count:  # noqa: ASYNC110 (there is nothing to wait on)
            await asyncio.sleep(0.1)


@pytest.fixture
def environment(livekit: LiveKit) -> dict[str, str]:
    return {"LIVEKIT_URL": livekit.url, "MOUTHPIECE_AVATAR_PROCESSES": "3", "MOUTHPIECE_AVATAR_MAX_SESSIONS": "3"}


async def start(http: httpx.AsyncClient, livekit: LiveKit, room: str) -> str:
    answer = await start_avatar(http, livekit, avatar_token(livekit, room))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["session_id"])


async def speaks(livekit: LiveKit, room: str) -> None:
    async with Viewer(livekit.url, viewer_token(livekit, room), identity=AVATAR) as viewer:
        await viewer.ready()
        from livekit import api, rtc

        token = (
            api.AccessToken(livekit.api_key, livekit.api_secret)
            .with_identity("external-audio-sender-test")
            .with_kind("agent")
            .with_grants(api.VideoGrants(room_join=True, room=room))
        )
        sender = rtc.Room()
        await sender.connect(livekit.url, token.to_jwt(), rtc.RoomOptions(auto_subscribe=False))
        try:
            speaker = Speaker(sender)
            await speaker.say(tone(0.5))
            assert await speaker.finished() == [wire.PlaybackFinished(0.5, False)]
        finally:
            await sender.disconnect()


async def test_one_that_dies_takes_its_own_session_along_and_no_other(
    livekit: LiveKit, room_name: str, environment: dict[str, str], tmp_path: Path
) -> None:
    rooms = [f"{room_name}-{number}" for number in range(3)]
    with running_avatar_server(tmp_path / "log", **environment) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            first = await start(http, livekit, rooms[0])
            await until_processes(http, 2)  # one is started ahead
            second = await start(http, livekit, rooms[1])
            assert await sessions(http) == {first: rooms[0], second: rooms[1]}
            os.kill(children(server.process.pid)[0], signal.SIGKILL)
            async with asyncio.timeout(10):
                while len(left := await sessions(http)) == 2:  # noqa: ASYNC110 (there is nothing to wait on)
                    await asyncio.sleep(0.1)
            [(kept, room)] = left.items()
            died = 'mouthpiece_avatar_sessions_ended_total{reason="the process that ran it died"}'
            assert await figure(http, died) == 1
            assert (await http.get("/readyz")).json()["sessions"] == 1
            await speaks(livekit, room)
            again = await start(http, livekit, rooms[2])
            assert set(await sessions(http)) == {kept, again}
            await speaks(livekit, rooms[2])
            assert (await http.delete(f"/v1/sessions/{kept}")).status_code == 204
            assert set(await sessions(http)) == {again}
            assert await figure(http, "mouthpiece_avatar_sessions ") == 1
            assert await figure(http, 'mouthpiece_avatar_streams_total{event="opened"}') == 2
    log = server.log.read_text()
    assert "died (SIGKILL): another one is started" in log
    assert "Traceback" not in log


async def test_the_limit_and_a_second_start_count_over_all_of_them(
    livekit: LiveKit, room_name: str, environment: dict[str, str], tmp_path: Path
) -> None:
    with running_avatar_server(tmp_path / "log", **environment) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            started = [await start(http, livekit, f"{room_name}-{number}") for number in range(3)]
            assert (await http.get("/readyz")).status_code == 503
            refused = await start_avatar(http, livekit, avatar_token(livekit, f"{room_name}-3"))
            assert refused.status_code == 503
            assert refused.json()["type"].endswith("queue-full")
            in_its_place = await start(http, livekit, f"{room_name}-1")
            async with asyncio.timeout(10):
                while started[1] in await sessions(http):  # noqa: ASYNC110 (there is nothing to wait on)
                    await asyncio.sleep(0.1)
            assert set(await sessions(http)) == {started[0], started[2], in_its_place}
            wrong = await start_avatar(http, LiveKit(livekit.url, "key", "s" * 40), avatar_token(livekit, "x"))
            assert wrong.status_code == 503


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_with_the_server_all_of_them_leave_their_rooms(
    livekit: LiveKit, room_name: str, environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    with running_avatar_server(tmp_path / "log", **environment) as server:
        rooms = [f"{room_name}-{count}" for count in range(2)]
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            for room in rooms:
                await start(http, livekit, room)
        async with Viewer(livekit.url, viewer_token(livekit, rooms[1]), identity=AVATAR) as viewer:
            await viewer.ready()
            started = children(server.process.pid)
            assert len(started) >= 2
            server.process.send_signal(number)
            assert await asyncio.to_thread(server.process.wait, 20) == (0 if number == signal.SIGTERM else -number)
            async with asyncio.timeout(10):
                while AVATAR in viewer.room.remote_participants:  # noqa: ASYNC110 (changes without an event for all)
                    await asyncio.sleep(0.05)
            async with asyncio.timeout(10):
                while any(map(alive, started)):  # noqa: ASYNC110 (they are no children of ours)
                    await asyncio.sleep(0.05)
    assert "Traceback" not in server.log.read_text()


def test_a_process_that_is_stopped_leaves_no_other_behind(
    livekit: LiveKit, environment: dict[str, str], tmp_path: Path
) -> None:
    with running_avatar_server(tmp_path / "log", **environment) as server:
        assert isinstance(server, AvatarServer)
        [only] = children(server.process.pid)
    assert not alive(only)
