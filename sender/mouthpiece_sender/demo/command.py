"""The command: start everything, open a room, speak; then wait for Ctrl-C, or check what a viewer receives."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import secrets
import socket
import tempfile
import time
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from mouthpiece.errors import MouthpieceError
from mouthpiece.extras import needs
from mouthpiece.process.env_file import environment_over
from mouthpiece.process.signals import STOP_SIGNALS, hold, stop_signals
from mouthpiece_sender.demo import check as checking
from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.failure import DemoFailed
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.demo.processes import (
    DEFAULT_PORTS,
    JOB_ENDS,
    LOOPBACK,
    choose_ports,
    livekit_process,
    mouthpiece_processes,
)
from mouthpiece_sender.demo.service import Service
from mouthpiece_sender.demo.supervisor import Result, Supervisor
from mouthpiece_sender.demo.toolchain import ToolchainError
from mouthpiece_sender.demo.viewer import Viewer
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi

GREETING = Path("assets/hello_world_16kHz.wav")
LONGER = Path("assets/lighthouse_16kHz.wav")
"""For the printed command: long enough to be interrupted."""
FOLDER = Path(".mouthpiece")
NEEDED: Final = (("agents", "livekit.agents"), ("avatar", "PIL"))
"""The extras of the processes that the demo starts, and a module by which each is recognised."""
AVATAR_WITHIN = 60.0
"""Seconds until the avatar's sound and pictures reach a viewer."""


def run(*, check: bool = False) -> int:
    """Run the demo until Ctrl-C or SIGTERM, or its check; return the exit code.

    0: stopped while it was up, or the check passed; 1: something failed, or the check did not pass; 130: stopped before
    it was up; 2: an extra is not installed.
    """
    if missing := [extra for extra, module in NEEDED if importlib.util.find_spec(module) is None]:
        _print(needs("The demo", *missing))
        return 2
    if not GREETING.is_file():
        _print(f"{GREETING} is not here: run the demo in a checkout of Mouthpiece")
        return 1
    logging.getLogger("livekit").setLevel(logging.ERROR)  # of the viewer in this process; the others have log files
    hold(*STOP_SIGNALS)  # to the end of the process
    return asyncio.run(_until_signal(check))


async def _until_signal(check: bool) -> int:
    stop = asyncio.Event()
    up = asyncio.Event()
    with stop_signals(lambda _: stop.set()):  # a second one changes nothing: stopping is bounded
        work = asyncio.create_task(_demo(check, up))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set() and not work.done():
            _print("\nstopping")
            work.cancel()
        stopping.cancel()
        try:
            return await work
        except asyncio.CancelledError:
            return 0 if up.is_set() else 130
        except (DemoFailed, ToolchainError, MouthpieceError) as error:
            _print(f"\n{error}")
            return 1


async def _demo(check: bool, up: asyncio.Event) -> int:
    environment = environment_over(Path(".env.local"))
    async with AsyncExitStack() as stack:
        supervisor = Supervisor(FOLDER / "logs", lambda line: _print(f"  {line}"))
        await stack.enter_async_context(supervisor)
        data = stack.enter_context(tempfile.TemporaryDirectory()) if check else FOLDER / "data"
        _print("Mouthpiece starts its processes (Ctrl-C stops them):")
        ports = choose_ports(list(DEFAULT_PORTS), _is_free, livekit_server.free_port)
        livekit = await _livekit(environment, supervisor, ports["livekit-server"])
        processes = mouthpiece_processes(livekit, ports, Path(data), environment)
        await supervisor.start(*processes)
        sender = processes[-1].address
        service = await stack.enter_async_context(Service(sender))
        room = "demo" if "LIVEKIT_URL" not in environment else f"demo-{secrets.token_hex(3)}"
        opened = await supervisor.unless_one_ends(service.open_room(room))
        if check:
            return await _with_avatar(supervisor, _check(service, room, opened))
        _print(f"  waiting for the avatar (what the worker does meanwhile: {FOLDER / 'logs' / 'worker.log'})")
        began = time.monotonic()
        spoken = await _with_avatar(supervisor, service.speak(room, GREETING))
        _print(f"  the avatar came and spoke a greeting ({spoken.state}), {time.monotonic() - began:.1f} s\n")
        _print(_invitation(sender, room))
        up.set()
        await supervisor.unless_one_ends(asyncio.Event().wait())
    return 0


