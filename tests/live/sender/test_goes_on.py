"""Kills, restarts and stalls against real processes: states are compared with what a viewer recorded."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import AvatarServer, RunningProcess, environment
from tests.live.sender.conftest import start_avatar
from tests.live.sender.test_livekit_gone import binary  # noqa: F401 - a fixture
from tests.live.sender.tones import TONE, heard, scale
from tests.live.viewer import Viewer, viewer_token

pytestmark = pytest.mark.timed

TWICE = 1.2
"""Seconds that may be heard twice after a stall: what left the avatar until it noticed, of which LiveKit passes on an
unknown part; with some for a busy machine."""


@dataclass
class Service:
    """``mouthpiece_sender serve``, which can be killed and started again with the same data."""

    livekit: LiveKit
    data: Path
    port: int = field(default_factory=livekit_server.free_port)
    process: RunningProcess | None = None
    settings: dict[str, str] = field(default_factory=dict)

    async def start(self) -> None:
        env = environment(self.livekit, MOUTHPIECE_DATA=str(self.data), MOUTHPIECE_MIN_FREE_MB="0", **self.settings)
        command = [sys.executable, "-m", "mouthpiece_sender", "serve", "--port", str(self.port)]
        self.process = await asyncio.to_thread(RunningProcess, command, env, self.data)
        await self.process.says("listening on")

    async def kill(self) -> None:
        assert self.process is not None
        self.process.popen.kill()
        await self.process.ended()
        self.process.__exit__(None, None, None)

    async def stop(self) -> None:
        assert self.process is not None
        self.process.popen.terminate()
        assert await self.process.ended() == 0, self.process.output
        self.process.__exit__(None, None, None)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=30)


@dataclass
class Scene:
    """An avatar in a room, a viewer who records, and a service."""

    room: str
    livekit: LiveKit
    avatar: AvatarServer
    service: Service
    viewer: Viewer
    recording: list[bytes]
    tones: list[range] = field(default_factory=list)
    """Of each segment."""

    async def say(self, seconds: float, **query: Any) -> str:
        """Each segment gets the next tones."""
        first = self.tones[-1].stop if self.tones else 0
        self.tones.append(range(first, first + round(seconds / TONE)))
        body = scale(first, len(self.tones[-1]))
        async with self.service.client() as client:
            answer = await client.post(f"/v1/rooms/{self.room}/segments", content=body, params=query)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["id"])

    async def ended(self, segment: str, timeout: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            with contextlib.suppress(httpx.TransportError):
                async with self.service.client() as client:
                    answer = await client.get(f"/v1/segments/{segment}", params={"wait": "finished", "timeout": 10})
                found = dict(answer.json())
                if found["finished_at"] is not None:
                    return found
                assert time.monotonic() < deadline, found
            await asyncio.sleep(0.2)

    async def until_state(self, segment: str, state: str, timeout: float = 20) -> None:
        deadline = time.monotonic() + timeout
        async with self.service.client() as client:
            while (await client.get(f"/v1/segments/{segment}")).json()["state"] != state:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)

    async def heard(self) -> list[int]:
        await asyncio.sleep(1.0)
        return heard(self.recording, self.tones[-1].stop)


@asynccontextmanager
async def scene(
    livekit: LiveKit, room: str, folder: Path, *, sound_only: bool = True, **settings: str
) -> AsyncIterator[Scene]:
    avatar = await asyncio.to_thread(AvatarServer, livekit, folder)
    service = Service(livekit, folder, settings=settings)
    try:
        await start_avatar(livekit, avatar, room)
        async with Viewer(livekit.url, viewer_token(livekit, room), sound_only=sound_only) as viewer:
            await viewer.ready()
            await service.start()
            with viewer.record_sound() as recording:
                yield Scene(room, livekit, avatar, service, viewer, recording)
    finally:
        if service.process is not None:
            await asyncio.to_thread(service.process.__exit__, *sys.exc_info())
        await asyncio.to_thread(avatar.__exit__, *sys.exc_info())


@pytest.mark.timeout(240)
@pytest.mark.parametrize("ending", ["killed", "stopped"])
async def test_a_service_that_ends_in_mid_speech_goes_on_and_nothing_is_lost_or_said_twice(
    livekit: LiveKit, room_name: str, tmp_path: Path, ending: str
) -> None:
    async with scene(livekit, room_name, tmp_path, MOUTHPIECE_DRAIN="2") as there:
        segments = [await there.say(seconds) for seconds in (8.0 if ending == "stopped" else 6.0, 2.0, 2.0)]
        await there.until_state(segments[0], "playing")
        await asyncio.sleep(2.5)
        await (there.service.kill() if ending == "killed" else there.service.stop())
        await asyncio.sleep(1.0)
        await there.service.start()
        ends = [await there.ended(segment) for segment in segments]
        assert [(end["state"], end["receipt"]) for end in ends] == [("finished", "confirmed")] * 3
        assert [len(end["attempts"]) for end in ends[:1]] == [2]
        assert await there.heard() == list(range(there.tones[-1].stop))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seconds", [5.0, 20.0])
async def test_livekit_that_stalls_in_mid_speech_costs_nothing_that_was_queued(
    binary: Path,  # noqa: F811
    room_name: str,
    tmp_path: Path,
    seconds: float,
) -> None:
    port = livekit_server.free_port()
    async with (
        livekit_server.run_server(binary, port=port) as livekit,
        scene(livekit, room_name, tmp_path, sound_only=False) as there,
    ):
        server = server_on(port)
        segments = [await there.say(3.0) for _ in range(5)]
        await there.until_state(segments[0], "playing")
        await asyncio.sleep(1.0)
        server.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        server.send_signal(signal.SIGCONT)
        continued = time.monotonic()
        ends = [await there.ended(segment, 90) for segment in segments]
        found = await there.heard()
        resumed = await there.viewer.onset(continued)
        assert [(end["state"], end["position"]) for end in ends] == [("finished", pytest.approx(3.0, abs=0.01))] * 5
        assert set(found) == {*range(there.tones[-1].stop)}, "something was not said"
        back = [(one, other) for one, other in itertools.pairwise(found) if other < one]
        assert len(back) <= 1, found
        assert all((one - other - 1) * TONE <= TWICE for one, other in back), found
        assert resumed - continued < 15


@pytest.mark.timeout(240)
async def test_an_avatar_that_is_killed_costs_the_segment_that_played_and_no_other(
    livekit: LiveKit, room_name: str, tmp_path: Path
) -> None:
    async with scene(livekit, room_name, tmp_path) as there:
        segments = [await there.say(seconds) for seconds in (8.0, 2.0, 2.0)]
        await there.until_state(segments[0], "playing")
        await asyncio.sleep(2.0)
        await asyncio.to_thread(there.avatar.kill)
        await asyncio.to_thread(there.avatar.start_again)
        await start_avatar(livekit, there.avatar, room_name)
        ends = [await there.ended(segment) for segment in segments]
        assert [end["state"] for end in ends] == ["unknown", "finished", "finished"]
        assert (ends[0]["ended_by"], ends[0]["receipt"]) == ("avatar", "unknown")
        found = await there.heard()
        assert found == sorted(set(found)), "something was said twice"
        assert set(found) >= {*range(there.tones[1].start, there.tones[-1].stop)}


async def test_a_room_that_is_deleted_in_mid_speech_is_left_by_its_avatar_first(
    livekit: LiveKit, room_name: str, tmp_path: Path
) -> None:
    async with scene(livekit, room_name, tmp_path) as there:
        segment = await there.say(10.0)
        await there.until_state(segment, "playing")
        await asyncio.sleep(1.0)
        async with there.service.client() as client:
            assert (await client.delete(f"/v1/rooms/{room_name}")).status_code == 204
        end = await there.ended(segment)
        assert (end["state"], end["ended_by"], end["error"]["type"]) == ("unknown", "room", "room-closed")
        await there.avatar.process.says("a session ended: a sender asked it to leave", 5)


def server_on(port: int) -> psutil.Process:
    """The livekit-server of this test."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(one.laddr.port == port for one in child.net_connections("tcp") if one.status == "LISTEN"):
                return child
    raise AssertionError(f"nothing of ours listens on {port}")
