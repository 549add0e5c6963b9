"""The two examples, unchanged, each in a process of its own."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from livekit import api

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import AvatarServer, Rooms, RunningProcess, environment
from tests.live.viewer import Viewer, viewer_token

EXAMPLES = Path(__file__).parents[3] / "examples"
IN_COMPOSE = EXAMPLES.parent / "agents" / "2-agent-with-external-audio" / "agent-2.py"
FINISHED = "finished after 3.9 s, receipt confirmed"

pytestmark = pytest.mark.timeout(240)  # several processes that import for seconds, on a busy machine


async def test_the_example_worker_is_heard_and_leaves_nothing_behind(
    livekit: LiveKit, avatar_server: AvatarServer, room_name: str, tmp_path: Path
) -> None:
    env = environment(livekit, MOUTHPIECE_AVATAR_URL=avatar_server.url)
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        rooms = Rooms(server, "agent-2")
        with RunningProcess([sys.executable, str(EXAMPLES / "agent-2.py"), "dev"], env, tmp_path) as process:
            await process.says("registered worker")
            async with Viewer(livekit.url, viewer_token(livekit, room_name), identity="avatar-mouthpiece") as viewer:
                before = time.monotonic()
                await rooms.dispatch(room_name)
                await viewer.onset(before, 30)
                await process.says(FINISHED)
                process.popen.send_signal(signal.SIGINT)
                assert await process.ended() == 0
                me = viewer.room.local_participant.identity
                await rooms.until(room_name, lambda people: list(people) == [me])
            assert "Traceback" not in process.output
            assert "turn detector" not in process.output  # livekit-agents asks LiveKit's cloud for one, if it may


@pytest.mark.parametrize(
    ("worker", "said"),
    [(EXAMPLES / "agent-2.py", FINISHED), (IN_COMPOSE, "said hello_world_16kHz.wav through avatar-mouthpiece")],
    ids=["example", "compose"],
)
async def test_the_example_worker_joins_a_room_undispatched_and_ends_at_ctrl_c(
    livekit: LiveKit, avatar_server: AvatarServer, room_name: str, tmp_path: Path, worker: Path, said: str
) -> None:
    env = environment(livekit, MOUTHPIECE_AVATAR_URL=avatar_server.url)
    command = [sys.executable, str(worker), "connect", "--room", room_name]
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        with RunningProcess(command, env, tmp_path) as process:
            await process.says(said)
            process.popen.send_signal(signal.SIGINT)
            assert await process.ended() == 0
            await Rooms(server, "agent-2").until(room_name, lambda people: not people)
        assert "Traceback" not in process.output


async def test_the_example_worker_prints_the_error_of_its_simulation(
    livekit: LiveKit, avatar_server: AvatarServer, room_name: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(shutil.copy, EXAMPLES / "agent-2.py", tmp_path)
    (tmp_path / "external_audio_sender.py").write_text("async def run(room):\n    raise OSError('no sound card')\n")
    env = environment(livekit, MOUTHPIECE_AVATAR_URL=avatar_server.url)
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        with RunningProcess([sys.executable, "agent-2.py", "dev"], env, tmp_path) as process:
            await process.says("registered worker")
            async with Viewer(livekit.url, viewer_token(livekit, room_name)):
                await Rooms(server, "agent-2").dispatch(room_name)
                await process.says("the simulation ended: OSError: no sound card")


async def test_the_example_sender_speaks_in_a_room_of_the_worker(
    livekit: LiveKit, rooms: Rooms, running_worker: RunningProcess, room_name: str, tmp_path: Path
) -> None:
    async with Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer:
        await rooms.dispatch(room_name)
        await viewer.ready(40)
        before = time.monotonic()
        command = [sys.executable, str(EXAMPLES / "external_audio_sender.py"), room_name, "0.5"]
        with RunningProcess(command, environment(livekit), tmp_path) as process:
            await process.says(FINISHED, times=2)
            await process.says("\n", times=2)
            process.popen.send_signal(signal.SIGINT)
            assert await process.ended() == 130
            assert "Traceback" not in process.output
        assert viewer.loud_seconds(before) > 2
    assert "Traceback" not in running_worker.output


async def test_the_example_sender_names_missing_settings(livekit: LiveKit, tmp_path: Path) -> None:
    env = {name: value for name, value in environment(livekit).items() if not name.startswith("LIVEKIT_")}
    with RunningProcess([sys.executable, str(EXAMPLES / "external_audio_sender.py"), "demo"], env, tmp_path) as process:
        assert await process.ended() == 1
        assert "LIVEKIT_URL" in process.output
        assert "Traceback" not in process.output
