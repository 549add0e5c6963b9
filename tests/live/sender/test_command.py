"""The command, as a process of its own: its words, its exit codes, and Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from mouthpiece_sender.demo.livekit_server import LiveKit, free_port
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.live.agents.services import environment
from tests.live.sender.conftest import StartReceiver, running_gateway, say

ASSETS = Path(__file__).parents[3] / "assets"
HELLO = str(ASSETS / "hello_world_16kHz.wav")
LONG = str(ASSETS / "lighthouse_16kHz.wav")
TRACEBACK = "Traceback (most recent call last)"


async def started(livekit: LiveKit, cwd: Path, *arguments: str, **values: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mouthpiece_sender",
        *arguments,
        cwd=cwd,
        env=environment(livekit, **values),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process, stdin: bytes | None = None) -> tuple[int, str, str]:
    async with asyncio.timeout(60):
        out, err = await process.communicate(stdin)
    assert TRACEBACK not in err.decode()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def run(livekit: LiveKit, cwd: Path, *arguments: str, **values: Any) -> tuple[int, str, str]:
    stdin = values.pop("stdin", None)
    return await ended(await started(livekit, cwd, *arguments, **values), stdin)


async def test_a_file_is_said_and_the_command_tells_when_it_was_heard(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    async with stock_receiver(room_name) as receiver:
        code, out, _ = await run(livekit, tmp_path, "play", HELLO, "--room", room_name, "--json")
        assert code == 0
        segment = json.loads(out)
        assert (segment["state"], segment["receipt"]) == ("finished", "confirmed")
        heard = await receiver.line()
        assert heard["seconds"] == pytest.approx(segment["audio"]["duration"], abs=0.001)


async def test_it_leaves_no_process_behind(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    started_by_it: set[psutil.Process] = set()
    async with stock_receiver(room_name):
        process = await started(livekit, tmp_path, "play", HELLO, "--room", room_name)
        command = psutil.Process(process.pid)
        ending = asyncio.create_task(ended(process))
        while not ending.done():
            with contextlib.suppress(psutil.NoSuchProcess):
                started_by_it.update(command.children(recursive=True))
            await asyncio.wait([ending], timeout=0.1)
    code, out, error = await ending
    assert (code, out.count("finished"), error) == (0, 1, "")
    assert started_by_it
    assert not [child for child in started_by_it if child.is_running()]


async def test_standard_input_is_said(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    sound = await asyncio.to_thread(Path(HELLO).read_bytes)
    async with stock_receiver(room_name) as receiver:
        code, out, _ = await run(livekit, tmp_path, "play", "-", "--room", room_name, stdin=sound)
        assert code == 0
        assert "finished" in out
        assert (await receiver.line())["interrupted"] is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stopped_in_the_middle_it_closes_the_stream_and_the_receiver_still_listens(
    number: signal.Signals,
    access: LiveKitAccess,
    livekit: LiveKit,
    stock_receiver: StartReceiver,
    room_name: str,
    tmp_path: Path,
) -> None:
    identity = "external-audio-sender"
    async with stock_receiver(room_name) as receiver:
        process = await started(livekit, tmp_path, "play", LONG, "--room", room_name, "--identity", identity)
        await receiver.playing()
        await asyncio.sleep(1)
        assert process.returncode is None
        process.send_signal(number)
        code, _, _ = await ended(process)
        assert code == 130
        assert (await receiver.line())["interrupted"] is True
        async with running_gateway(access, identity=identity) as gateway:
            await say(gateway, room_name, 0.5)
            assert await receiver.line() == {"seconds": 0.5, "interrupted": False}


async def test_ctrl_c_before_there_is_an_avatar_ends_it_at_once(
    livekit: LiveKit, room_name: str, tmp_path: Path
) -> None:
    process = await started(livekit, tmp_path, "play", HELLO, "--room", room_name)
    await asyncio.sleep(2)
    process.send_signal(signal.SIGINT)
    assert (await ended(process))[0] == 130


async def test_no_avatar_in_time_is_3(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    code, _, err = await run(livekit, tmp_path, "play", HELLO, "--room", room_name, "--avatar-timeout", "1")
    assert code == 3
    assert "no such room" in err


async def test_what_is_no_sound_is_1_and_says_so(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    code, _, err = await run(livekit, tmp_path, "play", __file__, "--room", room_name)
    assert code == 1
    assert "not audio" in err


async def test_a_wrong_secret_is_1_and_names_the_variables(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong" * 10)
    code, _, err = await run(livekit, tmp_path, "play", HELLO, "--room", room_name, "--api-secret-file", str(secret))
    assert code == 1
    assert "LIVEKIT_API_SECRET" in err


async def test_livekit_away_is_1_and_says_where_it_was_looked_for(
    livekit: LiveKit, room_name: str, tmp_path: Path
) -> None:
    address = f"ws://127.0.0.1:{free_port()}"
    code, _, err = await run(livekit, tmp_path, "play", HELLO, "--room", room_name, LIVEKIT_URL=address)
    assert code == 1
    assert address in err


async def test_a_missing_setting_is_2_and_named(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    code, _, err = await run(livekit, tmp_path, "play", HELLO, "--room", room_name, LIVEKIT_API_KEY="")
    assert code == 2
    assert "LIVEKIT_API_KEY" in err


async def test_no_service_there_is_1_and_says_how_to_start_one(
    livekit: LiveKit, room_name: str, tmp_path: Path
) -> None:
    service = f"http://127.0.0.1:{free_port()}"
    for command in (["interrupt"], ["play", HELLO]):
        code, _, err = await run(livekit, tmp_path, *command, "--room", room_name, "--service", service)
        assert code == 1
        assert "mouthpiece serve" in err


async def test_loop_says_it_again_and_again_with_the_pause_between(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    async with stock_receiver(room_name) as receiver:
        code, out, _ = await run(
            livekit, tmp_path, "loop", HELLO, "--room", room_name, "--interval", "0.5", "--times", "2"
        )
        assert code == 0
        assert out.count("finished") == 2
        for _ in range(2):
            assert (await receiver.line())["interrupted"] is False


async def test_rooms_lists_the_avatars(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    async with stock_receiver(room_name):
        code, out, _ = await run(livekit, tmp_path, "rooms", "--json")
    assert code == 0
    (found,) = [room for room in json.loads(out)["rooms"] if room["room"] == room_name]
    assert found == {
        "room": room_name,
        "avatars": [{"identity": "avatar-stock", "profile": "avaluma"}],
        "viewers": 0,
    }


async def test_a_token_for_a_reserved_identity_is_refused(livekit: LiveKit, room_name: str, tmp_path: Path) -> None:
    code, out, err = await run(livekit, tmp_path, "token", "--room", room_name, "--identity", "avatar-x")
    assert (code, out) == (1, "")
    assert "avatar-" in err
