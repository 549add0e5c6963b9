"""The provider avaluma: through our own client, and through the plugin where it is installed (here a stand-in)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import AVALUMA_PLUGIN, Rooms, RunningProcess, worker
from tests.live.viewer import Viewer, viewer_token
from tests.loopback.agents.start_avatar_emulator import Answer, StartAvatarEmulator, emulator

START_TAKES = float(os.environ.get("AVALUMA_START_TAKES", "2"))
"""Seconds."""
AVALUMA_NAMES = (
    ("AVALUMA_LICENSE_KEY", "AVATAR_SERVER_URL", "AVATAR_ID"),
    ("AVALUMA_API_KEY", "AVALUMA_API_URL", "AVALUMA_AVATAR_ID"),
    ("AVALUMA_LICENSE_KEY", "AVALUMA_AVATAR_SERVER_URL", "AVALUMA_AVATAR_ID"),
)
"""Of the licence key, the avatar server and the avatar, as Avaluma's document, its plugin and its server have them."""

pytestmark = pytest.mark.timeout(240 + 2 * START_TAKES)  # several processes that import for seconds, on a busy machine


class RemoteAvatar:
    """Joins with the token that it gets and records the states that it gets; it publishes no video."""

    def __init__(self) -> None:
        self.rooms: list[rtc.Room] = []
        self.states: list[tuple[str, str]] = []
        self._changed = asyncio.Event()

    async def join(self, body: Mapping[str, Any]) -> None:
        room = rtc.Room()
        await room.connect(body["livekit_url"], body["livekit_token"])
        for method in ("user_state_changed", "agent_state_changed"):
            room.local_participant.register_rpc_method(method, self._on_state)
        self.rooms.append(room)
        self._changed.set()

    async def joined(self) -> rtc.Room:
        """Return the first room, once it has joined it: others see it there a moment earlier."""
        async with asyncio.timeout(15):
            while not self.rooms:
                self._changed.clear()
                await self._changed.wait()
        return self.rooms[0]

    async def heard(self, method: str, state: str, times: int = 1) -> None:
        async with asyncio.timeout(15):
            while self.states.count((method, state)) < times:
                self._changed.clear()
                await self._changed.wait()

    async def leave(self) -> None:
        for room in self.rooms:
            await room.disconnect()

    def _on_state(self, call: rtc.RpcInvocationData) -> str:
        self.states.append((call.method, call.payload))
        self._changed.set()
        return "ok"


@pytest.fixture
async def remote() -> AsyncIterator[RemoteAvatar]:
    avatar = RemoteAvatar()
    yield avatar
    await avatar.leave()


@pytest.fixture
async def avaluma(remote: RemoteAvatar) -> AsyncIterator[StartAvatarEmulator]:
    """Avaluma's avatar server with the calls that its plugin uses: none to list sessions, none to end one."""
    async with emulator(Answer(body=b"started")) as there:
        there.on_start = remote.join
        yield there


def avaluma_worker(
    livekit: LiveKit, there: StartAvatarEmulator, agent_name: str, cwd: Path, **values: str
) -> RunningProcess:
    return worker(
        livekit,
        cwd,
        AGENT_NAME=agent_name,
        AVATAR_PROVIDER="avaluma",
        AVATAR_ID="kadda",
        AVALUMA_LICENSE_KEY="licence-1",
        AVATAR_SERVER_URL=there.url,
        **values,
    )


async def test_our_client_starts_the_avatar_sends_it_states_starts_it_again_and_removes_it(
    livekit: LiveKit,
    rooms: Rooms,
    agent_name: str,
    avaluma: StartAvatarEmulator,
    remote: RemoteAvatar,
    room_name: str,
    tmp_path: Path,
) -> None:
    with avaluma_worker(livekit, avaluma, agent_name, tmp_path, MOUTHPIECE_EMPTY_ROOM_TIMEOUT="1") as process:
        await process.says("ready: jobs")
        async with Viewer(livekit.url, viewer_token(livekit, room_name)):
            await rooms.dispatch(room_name)
            await rooms.until(room_name, lambda people: "avatar-kadda" in people)
            await remote.heard("agent_state_changed", "listening")
            await remote.heard("user_state_changed", "listening")

            await remote.rooms[0].disconnect()
            await process.says("the avatar is in the room", times=2)
            await remote.heard("agent_state_changed", "listening", times=2)
        await rooms.until(room_name, lambda people: not people)
        assert avaluma.secrets == ["licence-1", "licence-1"]
        assert [start["avaluma_avatar_id"] for start in avaluma.starts] == ["kadda", "kadda"]
        assert "licence-1" not in process.output


