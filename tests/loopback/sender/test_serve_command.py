"""``mouthpiece serve`` as a process: starting, refusing to, and stopping."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.serving import address, serve

LIVEKIT = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",  # discard: nobody is there
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a-secret-of-thirty-two-characters",
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_asked_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    async with serve(tmp_path, "--port", "0", **LIVEKIT) as serving:
        url = address(await serving.said("listening on"))
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/readyz")).json()["type"] == "livekit-unavailable"
            await serving.said("cannot be reached: check LIVEKIT_URL")
        serving.process.send_signal(number)
        began = time.monotonic()
        code, said = await serving.ended()
    assert (code, "Traceback" in said) == (0, False), said
    assert time.monotonic() - began < 10
    assert LIVEKIT["LIVEKIT_API_SECRET"] not in said


async def test_stopping_ends_open_waits_and_uploads_in_time(tmp_path: Path) -> None:
    async with serve(tmp_path, "--port", "0", **LIVEKIT, MOUTHPIECE_AVATAR_TIMEOUT="60") as serving:
        url = address(await serving.said("listening on"))
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))  # an upload that hangs
        writer.write(f"POST /v1/rooms/x/segments HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9999\r\n\r\nRIFF".encode())
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
            params = {"avatar": "avatar-x", "wait": "finished"}
            sending = client.post("/v1/rooms/demo/segments", content=sound_file(), params=params)
            waiting = asyncio.create_task(sending)
            while not (await client.get("/v1/rooms/demo/segments")).json()["segments"]:
                pass
            serving.process.terminate()
            answer = await waiting
        code, said = await serving.ended()
        writer.close()
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert (code, "Traceback" in said) == (0, False), said


async def test_what_waited_still_waits_after_the_next_start_and_its_name_is_kept(tmp_path: Path) -> None:
    async def once() -> tuple[str, dict[str, str]]:
        async with serve(tmp_path, "--port", "0", **LIVEKIT) as serving:
            url = address(await serving.said("listening on"))
            async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                states = {
                    segment["id"]: segment["state"]
                    for segment in (await client.get("/v1/rooms/demo/segments")).json()["segments"]
                }
                sound = await client.post(
                    "/v1/rooms/demo/segments", content=sound_file(), params={"avatar": "avatar-x"}
                )
            serving.process.kill()
            await serving.ended()
        return sound.json()["id"], states

    first, _ = await once()
    name = (tmp_path / "data" / "instance").read_text()
    _, states = await once()
    assert states == {first: "queued"}
    assert (tmp_path / "data" / "instance").read_text() == name


async def test_a_port_that_is_taken_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with serve(tmp_path, "--port", str(taken.getsockname()[1]), **LIVEKIT) as serving:
            code, said = await serving.ended()
    assert (code, said.count("\n")) == (1, 1), said
    assert "cannot listen on 127.0.0.1" in said


async def test_two_do_not_share_a_data_folder(tmp_path: Path) -> None:
    async with serve(tmp_path, "--port", "0", **LIVEKIT) as one:
        await one.said("listening on")
        async with serve(tmp_path, "--port", "0", **LIVEKIT) as two:
            code, said = await two.ended()
    assert (code, said.count("\n")) == (2, 1), said
    assert "MOUTHPIECE_DATA" in said


async def test_a_data_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with serve(tmp_path, "--port", "0", **LIVEKIT, MOUTHPIECE_DATA=str(tmp_path / "file" / "x")) as serving:
        code, said = await serving.ended()
    assert (code, said.count("\n")) == (2, 1), said
    assert "MOUTHPIECE_DATA" in said


@pytest.mark.parametrize(
    ("options", "environment", "word"),
    [
        ((), {}, "LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET not set"),
        ((), {**LIVEKIT, "LIVEKIT_API_KEY": ""}, "LIVEKIT_API_KEY not set"),
        (("--host", "0.0.0.0"), LIVEKIT, "MOUTHPIECE_API_KEYS"),
        ((), {**LIVEKIT, "MOUTHPIECE_PUBLIC_HOSTS": "https://speak.example.org"}, "name or name:port"),
        ((), {**LIVEKIT, "MOUTHPIECE_API_KEYS": "key,:demo"}, "MOUTHPIECE_API_KEYS"),
        (("--port", "99999"), LIVEKIT, "--port"),
        (("--speed", "9"), LIVEKIT, "--speed"),
    ],
)
async def test_wrong_usage_is_reported_by_name(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], word: str
) -> None:
    async with serve(tmp_path, *options, **environment) as serving:
        code, said = await serving.ended()
    assert (code, "Traceback" in said) == (2, False), said
    assert word in said


async def test_settings_are_read_from_env_local(tmp_path: Path) -> None:
    lines = [f"{name}={value}" for name, value in LIVEKIT.items()]
    (tmp_path / ".env.local").write_text(
        "\n".join([*lines, "MOUTHPIECE_SENDER_PORT=0", "MOUTHPIECE_API_KEYS=a-key-of-16-characters"])
    )
    async with serve(tmp_path, "--host", "0.0.0.0") as serving:
        url = address(await serving.said("listening on")).replace("0.0.0.0", "127.0.0.1")
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            assert (await client.get("/v1/rooms")).status_code == 401
            answer = await client.get("/v1/segments/x", headers={"Authorization": "Bearer a-key-of-16-characters"})
            assert answer.status_code == 404
