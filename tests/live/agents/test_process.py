"""The worker's process: its start, the messages when it cannot start, and its end, which leaves no process behind."""

from __future__ import annotations

import asyncio
import signal
import socket
import urllib.request
from pathlib import Path

import psutil
import pytest
from livekit import api

from mouthpiece import wire
from mouthpiece.segments import Receipt, State
from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit, free_port
from mouthpiece_sender.livekit import tokens
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from mouthpiece_sender.speaker import Speaker
from tests.live.agents.services import AvatarServer, Rooms, RunningProcess, agents, worker
from tests.live.viewer import Viewer, viewer_token
from tests.loopback.agents.start_avatar_emulator import Answer, emulator

AVATAR = "avatar-mouthpiece"
HELLO = Path(__file__).parents[3] / "assets" / "hello_world_16kHz.wav"

pytestmark = pytest.mark.timeout(240)  # several processes that import for seconds, on a busy machine


def nothing_is_left(process: RunningProcess, family: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    assert "Traceback" not in process.output
    assert "ERROR" not in process.output


@pytest.mark.usefixtures("processes_start_anew")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_a_signal_ends_worker_job_and_avatar(
    livekit: LiveKit,
    avatar_server: AvatarServer,
    rooms: Rooms,
    agent_name: str,
    room_name: str,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
) -> None:
    with worker(livekit, tmp_path, AGENT_NAME=agent_name, MOUTHPIECE_AVATAR_URL=avatar_server.url) as process:
        await process.says("ready: jobs")
        async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
            await rooms.dispatch(room_name)
            await viewer.ready(40)
            family = process.family()
            process.signal(number)
            assert await process.ended() == code
            assert list(await rooms.people(room_name)) == [viewer.room.local_participant.identity]
        nothing_is_left(process, family)


async def test_a_worker_that_is_stopped_lets_its_avatar_say_what_it_says(
    livekit: LiveKit, avatar_server: AvatarServer, rooms: Rooms, agent_name: str, room_name: str, tmp_path: Path
) -> None:
    with worker(livekit, tmp_path, AGENT_NAME=agent_name, MOUTHPIECE_AVATAR_URL=avatar_server.url) as process:
        await process.says("ready: jobs")
        async with (
            Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer,
            Speaker(room_name, url=livekit.url, api_key=livekit.api_key, api_secret=livekit.api_secret) as speaker,
        ):
            await rooms.dispatch(room_name)
            await viewer.ready(40)
            segment = await speaker.play(HELLO)
            await segment.wait("playing", 30)
            process.signal(signal.SIGTERM)
            assert await process.ended() == 0
            heard = await segment.finished(10)
        assert (heard.state, heard.receipt) == (State.FINISHED, Receipt.CONFIRMED)


async def test_a_signal_during_the_start_of_the_avatar_ends_that_too(
    livekit: LiveKit, rooms: Rooms, agent_name: str, room_name: str, tmp_path: Path
) -> None:
    async with (
        emulator(Answer(after=1.5)) as there,
        Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True),
    ):
        with worker(livekit, tmp_path, AGENT_NAME=agent_name, MOUTHPIECE_AVATAR_URL=there.url) as process:
            await process.says("ready: jobs")
            await rooms.dispatch(room_name)
            await asyncio.wait_for(there.called.wait(), 20)
            family = process.family()
            process.signal(signal.SIGTERM)
            assert await process.ended() == 0
            assert there.ended == ["session-1"]
            assert not agents(await rooms.people(room_name))
            nothing_is_left(process, family)


@pytest.mark.usefixtures("processes_start_anew")
@pytest.mark.parametrize("moment", ["starting worker", "HTTP server listening", "initializing process"])
async def test_a_signal_at_any_moment_of_the_start_ends_it(livekit: LiveKit, tmp_path: Path, moment: str) -> None:
    with worker(livekit, tmp_path) as process:
        await process.says(moment)
        family = process.family()
        process.signal(signal.SIGINT)
        assert await process.ended() == 130
        nothing_is_left(process, family)


async def test_running_jobs_may_be_given_time_to_end(
    livekit: LiveKit, avatar_server: AvatarServer, rooms: Rooms, agent_name: str, room_name: str, tmp_path: Path
) -> None:
    values = {
        "AGENT_NAME": agent_name,
        "MOUTHPIECE_AVATAR_URL": avatar_server.url,
        "MOUTHPIECE_AGENTS_DRAIN_TIMEOUT": "30",
        "MOUTHPIECE_EMPTY_ROOM_TIMEOUT": "1",
    }
    with worker(livekit, tmp_path, **values) as process:
        await process.says("ready: jobs")
        async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
            await rooms.dispatch(room_name)
            await viewer.ready(40)
            process.signal(signal.SIGTERM)
            await process.says("waiting up to 30 s for running jobs")
            await viewer.ready(40)
            assert AVATAR in await rooms.people(room_name)
        assert await process.ended() == 0
        assert "Traceback" not in process.output


async def test_the_health_check_answers_on_its_port(livekit: LiveKit, tmp_path: Path) -> None:
    port = free_port()
    with worker(livekit, tmp_path, "--port", str(port)) as process:
        await process.says("ready: jobs")

        def ask() -> int:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return int(answer.status)

        assert await asyncio.to_thread(ask) == 200


async def test_settings_come_from_the_file_in_the_working_folder(livekit: LiveKit, tmp_path: Path) -> None:
    (tmp_path / ".env.local").write_text("AGENT_NAME=from-the-file\n")
    with worker(livekit, tmp_path) as process:
        await process.says("ready: jobs for the agent name from-the-file")


