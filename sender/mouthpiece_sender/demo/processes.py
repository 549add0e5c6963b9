"""The four processes of the demo: their command lines, ports and environment, and the sign that each is ready."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mouthpiece_sender.demo.livekit_server import LiveKit, server_environment

LOOPBACK = "127.0.0.1"
DEFAULT_PORTS: Mapping[str, int] = {"livekit-server": 7880, "avatar": 8080, "worker": 8081, "sender": 8090}
A_DAY = "86400"
"""Seconds."""
REGISTERED = "registered worker"
"""livekit-agents 1.8.9 logs this once LiveKit has registered the worker; its health check does not show that."""

JOB_ENDS = "the job ends:"
"""The worker logs this, and why, once it does not try to start a room's avatar any more."""


@dataclass(frozen=True, slots=True)
class DemoProcess:
    """One process of the demo."""

    name: str
    """Also the name of its log file."""
    command: Sequence[str]
    environment: Mapping[str, str]
    """The whole environment: nothing is inherited."""
    address: str
    """The URL of its server."""
    health: str
    """A URL that answers with 200 once the process is ready."""
    ready_line: str | None = None
    """A text that its log must contain as well, where the health check alone does not show that it is ready."""
    ready_timeout: float = 120
    """Seconds until it must be ready: many, since imports are slow on a small machine that is busy."""
    stop_timeout: float = 20
    """Seconds from SIGTERM to SIGKILL."""


def choose_ports(names: Sequence[str], is_free: Callable[[int], bool], any_free: Callable[[], int]) -> dict[str, int]:
    """Return the default port of each process, or a free one where the default is in use."""
    defaults = {name: DEFAULT_PORTS[name] for name in names}
    return {name: port if is_free(port) else any_free() for name, port in defaults.items()}


def livekit_process(binary: Path, livekit: LiveKit, environment: Mapping[str, str]) -> DemoProcess:
    """Return the demo's own LiveKit server, on the loopback address and with the key of ``livekit``."""
    url = urlsplit(livekit.url)
    assert url.port is not None
    config = server_environment(url.port, api_key=livekit.api_key, api_secret=livekit.api_secret)
    return DemoProcess(
        name="livekit-server",
        command=[str(binary)],
        environment={**environment, **config},
        address=livekit.url,
        health=f"http://{url.netloc}/",
        stop_timeout=5,
    )


def mouthpiece_processes(
    livekit: LiveKit, ports: Mapping[str, int], data: Path, environment: Mapping[str, str]
) -> list[DemoProcess]:
    """Return avatar, worker and sender, in the order in which they start.

    :param ports: by the name of the process.
    :param data: the folder for the sender's store and sounds.
    :param environment: the user's; settings that the demo must make itself override it.
    """
    avatar, worker, sender = (f"http://{LOOPBACK}:{ports[name]}" for name in ("avatar", "worker", "sender"))
    shared = {
        **environment,
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        # Unique to this run: other workers at the same LiveKit server must not take this room.
        "AGENT_NAME": f"mouthpiece-demo-{secrets.token_hex(4)}",
        "MOUTHPIECE_AVATAR_URL": avatar,
        "MOUTHPIECE_DATA": str(data),
        # The demo is an avatar in a LiveKit room, in spite of any such setting.
        "MOUTHPIECE_TARGET": "livekit",
        "MOUTHPIECE_AVATAR_LIVEKIT_URLS": "",
        "MOUTHPIECE_LIVEKIT_URL_FOR_AVATAR": "",
        # On loopback no key is needed, and the printed commands have none.
        "MOUTHPIECE_API_KEYS": "",
        "MOUTHPIECE_API_KEYS_FILE": "",
        "LIVEKIT_KEY_FILE": "",
        # The avatar stays for a user who opens the page only after half an hour.
        "MOUTHPIECE_EMPTY_ROOM_TIMEOUT": "0",
        "MOUTHPIECE_ROOM_EMPTY_TIMEOUT": A_DAY,
        "MOUTHPIECE_ROOM_DEPARTURE_TIMEOUT": A_DAY,
        # A vendor's server loads an avatar for longer than the sender's default; a start may take 60 s.
        "MOUTHPIECE_AVATAR_TIMEOUT": environment.get("MOUTHPIECE_AVATAR_TIMEOUT", "90"),
        # Ctrl-C in a demo is impatient; what is cut is said in the next one.
        "MOUTHPIECE_DRAIN": "1",
        "PYTHONUNBUFFERED": "1",
    }
    python = [sys.executable, "-m"]
    return [
        DemoProcess(
            name="avatar",
            command=[*python, "mouthpiece_avatar", "--host", LOOPBACK, "--port", str(ports["avatar"])],
            environment=shared | {"MOUTHPIECE_AVATAR_PROCESSES": "1"},  # there is one room
            address=avatar,
            health=f"{avatar}/healthz",
        ),
        DemoProcess(
            name="worker",
            command=[*python, "mouthpiece_agents", "start", "--host", LOOPBACK, "--port", str(ports["worker"])],
            environment=shared,
            address=worker,
            health=f"{worker}/",
            ready_line=REGISTERED,
        ),
        DemoProcess(
            name="sender",
            command=[*python, "mouthpiece_sender", "serve", "--host", LOOPBACK, "--port", str(ports["sender"])],
            environment=shared,
            address=sender,
            health=f"{sender}/readyz",
        ),
    ]
