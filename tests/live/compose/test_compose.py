"""``docker compose up`` as somebody uses it: healthy, closed to the outside, and heard by a viewer on the host."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from mouthpiece_sender.demo import check
from mouthpiece_sender.demo.check import Finding
from mouthpiece_sender.demo.service import Service
from mouthpiece_sender.demo.viewer import Viewer
from tests.live.compose.conftest import ROOT, Stack

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

SERVICES = {"net", "livekit", "agents", "avatar", "sender"}
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


def test_every_service_runs_and_is_healthy(stack: Stack) -> None:
    containers = stack.containers()
    assert containers.keys() == SERVICES
    states = {name: container.attrs["State"] for name, container in containers.items()}
    assert {name for name, state in states.items() if state["Status"] != "running"} == set()
    health = {name: state["Health"]["Status"] for name, state in states.items() if "Health" in state}
    assert health == dict.fromkeys(SERVICES - {"livekit"}, "healthy")  # LiveKit's image is its binary; `net` asks it


def test_nobody_is_root_and_no_image_can_be_changed(stack: Stack) -> None:
    for name, container in stack.containers().items():
        assert container.attrs["Config"]["User"] not in ("", "root", "0"), name
        assert container.attrs["HostConfig"]["ReadonlyRootfs"], name
        assert container.attrs["HostConfig"]["CapDrop"] == ["ALL"], name


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
    log = stack.containers()["net"].logs().decode()
    assert "DEVELOPMENT KEYS: LIVEKIT_API_SECRET and MOUTHPIECE_API_KEYS must change" in log


def test_development_keys_are_not_published_beyond_this_machine(stack: Stack) -> None:
    refused = stack.compose(
        "run", "--rm", "--no-deps", "--env", "MOUTHPIECE_PUBLISH=0.0.0.0", "net", within=60
    )  # `run` publishes no ports
    assert refused.returncode == 1
    assert "development keys that everybody can read" in refused.stderr + refused.stdout


def test_the_page_is_served(stack: Stack) -> None:
    answer = httpx.get(f"{stack.sender}/", trust_env=False)
    assert answer.status_code == 200
    assert "<title>" in answer.text


def test_nothing_is_spoken_without_the_key(stack: Stack) -> None:
    answer = httpx.post(f"{stack.sender}/v1/rooms", json={}, trust_env=False)
    assert answer.status_code == 401


async def test_a_viewer_on_the_host_hears_and_sees_the_avatar(stack: Stack) -> None:
    assert await spoken_and_heard(stack, "compose") == []


async def test_a_livekit_that_was_restarted_is_found_again(stack: Stack) -> None:
    """The network belongs to none of the parts: one that comes back is where the others look for it."""
    await asyncio.to_thread(stack.containers()["livekit"].restart, timeout=5)
    await _healthy(stack)
    assert await spoken_and_heard(stack, "compose-again") == []


async def _healthy(stack: Stack) -> None:
    """The worker is known to LiveKit again once a dispatch would reach it, which its log tells."""
    deadline = time.monotonic() + 60
    worker = stack.containers()["agents"]
    while (await asyncio.to_thread(worker.logs)).count(b"registered worker") < 2:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.5)
