"""LiveKit, the avatar and the sender's service for the benches, each in a process of its own and on free ports.

Their environment has none of the user's settings, so that a figure is the same on every machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import httpx
import psutil
from livekit import api

from mouthpiece import wire
from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit

ROOM = "bench"
AVATAR = "avatar-mia"
BEHALF = {wire.ATTR_PUBLISH_ON_BEHALF: "agent-bench"}
SETTINGS = ("LIVEKIT_", "MOUTHPIECE_", "AVATAR_", "AVALUMA_", "ANAM_", "AGENT_NAME")


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[LiveKit]:
    """Run a livekit-server; exit with a message if none is installed."""
    binary = livekit_server.find_binary()
    if binary is None:
        sys.exit("no livekit-server on PATH or in the cache: `make livekit-server` builds one")
    async with livekit_server.run_server(binary) as livekit:
        yield livekit


@contextlib.asynccontextmanager
async def process(
    *arguments: str, log: Path | None = None, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a Python program in an empty folder; stop it at the end of the block, with SIGKILL after 10 s.

    :param log: the file that stderr goes to.
    """
    known = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    with tempfile.TemporaryDirectory() as folder, (log or Path(os.devnull)).open("wb") as stderr:
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=folder,
            env=known | environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
        try:
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                running.terminate()
            try:
                await asyncio.wait_for(running.wait(), 10)
            except TimeoutError:
                running.kill()
                await running.wait()


@contextlib.asynccontextmanager
async def avatar(
    livekit: LiveKit, *, log: Path | None = None, program: Sequence[str] = ("-m", "mouthpiece_avatar"), **settings: str
) -> AsyncIterator[psutil.Process]:
    """Run the local avatar, in ``ROOM``; in one process, so that its figures are those of the avatar."""
    port = livekit_server.free_port()
    settings = {"MOUTHPIECE_AVATAR_PROCESSES": "1"} | settings
    async with (
        process(*(*program, "--port", str(port)), log=log, LIVEKIT_URL=livekit.url, **settings) as running,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http,
    ):
        await answers(http, "/healthz")
        await start_avatar(livekit, port)
        yield psutil.Process(running.pid)


async def start_avatar(
    livekit: LiveKit, port: int, room: str = ROOM, identity: str = AVATAR, *, avatar: str = "mia"
) -> None:
    """Ask the avatar server at ``port`` for an avatar."""
    secret = token(livekit, identity, room=room, **BEHALF)
    body = asdict(wire.StartAvatar(livekit.url, secret, "bench", avatar))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
        answer = await http.post(wire.START_AVATAR_PATH, json=body, headers={wire.API_SECRET_HEADER: "bench"})
        answer.raise_for_status()


@contextlib.asynccontextmanager
async def service(
    livekit: LiveKit, *, log: Path | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[httpx.AsyncClient, psutil.Process]]:
    """Run ``mouthpiece serve``; yield a client for it, and its process.

    :param settings: further variables of its environment.
    """
    port = livekit_server.free_port()
    with tempfile.TemporaryDirectory() as data:
        async with (
            process(
                *("-m", "mouthpiece_sender", "serve", "--port", str(port)),
                log=log,
                LIVEKIT_URL=livekit.url,
                LIVEKIT_API_KEY=livekit.api_key,
                LIVEKIT_API_SECRET=livekit.api_secret,
                MOUTHPIECE_DATA=data,
                **(settings or {}),
            ) as running,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
        ):
            await answers(client, "/readyz")
            yield client, psutil.Process(running.pid)


async def answers(client: httpx.AsyncClient, path: str) -> None:
    """Wait until ``path`` is answered with a success.

    :raises RuntimeError: it was not within 30 seconds.
    """
    for _ in range(300):
        with contextlib.suppress(httpx.TransportError):
            if (await client.get(path)).is_success:
                return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{client.base_url} did not answer within 30 seconds")


def token(livekit: LiveKit, identity: str, *, room: str = ROOM, **attributes: str) -> str:
    """Return a token for an agent."""
    grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True)
    made = api.AccessToken(livekit.api_key, livekit.api_secret).with_identity(identity).with_kind("agent")
    return made.with_grants(grants).with_attributes(attributes).to_jwt()
