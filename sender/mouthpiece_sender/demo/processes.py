"""What the demo consists of: four processes, their ports, their environment and how each says that it is ready."""

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
"""livekit-agents 1.8.9 logs this once LiveKit knows the worker; its health check says nothing of it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the demo."""

    name: str
    """Also the name of its log file."""
    command: Sequence[str]
    environment: Mapping[str, str]
    """All of it: nothing is inherited beside this."""
    address: str
    """Where it answers HTTP."""
    health: str
    """A URL that answers with 200 once it can be used."""
    said: str | None = None
    """What its log says once it can be used, where the health check does not tell."""
    patience: float = 120
    """Seconds until it must be ready: much, since a small machine that does something else too takes long to import."""
    grace: float = 20
    """Seconds that it has to end after SIGTERM before it is killed."""


def choose_ports(names: Sequence[str], is_free: Callable[[int], bool], any_free: Callable[[], int]) -> dict[str, int]:
    """The usual port of each part, another where that one is taken."""
    usual = {name: DEFAULT_PORTS[name] for name in names}
    return {name: port if is_free(port) else any_free() for name, port in usual.items()}


def livekit_part(binary: Path, livekit: LiveKit, environment: Mapping[str, str]) -> Part:
    """A server of the demo's own. ``livekit`` says where and with which key; it is on loopback."""
    url = urlsplit(livekit.url)
    assert url.port is not None
    config = server_environment(url.port, api_key=livekit.api_key, api_secret=livekit.api_secret)
    return Part(
        name="livekit-server",
        command=[str(binary)],
        environment={**environment, **config},
        address=livekit.url,
        health=f"http://{url.netloc}/",
        grace=5,
    )


def our_parts(livekit: LiveKit, ports: Mapping[str, int], data: Path, environment: Mapping[str, str]) -> list[Part]:
    """Avatar, worker and sender, in the order in which they start. ``environment`` is what the user has set."""
    avatar, worker, sender = (f"http://{LOOPBACK}:{ports[name]}" for name in ("avatar", "worker", "sender"))
    shared = {
        **environment,
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        # A name of this run: a worker of somebody else's at the same LiveKit server must not take our room.
        "AGENT_NAME": f"mouthpiece-demo-{secrets.token_hex(4)}",
        "MOUTHPIECE_AVATAR_URL": avatar,
        "MOUTHPIECE_DATA": str(data),
        # The demo is an avatar in a LiveKit room of its own, whatever else is set.
        "MOUTHPIECE_TARGET": "livekit",
        "MOUTHPIECE_AVATAR_LIVEKIT_URLS": "",
        "MOUTHPIECE_LIVEKIT_URL_FOR_AVATAR": "",
        # On loopback no key is needed, and the commands that are printed carry none.
        "MOUTHPIECE_API_KEYS": "",
        # Somebody who reads the README for half an hour before opening the page still finds the avatar there.
        "MOUTHPIECE_EMPTY_ROOM_TIMEOUT": "0",
        "MOUTHPIECE_ROOM_EMPTY_TIMEOUT": A_DAY,
        "MOUTHPIECE_ROOM_DEPARTURE_TIMEOUT": A_DAY,
        "PYTHONUNBUFFERED": "1",
    }
    python = [sys.executable, "-m"]
    return [
        Part(
            name="avatar",
            command=[*python, "mouthpiece_avatar", "--host", LOOPBACK, "--port", str(ports["avatar"])],
            environment=shared,
            address=avatar,
            health=f"{avatar}/healthz",
        ),
        Part(
            name="worker",
            command=[*python, "mouthpiece_agents", "start", "--host", LOOPBACK, "--port", str(ports["worker"])],
            environment=shared,
            address=worker,
            health=f"{worker}/",
            said=REGISTERED,
        ),
        Part(
            name="sender",
            command=[*python, "mouthpiece_sender", "serve", "--host", LOOPBACK, "--port", str(ports["sender"])],
            environment=shared,
            address=sender,
            health=f"{sender}/readyz",
        ),
    ]
