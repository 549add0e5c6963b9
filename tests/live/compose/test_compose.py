"""``docker compose up`` as somebody uses it: healthy, closed to the outside, and heard by a viewer on the host."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

import docker
import httpx
import pytest
from livekit import api

from mouthpiece_sender.demo import check
from mouthpiece_sender.demo.check import Finding
from mouthpiece_sender.demo.livekit_server import DEV_SECRET
from mouthpiece_sender.demo.service import Service
from mouthpiece_sender.demo.viewer import Viewer
from tests.live.compose.conftest import ROOT, Stack

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

GUARD = "development-keys-stay-on-this-machine"
SERVICES = {"livekit", "agents", "avatar", "sender"}
FILE = ROOT / "assets" / "hello_world_16kHz.wav"


async def spoken_and_heard(stack: Stack, room: str, file: Path = FILE) -> list[Finding]:
    """Opens a room, joins it from the host, speaks a file; what is not as it should be."""
    async with Service(stack.sender, stack.key) as service:
        opened = await service.open_room(room)
        async with Viewer(opened["livekit_url"], opened["token"]) as viewer:
            await viewer.until(lambda: len(viewer.sounds) > 50 and len(viewer.pictures) > 10, timeout=60)
            asked = time.monotonic()
            spoken = await service.speak(room, file)
            await asyncio.sleep(0.5)  # the end is still on its way through the viewer's buffer
            perceived = check.perceive(viewer.sounds, viewer.pictures, asked)
    sounding = await asyncio.to_thread(check.sounding, file)
    return [finding for finding in check.judge(perceived, spoken, sounding) if not finding.good]


def _says(stack: Stack, service: str, text: bytes) -> None:
    """Wait until a container has logged ``text``: LiveKit offers a dispatch once."""
    deadline = time.monotonic() + 60
    while text not in stack.containers()[service].logs():
        assert time.monotonic() < deadline, f"{service} did not say {text!r}"
        time.sleep(0.5)


def test_every_service_runs_and_is_healthy(stack: Stack) -> None:
    containers = stack.containers()
    assert containers.keys() == SERVICES | {GUARD}
    states = {name: container.attrs["State"] for name, container in containers.items()}
    assert (states[GUARD]["Status"], states[GUARD]["ExitCode"]) == ("exited", 0)
    assert {name: states[name]["Health"]["Status"] for name in SERVICES} == dict.fromkeys(SERVICES, "healthy")


def test_nobody_is_root_and_no_image_can_be_changed(stack: Stack) -> None:
    for name, container in stack.containers().items():
        assert container.attrs["Config"]["User"] not in ("", "root", "0"), name
        assert container.attrs["HostConfig"]["ReadonlyRootfs"], name
        assert container.attrs["HostConfig"]["CapDrop"] == ["ALL"], name
        assert container.attrs["HostConfig"]["Memory"] > 0, name
        assert container.attrs["HostConfig"]["PidsLimit"] > 0, name


def test_ports_are_published_on_loopback_alone(stack: Stack) -> None:
    published = [
        binding
        for container in stack.containers().values()
        for bindings in container.attrs["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    ]
    assert {binding["HostIp"] for binding in published} == {"127.0.0.1"}
    assert {int(binding["HostPort"]) for binding in published} == set(stack.ports.values())


def test_the_log_says_that_development_keys_must_change(stack: Stack) -> None:
    log = stack.containers()[GUARD].logs().decode()
    assert "DEVELOPMENT KEYS: LIVEKIT_API_SECRET and MOUTHPIECE_API_KEYS must change" in log


def test_development_keys_are_refused_beyond_this_machine_where_up_was_typed(engine: docker.DockerClient) -> None:
    other = Stack(engine)
    try:
        refused = other.compose("up", "--detach", within=60, MOUTHPIECE_PUBLISH="0.0.0.0")
        states = {name: container.status for name, container in other.containers().items()}
    finally:
        other.compose("down", "--volumes", within=60)
    assert refused.returncode != 0
    assert f'service "{GUARD}" didn\'t complete successfully' in refused.stderr
    assert states[GUARD] == "exited"
    assert {status for name, status in states.items() if name != GUARD} <= {"created"}


def test_a_container_of_another_project_speaks_through_the_sender(stack: Stack) -> None:
    """It is on the network `callers` alone, where it finds the sender by its name and no other part."""
    example = ["docker", "compose", "--project-name", f"{stack.project}-other", "--file", "compose.yml"]
    environment = {**os.environ, "MOUTHPIECE_NETWORK": stack.project, "ROOM": "compose-other"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*example, *arguments],
            cwd=ROOT / "examples" / "microservice",
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
        )

    try:
        spoken = run("up", "--build", "--exit-code-from", "microservice")
    finally:
        run("down", "--rmi", "local")
    assert spoken.returncode == 0, spoken.stdout + spoken.stderr
    assert "segment.finished" in spoken.stdout  # which the webhook brought
    assert "receipt confirmed" in spoken.stdout


def test_the_page_is_served(stack: Stack) -> None:
    answer = httpx.get(f"{stack.sender}/", trust_env=False)
    assert answer.status_code == 200
    assert "<title>" in answer.text


def test_nothing_is_spoken_without_the_key(stack: Stack) -> None:
    answer = httpx.post(f"{stack.sender}/v1/rooms", json={}, trust_env=False)
    assert answer.status_code == 401


async def test_a_viewer_on_the_host_hears_and_sees_the_avatar(stack: Stack) -> None:
    assert await spoken_and_heard(stack, "compose") == []


async def test_the_seeds_own_command_starts_a_worker_that_brings_its_sender(stack: Stack) -> None:
    """As Avaluma's document has it: what is named is started, with what it needs, and speaks in a room of its own."""
    up = await asyncio.to_thread(stack.compose, "up", "livekit-agent-2", "-d", within=90)
    assert up.returncode == 0, up.stderr
    url = f"ws://127.0.0.1:{stack.ports['LIVEKIT_PORT']}"
    async with api.LiveKitAPI(url, "devkey", DEV_SECRET) as livekit:
        dispatch = api.CreateAgentDispatchRequest(agent_name="agent-2", room="compose-document")
        token = (
            api.AccessToken("devkey", DEV_SECRET)
            .with_identity("viewer")
            .with_grants(api.VideoGrants(room_join=True, room="compose-document"))
            .to_jwt()
        )
        await asyncio.to_thread(_says, stack, "livekit-agent-2", b"registered worker")
        async with Viewer(url, token) as viewer:
            await livekit.agent_dispatch.create_dispatch(dispatch)
            await viewer.until(lambda: sum(sound.loud for sound in viewer.sounds) > 50, timeout=60)
            await viewer.until(lambda: len(viewer.pictures) > 10, timeout=10)
    await asyncio.to_thread(stack.compose, "rm", "--stop", "--force", "livekit-agent-2", within=60)