async def test_the_plugin_is_used_where_it_is_installed(
    livekit: LiveKit,
    rooms: Rooms,
    agent_name: str,
    avaluma: StartAvatarEmulator,
    remote: RemoteAvatar,
    room_name: str,
    tmp_path: Path,
) -> None:
    values = {"PYTHONPATH": AVALUMA_PLUGIN, "MOUTHPIECE_EMPTY_ROOM_TIMEOUT": "1"}
    with avaluma_worker(livekit, avaluma, agent_name, tmp_path, **values) as process:
        await process.says("ready: jobs")
        async with Viewer(livekit.url, viewer_token(livekit, room_name)):
            await rooms.dispatch(room_name)
            await process.says("using Avaluma's plugin ")
            await process.says("the avatar is in the room")

            await (await remote.joined()).disconnect()
            await process.says("the avatar is in the room", times=2)
        await rooms.until(room_name, lambda people: not people)
        assert avaluma.secrets == ["licence-1", "licence-1"]


@pytest.mark.parametrize("names", AVALUMA_NAMES, ids=["document", "plugin", "server"])
async def test_the_plugin_starts_one_avatar_by_each_set_of_names_however_long_its_server_loads_it(
    livekit: LiveKit,
    rooms: Rooms,
    agent_name: str,
    avaluma: StartAvatarEmulator,
    remote: RemoteAvatar,
    room_name: str,
    tmp_path: Path,
    names: tuple[str, str, str],
) -> None:
    avaluma.answers = [Answer(body=b"started", after=START_TAKES)]
    values = dict(zip(names, ("licence-1", avaluma.url, "kadda"), strict=True))
    plugin = {"PYTHONPATH": AVALUMA_PLUGIN, "AVATAR_PROVIDER": "avaluma"}
    with worker(livekit, tmp_path, AGENT_NAME=agent_name, **plugin, **values) as process:
        await process.says("ready: jobs")
        async with Viewer(livekit.url, viewer_token(livekit, room_name)):
            await rooms.dispatch(room_name)
            await process.says("using Avaluma's plugin ")
            await process.says("the avatar is in the room", timeout=60 + START_TAKES)
            await remote.joined()
            assert avaluma.secrets == ["licence-1"], f"a second start would load it again: {process.output}"
            assert avaluma.starts[0]["avaluma_avatar_id"] == "kadda"


async def test_a_refused_licence_key_ends_the_job_and_is_logged(
    livekit: LiveKit,
    rooms: Rooms,
    agent_name: str,
    avaluma: StartAvatarEmulator,
    room_name: str,
    tmp_path: Path,
) -> None:
    avaluma.answers = [Answer(401)]
    with avaluma_worker(livekit, avaluma, agent_name, tmp_path) as process:
        await process.says("ready: jobs")
        async with Viewer(livekit.url, viewer_token(livekit, room_name)):
            await rooms.dispatch(room_name)
            await process.says("the job ends: the avatar server refused the licence key (AVALUMA_LICENSE_KEY)")
            await rooms.until(room_name, lambda people: len(people) == 1)
        assert len(avaluma.starts) == 1
        assert "licence-1" not in process.output
        assert "Traceback" not in process.output


async def test_a_server_that_is_down_is_asked_again_until_it_is_up(
    livekit: LiveKit,
    rooms: Rooms,
    agent_name: str,
    avaluma: StartAvatarEmulator,
    room_name: str,
    tmp_path: Path,
) -> None:
    avaluma.answers = [Answer(503), Answer(hang_up=True), Answer()]
    with avaluma_worker(livekit, avaluma, agent_name, tmp_path) as process:
        await process.says("ready: jobs")
        async with Viewer(livekit.url, viewer_token(livekit, room_name)):
            await rooms.dispatch(room_name)
            await process.says("the avatar is in the room")
            assert len(avaluma.starts) == 3