async def _with_avatar(supervisor: Supervisor, work: Coroutine[Any, Any, Result]) -> Result:
    """Await ``work`` that needs the room's avatar.

    :raises DemoFailed: a process ended, the avatar does not come, or ``work`` failed; with what the worker logged.
    """
    return await supervisor.unless_one_ends(supervisor.explained_by("worker", JOB_ENDS, work))


async def _livekit(environment: Mapping[str, str], supervisor: Supervisor, port: int) -> LiveKit:
    """Return the server that the settings name, or else start one.

    :raises DemoFailed: the settings name a server without its key or secret, or the new server did not start.
    :raises MouthpieceError: the server in the settings does not answer, or refuses the key.
    :raises ToolchainError: livekit-server could not be built.
    """
    if url := environment.get("LIVEKIT_URL"):
        key, secret = environment.get("LIVEKIT_API_KEY"), environment.get("LIVEKIT_API_SECRET")
        if not key or not secret:
            raise DemoFailed("LIVEKIT_URL is set; LIVEKIT_API_KEY and LIVEKIT_API_SECRET are needed with it")
        async with LiveKitApi(LiveKitAccess.checked(url, key, secret)) as api:
            await api.check()
        return LiveKit(url, key, secret)
    livekit = LiveKit(f"ws://{LOOPBACK}:{port}", livekit_server.DEV_KEY, livekit_server.DEV_SECRET)
    binary = await livekit_server.ensure_binary(_print)
    await supervisor.start(livekit_process(binary, livekit, environment))
    return livekit


async def _check(service: Service, room: str, opened: Mapping[str, Any]) -> int:
    """Speak a file to a viewer in the room and compare what the viewer received; return the exit code."""
    began = time.monotonic()
    async with Viewer(opened["livekit_url"], opened["token"]) as viewer:
        try:
            await viewer.until(lambda: len(viewer.sounds) > 50 and len(viewer.pictures) > 10, AVATAR_WITHIN)
        except TimeoutError:
            raise DemoFailed(
                f"within {AVATAR_WITHIN:.0f} s a viewer of the room got {len(viewer.sounds)} sound frames and "
                f"{len(viewer.pictures)} pictures: the avatar did not come. See {FOLDER / 'logs'}"
            ) from None
        _print(f"  sound and pictures reach a viewer {time.monotonic() - began:.1f} s after the room was opened")
        asked = time.monotonic()
        spoken = await service.speak(room, GREETING)
        await asyncio.sleep(0.5)  # the end of the sound is still in the viewer's jitter buffer
        perceived = checking.perceive(viewer.sounds, viewer.pictures, asked)
    findings = checking.judge(perceived, spoken, await asyncio.to_thread(checking.sounding, GREETING))
    _print(f"\n{GREETING}, spoken:")
    for line in checking.report(findings):
        _print(line)
    good = all(finding.good for finding in findings)
    _print("\nthe demo works" if good else f"\nthe demo does not work as it should; logs: {FOLDER / 'logs'}")
    return 0 if good else 1


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _invitation(sender: str, room: str) -> str:
    url = f"{sender}/v1/rooms/{room}"
    return f"""\
Open the page:

  {sender}/?room={room}

and in another terminal, in this folder:

  curl -X POST -H 'Content-Type: audio/wav' --data-binary @{LONGER} '{url}/segments?wait=playing'
  curl -X POST {url}/interrupt
  curl {url}

Logs: {FOLDER / "logs"}. Ctrl-C stops everything."""


def _print(line: str) -> None:
    print(line, flush=True)
