"""The service on a real LiveKit server, speaking through the local avatar to a viewer: over HTTP, from end to end."""

from __future__ import annotations

import asyncio
import secrets
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mouthpiece.process.sockets import listen
from mouthpiece_sender import service
from mouthpiece_sender.demo.livekit_server import LiveKit, free_port
from mouthpiece_sender.settings import Settings
from tests.live.agents.services import environment
from tests.live.avatar.conftest import AVATAR, AvatarServer, avatar_token, running_avatar_server, start_avatar
from tests.live.viewer import Viewer, viewer_token
from tests.loopback.sender.bodies import sound_file
from tests.sounds import Tone, as_spoken

LONG = Path(__file__).parents[3] / "assets" / "lighthouse_16kHz.wav"
LENGTH_WITHIN = 0.3
"""Seconds: Opus smears both ends of what a viewer hears, and a busy machine's jitter buffer may stretch it."""
GAPS = 0.1
"""Seconds that a viewer's jitter buffer may be silent in, all together."""
POSITION_WITHIN = 0.02
"""Seconds."""


@dataclass(frozen=True)
class AvatarRoom:
    """A room with an avatar and a viewer, and a client of the service."""

    room: str
    client: httpx.AsyncClient
    viewer: Viewer

    async def speak(self, seconds: float, **query: Any) -> tuple[int, dict[str, Any]]:
        answer = await self.client.post(self.queue, content=sound_file(seconds), params=query)
        return answer.status_code, answer.json()

    async def finished(self, segment_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/segments/{segment_id}", params={"wait": "finished", "timeout": 30})
        return dict(answer.json())

    @property
    def queue(self) -> str:
        return f"/v1/rooms/{self.room}/segments"


@asynccontextmanager
async def running_service(livekit: LiveKit, data: Path, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    given: dict[str, Any] = {
        "livekit_url": livekit.url,
        "livekit_api_key": livekit.api_key,
        "livekit_api_secret": livekit.api_secret,
        "agent_name": f"nobody-{secrets.token_hex(4)}",
        "data": data,
        "min_free": 0,
    }
    settings = Settings(**(given | changes))
    stopping = asyncio.Event()
    with listen("127.0.0.1", 0) as listening:
        async with service.open_dependencies(settings, stopping) as parts:
            serving = asyncio.create_task(service.serve(parts, listening))
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
                yield client
            stopping.set()
            await serving


@pytest.fixture(scope="module")
def avatar_server(livekit: LiveKit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AvatarServer]:
    log = tmp_path_factory.mktemp("avatar") / "avatar.log"
    with running_avatar_server(log, LIVEKIT_URL=livekit.url) as server:
        yield server
    assert "Traceback" not in log.read_text()


@pytest.fixture
async def avatar(avatar_server: AvatarServer, livekit: LiveKit, room_name: str) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=avatar_server.url, timeout=60) as http:
        answer = await start_avatar(http, livekit, avatar_token(livekit, room_name))
        assert answer.status_code == 200, answer.text
        yield
        await http.delete(f"/v1/sessions/{answer.json()['session_id']}")


@pytest.fixture
async def client(livekit: LiveKit, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with running_service(livekit, tmp_path / "data") as running:
        yield running


@pytest.fixture
async def avatar_room(
    client: httpx.AsyncClient, avatar: None, livekit: LiveKit, room_name: str
) -> AsyncIterator[AvatarRoom]:
    async with Viewer(livekit.url, viewer_token(livekit, room_name), AVATAR, sound_only=True) as viewer:
        await viewer.ready()
        yield AvatarRoom(room_name, client, viewer)


async def test_a_sound_is_heard_and_its_end_confirmed(avatar_room: AvatarRoom) -> None:
    asked = time.monotonic()
    status, segment = await avatar_room.speak(1.5, wait="finished", timeout=20)
    end = await avatar_room.viewer.offset(after=asked)
    assert (status, segment["state"], segment["receipt"]) == (200, "finished", "confirmed")
    assert (segment["avatar"], segment["profile"]) == (AVATAR, "mouthpiece")
    assert segment["position"] == pytest.approx(1.5, abs=POSITION_WITHIN)
    assert segment["viewers"] == {"start": 1, "end": 1}
    assert segment["created_at"] < segment["started_at"] < segment["finished_at"]
    assert avatar_room.viewer.loud_seconds(asked, end) == pytest.approx(1.5, abs=LENGTH_WITHIN)


async def test_one_after_the_other_in_the_order_they_came(avatar_room: AvatarRoom) -> None:
    asked = time.monotonic()
    made = [await avatar_room.speak(0.6) for _ in range(3)]
    assert [status for status, _ in made] == [202] * 3
    ended = [await avatar_room.finished(segment["id"]) for _, segment in made]
    assert [segment["state"] for segment in ended] == ["finished"] * 3
    assert sorted(segment["started_at"] for segment in ended) == [segment["started_at"] for segment in ended]
    end = await avatar_room.viewer.offset(after=asked)
    assert avatar_room.viewer.loud_seconds(asked, end) == pytest.approx(1.8, abs=2 * LENGTH_WITHIN)


async def test_waiting_until_it_plays_and_looking_while_it_does(avatar_room: AvatarRoom) -> None:
    status, segment = await avatar_room.speak(4, wait="playing", timeout=20)
    assert (status, segment["state"]) == (200, "playing")
    await avatar_room.viewer.onset(after=0)
    room = (await avatar_room.client.get(f"/v1/rooms/{avatar_room.room}")).json()
    assert (room["viewers"], room["queue"], room["playing"]) == (1, 0, segment["id"])
    assert room["avatars"] == [
        {"identity": AVATAR, "profile": "mouthpiece", "ready": True, "queue": 0, "playing": segment["id"]}
    ]
    listed = (await avatar_room.client.get(avatar_room.queue, params={"state": "playing"})).json()["segments"]
    assert [one["id"] for one in listed] == [segment["id"]]
    assert 0 < listed[0]["position"] < 4
    ended = (await avatar_room.client.delete(f"/v1/segments/{segment['id']}")).json()
    assert (ended["state"], ended["interrupted"], ended["receipt"]) == ("interrupted", True, "confirmed")
    assert 0 < ended["position"] < 4


@pytest.mark.parametrize(("queued", "state"), [("keep", "finished"), ("drop", "cancelled")])
async def test_an_interrupt_silences_at_once(avatar_room: AvatarRoom, queued: str, state: str) -> None:
    _, playing = await avatar_room.speak(20, wait="playing", timeout=20)
    _, waiting = await avatar_room.speak(0.8)
    asked = time.monotonic()
    await avatar_room.viewer.onset(after=asked)
    stopped = await avatar_room.client.post(f"/v1/rooms/{avatar_room.room}/interrupt", json={"queued": queued})
    first = stopped.json()["segments"][0]
    assert (first["id"], first["state"], first["receipt"]) == (playing["id"], "interrupted", "confirmed")
    assert 0 < first["position"] < 10
    assert (await avatar_room.finished(waiting["id"]))["state"] == state
    silent = await avatar_room.viewer.offset(after=asked)
    heard = avatar_room.viewer.loud_seconds(asked, silent)
    assert heard < 5


async def test_what_is_not_interruptible_plays_on(avatar_room: AvatarRoom) -> None:
    _, segment = await avatar_room.speak(1.5, wait="playing", timeout=20, interruptible=False)
    assert (await avatar_room.client.post(f"/v1/rooms/{avatar_room.room}/interrupt")).json() == {"segments": []}
    assert (await avatar_room.finished(segment["id"]))["state"] == "finished"


@pytest.mark.timed
async def test_a_sound_that_arrives_as_it_is_spoken_is_heard_without_a_gap(avatar_room: AvatarRoom) -> None:
    """A microphone's blocks of 20 ms. Writes as of a file, of half a second from its third second on, left a silence of
    0.22 s there each time: the avatar had played what it had long before the next write was full. The median of three
    sounds counts: a machine that stands still for a moment holds one of them up."""
    gaps, lengths = [], []
    for _ in range(3):
        sound, asked = Tone(5).samples.tobytes(), time.monotonic()
        answer = await avatar_room.client.post(
            avatar_room.queue,
            content=as_spoken(sound, asked),
            params={"live": "true"},
            headers={"Content-Type": "audio/pcm;rate=16000;channels=1"},
        )
        assert answer.status_code == 202, answer.text
        end = await avatar_room.viewer.offset(after=asked)
        gaps.append(sum(avatar_room.viewer.gaps(asked, end)))
        lengths.append(avatar_room.viewer.loud_seconds(asked, end))
    assert statistics.median(gaps) < GAPS, gaps
    assert statistics.median(lengths) == pytest.approx(5, abs=LENGTH_WITHIN), lengths


@pytest.mark.timed
async def test_of_fifty_that_interrupt_at_once_the_last_accepted_is_heard_within_a_second_and_whole(
    avatar_room: AvatarRoom,
) -> None:
    """Which streams were written to the avatar, and when, is held by tests/unit/sender/test_superseding.py."""
    _, first = await avatar_room.speak(20, wait="playing", timeout=20)
    answers = await asyncio.gather(*(avatar_room.speak(1.2, mode="interrupt") for _ in range(50)))
    assert {status for status, _ in answers} == {202}
    accepted = time.monotonic()
    newest = (await avatar_room.client.get(avatar_room.queue, params={"limit": 51})).json()["segments"]
    last = await avatar_room.finished(newest[0]["id"])
    assert (last["state"], last["receipt"]) == ("finished", "confirmed")
    waited = datetime.fromisoformat(last["started_at"]) - datetime.fromisoformat(last["created_at"])
    assert waited.total_seconds() < 1.0
    silent = await avatar_room.viewer.offset(after=accepted)
    assert avatar_room.viewer.loud_seconds(accepted, silent) == pytest.approx(1.2, abs=0.4), "one was heard, no other"
    ends = [await avatar_room.finished(segment["id"]) for _, segment in answers if segment["id"] != last["id"]]
    ends.append(await avatar_room.finished(first["id"]))
    assert {end["ended_by"] for end in ends} == {"superseded"}
    assert all(end["state"] == ("interrupted" if end["started_at"] else "cancelled") for end in ends)


async def test_one_may_go_first_or_give_way(avatar_room: AvatarRoom) -> None:
    _, first = await avatar_room.speak(20, wait="playing", timeout=20)
    _, ignored = await avatar_room.speak(1, mode="ignore")
    assert ignored["state"] == "ignored"
    status, urgent = await avatar_room.speak(0.8, mode="interrupt", wait="finished", timeout=20)
    assert (status, urgent["state"]) == (200, "finished")
    assert (await avatar_room.finished(first["id"]))["state"] == "interrupted"


async def test_a_room_is_opened_joined_with_its_token_and_ended(
    client: httpx.AsyncClient, livekit: LiveKit, room_name: str
) -> None:
    opened = (await client.post("/v1/rooms", json={"room": room_name, "empty_timeout": 900})).json()
    again = (await client.post("/v1/rooms", json={"room": room_name})).json()
    assert opened["livekit_url"] == livekit.url
    assert opened["identity"] != again["identity"]
    async with Viewer(opened["livekit_url"], opened["token"]) as viewer:
        gone = asyncio.Event()
        viewer.room.on("disconnected", lambda _: gone.set())
        shown = (await client.get(f"/v1/rooms/{room_name}")).json()
        assert (shown["viewers"], shown["avatars"]) == (1, [])
        assert shown["empty_timeout"] == 900
        assert (await client.delete(f"/v1/rooms/{room_name}")).status_code == 204
        async with asyncio.timeout(10):
            await gone.wait()
    assert (await client.get(f"/v1/rooms/{room_name}")).status_code == 404


async def test_ending_a_room_in_mid_sentence(avatar_room: AvatarRoom) -> None:
    _, playing = await avatar_room.speak(20, wait="playing", timeout=20)
    _, waiting = await avatar_room.speak(1)
    assert (await avatar_room.client.delete(f"/v1/rooms/{avatar_room.room}")).status_code == 204
    assert (await avatar_room.finished(playing["id"]))["state"] == "unknown"
    ended = await avatar_room.finished(waiting["id"])
    assert (ended["state"], ended["error"]["type"]) == ("failed", "room-closed")


async def test_a_room_without_an_avatar_ends_with_its_reason(livekit: LiveKit, tmp_path: Path, room_name: str) -> None:
    async with running_service(livekit, tmp_path / "data", avatar_timeout=1.0) as client:
        queue = f"/v1/rooms/{room_name}/segments"
        wait: dict[str, str | int] = {"wait": "finished", "timeout": 20}
        unknown = (await client.post(queue, content=sound_file(), params=wait)).json()
        await client.post("/v1/rooms", json={"room": room_name})
        empty = (await client.post(queue, content=sound_file(), params=wait)).json()
    for segment, reason in ((unknown, "no such room"), (empty, "No avatar")):
        assert (segment["state"], segment["error"]["type"]) == ("failed", "avatar-timeout")
        assert reason in segment["error"]["detail"]


async def test_a_wrong_secret_is_reported_by_every_call_that_needs_livekit(
    livekit: LiveKit, tmp_path: Path, room_name: str
) -> None:
    async with running_service(livekit, tmp_path / "data", livekit_api_secret="wrong" * 10) as client:
        for method, path in (
            ("GET", "/readyz"),
            ("GET", "/v1/rooms"),
            ("POST", "/v1/rooms"),
            ("POST", f"/v1/rooms/{room_name}/segments"),
        ):
            content = sound_file() if "segments" in path else b""
            answer = await client.request(method, path, content=content)
            assert (answer.status_code, answer.json()["type"]) == (503, "livekit-refused"), path
            assert "LIVEKIT_API_SECRET" in answer.json()["detail"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stopped_in_mid_sentence_it_closes_what_is_open_and_goes_on_after_the_next_start(
    avatar: None, livekit: LiveKit, room_name: str, tmp_path: Path, number: signal.Signals
) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mouthpiece_sender", "serve", "--port", str(port)),
        cwd=tmp_path,
        env=environment(livekit, MOUTHPIECE_DATA=str(tmp_path / "data"), MOUTHPIECE_MIN_FREE_MB="0"),
        stderr=asyncio.subprocess.PIPE,
    )
    queue = f"http://127.0.0.1:{port}/v1/rooms/{room_name}/segments"
    async with httpx.AsyncClient(trust_env=False, timeout=30, transport=httpx.AsyncHTTPTransport(retries=8)) as http:
        playing = await http.post(queue, content=sound_file(60), params={"wait": "playing", "timeout": 20})
        assert playing.json()["state"] == "playing", playing.text
        process.send_signal(number)
        signalled = time.monotonic()
        async with asyncio.timeout(20):
            _, said = await process.communicate()
        assert time.monotonic() - signalled < 10
    assert (process.returncode, b"Traceback" in said) == (0, False), said.decode()
    async with running_service(livekit, tmp_path / "data") as client:
        segment = f"/v1/segments/{playing.json()['id']}"
        goes_on = (await client.get(segment)).json()
        assert (goes_on["state"], goes_on["attempts"][0]["state"]) == ("playing", "interrupted")
        stopped = (await client.delete(segment)).json()
        assert (stopped["state"], stopped["receipt"], stopped["ended_by"]) == ("interrupted", "confirmed", "caller")
        wait: dict[str, str | int] = {"wait": "finished", "timeout": 20}
        answer = await client.post(f"/v1/rooms/{room_name}/segments", content=sound_file(0.5), params=wait)
        assert (answer.json()["state"], answer.json()["receipt"]) == ("finished", "confirmed")


@pytest.mark.parametrize("command", [("play", str(LONG)), ("say", "One thing after the other. " * 20)])
async def test_ctrl_c_of_a_command_that_went_through_a_service_stops_the_avatar_too(
    avatar_room: AvatarRoom, livekit: LiveKit, tmp_path: Path, command: tuple[str, ...]
) -> None:
    arguments = (*command, "--room", avatar_room.room, "--service", str(avatar_room.client.base_url))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mouthpiece_sender", *arguments),
        cwd=tmp_path,
        env=environment(livekit),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        while not (
            there := (await avatar_room.client.get(avatar_room.queue, params={"state": "playing"})).json()["segments"]
        ):
            pass
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
    assert (process.returncode, said) == (130, b"")
    assert (await avatar_room.finished(there[0]["id"]))["state"] == "interrupted"