async def test_a_missing_licence_key_for_avaluma_is_named_before_anything_starts(
    livekit: LiveKit, tmp_path: Path
) -> None:
    with worker(livekit, tmp_path, AVATAR_PROVIDER="avaluma", AVATAR_ID="kadda") as process:
        assert await process.ended() == 2
        assert process.output.startswith("AVALUMA_LICENSE_KEY is not set")
        assert len(process.lines) == 1


async def test_a_wrong_api_secret_is_named_and_ends_the_worker(livekit: LiveKit, tmp_path: Path) -> None:
    with worker(livekit, tmp_path, LIVEKIT_API_SECRET="another-secret-of-thirty-two-chars") as process:
        assert await process.ended() == 1
        assert "LiveKit refused the key" in process.output
        assert "Traceback" not in process.output


async def test_a_port_that_is_in_use_is_named_and_ends_the_worker(livekit: LiveKit, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with worker(livekit, tmp_path, MOUTHPIECE_AGENTS_PORT=str(port)) as process:
            assert await process.ended() == 1
            assert f"cannot listen on 127.0.0.1:{port}" in process.output
            assert "Traceback" not in process.output


@pytest.mark.usefixtures("livekit")
async def test_a_worker_that_is_started_before_livekit_waits_for_it(tmp_path: Path) -> None:
    binary = await asyncio.to_thread(livekit_server.find_binary)
    assert binary is not None
    port = free_port()
    later = LiveKit(f"ws://127.0.0.1:{port}", livekit_server.DEV_KEY, livekit_server.DEV_SECRET)
    with worker(later, tmp_path) as process:
        await process.says("LiveKit cannot be reached at LIVEKIT_URL yet")
        async with livekit_server.run_server(binary, port=port):
            await process.says("ready: jobs")
            assert "Traceback" not in process.output


async def test_more_jobs_than_allowed_are_left_to_other_workers(
    livekit: LiveKit, avatar_server: AvatarServer, rooms: Rooms, agent_name: str, room_name: str, tmp_path: Path
) -> None:
    values = {
        "AGENT_NAME": agent_name,
        "MOUTHPIECE_AVATAR_URL": avatar_server.url,
        "MOUTHPIECE_AGENTS_MAX_JOBS": "1",
    }
    with worker(livekit, tmp_path, **values) as full:
        await full.says("ready: jobs")
        async with (
            Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer,
            Viewer(livekit.url, viewer_token(livekit, room_name + "-2"), sound_only=True) as other_viewer,
        ):
            await rooms.dispatch(room_name)
            await viewer.ready(40)
            with worker(livekit, tmp_path, **values) as free:
                await free.says("ready: jobs")
                await rooms.dispatch(room_name + "-2")
                await other_viewer.ready(40)
                assert f"the avatar is in the room  room={room_name}-2" in free.output
                assert f"the avatar is in the room  room={room_name}-2" not in full.output


async def test_a_room_that_was_dispatched_while_no_worker_was_there_gets_its_avatar(
    livekit: LiveKit, avatar_server: AvatarServer, rooms: Rooms, agent_name: str, room_name: str, tmp_path: Path
) -> None:
    values = {"AGENT_NAME": agent_name, "MOUTHPIECE_AVATAR_URL": avatar_server.url}
    async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
        await rooms.dispatch(room_name, '{"avatar": {"id": "noah"}}')
        with worker(livekit, tmp_path, **values):
            await rooms.until(room_name, lambda people: "avatar-noah" in people, timeout=80)
            await viewer.ready(40)
        await rooms.until(room_name, lambda people: len(people) == 1)


async def test_a_worker_that_starts_brings_the_avatar_that_a_viewer_asks_for_where_livekit_has_forgotten_it(
    livekit: LiveKit,
    avatar_server: AvatarServer,
    rooms: Rooms,
    agent_name: str,
    room_name: str,
    tmp_path: Path,
) -> None:
    """As after the death of a livekit-server without Redis, if the avatar is in the room again before the viewer."""
    access = LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)
    await rooms.api.room.create_room(api.CreateRoomRequest(name=room_name))
    token = tokens.viewer_token(
        access, room_name, "anna", agent_name=agent_name, agent_metadata='{"avatar": {"id": "noah"}}'
    )
    async with Viewer(livekit.url, token, sound_only=True) as viewer:
        assert await rooms.dispatches(room_name) == 0
        with worker(livekit, tmp_path, AGENT_NAME=agent_name, MOUTHPIECE_AVATAR_URL=avatar_server.url):
            await rooms.until(room_name, lambda people: "avatar-noah" in people, timeout=60)
            await viewer.ready(40)
            assert await rooms.dispatches(room_name) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_worker_that_is_started_again_starts_the_avatars_again(
    livekit: LiveKit,
    avatar_server: AvatarServer,
    rooms: Rooms,
    agent_name: str,
    room_name: str,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    values = {"AGENT_NAME": agent_name, "MOUTHPIECE_AVATAR_URL": avatar_server.url}
    async with Viewer(livekit.url, viewer_token(livekit, room_name), sound_only=True) as viewer:
        with worker(livekit, tmp_path, **values) as process:
            await process.says("ready: jobs")
            await rooms.dispatch(room_name)
            await viewer.ready(40)
            before = await rooms.people(room_name)
            process.popen.send_signal(number)
            await process.ended()
        with worker(livekit, tmp_path, **values):
            after = await rooms.until(
                room_name,
                lambda people: len(agents(people)) == 1 and agents(people) != agents(before),
                timeout=80,
            )
            await rooms.until(
                room_name,
                lambda people: (
                    AVATAR in people and people[AVATAR].attributes[wire.ATTR_PUBLISH_ON_BEHALF] == agents(after)[0]
                ),
                timeout=30,
            )
            await viewer.ready(40)
