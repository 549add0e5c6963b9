"""Each container killed and restarted in mid-speech, all restarted, the daemon too: the next segment is heard."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from livekit import api

from mouthpiece import wire
from mouthpiece_sender.demo import livekit_server
from tests.live.compose.conftest import ROOT, Stack
from tests.live.compose.test_compose import SERVICES, spoken_and_heard
from tests.live.missing import missing

log = logging.getLogger(__name__)

pytestmark = [
    pytest.mark.compose,
    pytest.mark.timeout(300),
    # the viewer's SDK (livekit 1.1.21) drops a handle twice where an avatar is back while it listens to the dead one
    pytest.mark.filterwarnings("ignore:.*FfiHandle.__del__:pytest.PytestUnraisableExceptionWarning"),
]

HEALED_WITHIN = 60.0
"""Seconds from the end of the harm to the health of every service."""
LONG = ROOT / "assets" / "lighthouse_16kHz.wav"
DAEMON = Path("/var/run/docker.pid")
OURS_TO_RESTART = "COMPOSE_TEST_RESTARTS_THE_ENGINE"
"""Set where the engine was started for these tests alone: a restart ends every container of the machine."""


def _restart(stack: Stack, name: str) -> None:
    """As ``docker restart`` does: the container has the time to stop that the compose file gives it."""
    subprocess.run(["docker", "restart", stack.containers()[name].id], check=True, capture_output=True, timeout=150)


def _kill(stack: Stack, name: str) -> None:
    """Kill the service's own process, the child of the container's init, by its number on the host."""
    init = stack.containers()[name].attrs["State"]["Pid"]
    children = Path(f"/proc/{init}/task/{init}/children")
    if not children.exists():
        missing("the engine's processes are not among ours")
    os.kill(int(children.read_text().split()[0]), signal.SIGKILL)


def _restart_all(stack: Stack, _: str) -> None:
    restarted = stack.compose("restart", within=150)
    assert restarted.returncode == 0, restarted.stderr


def _restart_daemon(stack: Stack, _: str) -> None:
    """The daemon ends with its containers (no live-restore), and starts those that were not stopped by hand."""
    if not os.environ.get(OURS_TO_RESTART):
        pytest.skip(f"{OURS_TO_RESTART} is not set: the engine may be used by others")
    daemon = int(DAEMON.read_text())
    command = Path(f"/proc/{daemon}/cmdline").read_bytes().split(b"\0")[:-1]
    os.kill(daemon, signal.SIGTERM)
    deadline = time.monotonic() + 90
    while Path(f"/proc/{daemon}/cmdline").exists() and Path(f"/proc/{daemon}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    nowhere = subprocess.DEVNULL
    subprocess.run([b"setsid", b"--fork", *command], cwd="/", stdin=nowhere, stdout=nowhere, stderr=nowhere, check=True)
    while subprocess.run(["docker", "info"], capture_output=True).returncode:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("harm", "name"),
    [
        *((_kill, name) for name in sorted(SERVICES)),
        *((_restart, name) for name in sorted(SERVICES)),
        (_restart_all, "all"),
        (_restart_daemon, "daemon"),
    ],
)
async def test_the_next_segment_is_heard(stack: Stack, harm: Callable[[Stack, str], None], name: str) -> None:
    # A room of its own: a LiveKit that died has forgotten the room's dispatch, and no viewer is here who asks for the
    # agent (docs/operations.md), so a worker that is restarted after that leaves it alone until it is opened again.
    room = f"heals-{harm.__name__.strip('_')}-{name}"
    _call(stack, "POST", "/v1/rooms", json={"room": room})
    playing = _call(
        stack,
        "POST",
        f"/v1/rooms/{room}/segments",
        params={"wait": "playing", "timeout": 60},
        content=await asyncio.to_thread(LONG.read_bytes),
    )
    assert playing["state"] == "playing", playing
    before = await asyncio.to_thread(_restarts, stack)
    agents = await _agents_and_avatars(stack, room)
    began = time.monotonic()
    await asyncio.to_thread(harm, stack, name)
    done = time.monotonic()
    await _healthy_again(stack, {name} if name in SERVICES else SERVICES, before, done + HEALED_WITHIN)
    if name == "agents":
        # LiveKit lists the agent of a killed worker for some 15 s, and its avatar leaves after it, in mid-speech too
        while len(now := await _agents_and_avatars(stack, room)) < 2 or now & agents:
            assert time.monotonic() < done + HEALED_WITHIN, now
            await asyncio.sleep(0.5)
    healthy = time.monotonic()
    _call(stack, "DELETE", f"/v1/segments/{playing['id']}")  # what was cut goes on by itself, for a minute
    assert await spoken_and_heard(stack, room) == []
    _call(stack, "DELETE", f"/v1/rooms/{room}")
    log.info(
        "%s %s: took %.0f s, healthy %.0f s later, the next segment was heard %.0f s after that",
        *(harm.__name__.strip("_"), name, done - began, healthy - done, time.monotonic() - healthy),
    )


def _call(stack: Stack, method: str, path: str, **request: Any) -> Any:
    headers = {"Authorization": f"Bearer {stack.key}"}
    with httpx.Client(base_url=stack.sender, headers=headers, trust_env=False, timeout=70) as client:
        answer = client.request(method, path, **request)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def _agents_and_avatars(stack: Stack, room: str) -> set[str]:
    """The sessions of the worker's agents and of their avatars that LiveKit lists in the room."""
    url = f"http://127.0.0.1:{stack.ports['LIVEKIT_PORT']}"
    async with api.LiveKitAPI(url, livekit_server.DEV_KEY, livekit_server.DEV_SECRET) as livekit:
        found = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
    return {
        one.sid
        for one in found.participants
        if one.kind == api.ParticipantInfo.Kind.AGENT and not one.identity.startswith(wire.SENDER_IDENTITY_PREFIX)
    }


def _restarts(stack: Stack) -> dict[str, str]:
    """When each container began."""
    return {name: container.attrs["State"]["StartedAt"] for name, container in stack.containers().items()}


async def _healthy_again(stack: Stack, harmed: set[str], before: dict[str, str], deadline: float) -> None:
    while True:
        containers = await asyncio.to_thread(stack.containers)
        states = {name: containers[name].attrs["State"] for name in SERVICES}
        health = {name: (state["Status"], state["Health"]["Status"]) for name, state in states.items()}
        began = all(states[name]["StartedAt"] != before[name] for name in harmed)
        if began and set(health.values()) == {("running", "healthy")}:
            return
        assert time.monotonic() < deadline, health
        await asyncio.sleep(0.5)
