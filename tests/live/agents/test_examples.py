"""The two examples, run as they are."""

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
from tests.live.agents.parts import AvatarServer, Part, Rooms, environment
from tests.live.viewer import Viewer, viewer_token

EXAMPLES = Path(__file__).parents[3] / "examples"
FINISHED = "finished after 3.9 s, receipt confirmed"

pytestmark = pytest.mark.timeout(240)  # several processes that import for seconds, on a busy machine


async def test_the_example_worker_is_heard_and_leaves_nothing_behind(
    livekit: LiveKit, avatars: AvatarServer, room_name: str, tmp_path: Path
) -> None:
    env = environment(livekit, MOUTHPIECE_AVATAR_URL=avatars.url)
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        rooms = Rooms(server, "agent-2")
        with Part([sys.executable, str(EXAMPLES / "agent-2.py"), "dev"], env, tmp_path) as part:
            await part.says("registered worker")
            async with Viewer(livekit.url, viewer_token(livekit, room_name), identity="avatar-mia") as viewer:
                before = time.monotonic()
                await rooms.dispatch(room_name)
                await viewer.onset(before, 30)
                await part.says(FINISHED)
                part.process.send_signal(signal.SIGINT)
                assert await part.ended() == 0
                me = viewer.room.local_participant.identity
                await rooms.until(room_name, lambda people: list(people) == [me])
            assert "Traceback" not in part.output


async def test_the_example_worker_says_why_its_simulation_ended(
    livekit: LiveKit, avatars: AvatarServer, room_name: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(shutil.copy, EXAMPLES / "agent-2.py", tmp_path)
    (tmp_path / "external_audio_sender.py").write_text("async def run(room):\n    raise OSError('no sound card')\n")
    env = environment(livekit, MOUTHPIECE_AVATAR_URL=avatars.url)
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        with Part([sys.executable, "agent-2.py", "dev"], env, tmp_path) as part:
            await part.says("registered worker")
            async with Viewer(livekit.url, viewer_token(livekit, room_name)):
                await Rooms(server, "agent-2").dispatch(room_name)
                await part.says("the simulation ended: OSError: no sound card")


async def test_the_example_sender_speaks_in_a_room_that_the_worker_keeps(
    livekit: LiveKit, rooms: Rooms, running_worker: Part, room_name: str, tmp_path: Path
) -> None:
    async with Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer:
        await rooms.dispatch(room_name)
        await viewer.ready(40)
        before = time.monotonic()
        command = [sys.executable, str(EXAMPLES / "external_audio_sender.py"), room_name, "0.5"]
        with Part(command, environment(livekit), tmp_path) as part:
            await part.says(FINISHED, times=2)
            await part.says("\n", times=2)
            part.process.send_signal(signal.SIGINT)
            assert await part.ended() == 130
            assert "Traceback" not in part.output
        assert viewer.loud_seconds(before) > 2
    assert "Traceback" not in running_worker.output


async def test_the_example_sender_without_settings_says_which(livekit: LiveKit, tmp_path: Path) -> None:
    env = {name: value for name, value in environment(livekit).items() if not name.startswith("LIVEKIT_")}
    with Part([sys.executable, str(EXAMPLES / "external_audio_sender.py"), "demo"], env, tmp_path) as part:
        assert await part.ended() == 1
        assert "LIVEKIT_URL" in part.output
        assert "Traceback" not in part.output
