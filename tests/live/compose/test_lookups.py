"""Which names the containers look up beyond each other's: the engine asks a name server of ours, which answers none."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest

from tests.live.compose.conftest import DOWN_WITHIN, ROOT, UP_WITHIN, Stack
from tests.live.compose.test_compose import GUARD, SERVICES, spoken_and_heard
from tests.live.missing import missing
from tests.live.ops.name_lookups import question

pytestmark = [pytest.mark.compose, pytest.mark.timeout(400)]

NO_SUCH_NAME = 3


@dataclass
class NameServer:
    """Knows no name, and notes which it was asked for."""

    address: str
    asked: set[str] = field(default_factory=set)

    @contextmanager
    def running(self) -> Iterator[None]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            try:
                ours.bind((self.address, 53))
            except OSError as error:
                missing(f"port 53 of the engine's bridge cannot be taken: {error.strerror}")
            thread = threading.Thread(target=self._answer, args=(ours,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                ours.sendto(b"", ours.getsockname())  # ends the thread
                thread.join()

    def _answer(self, ours: socket.socket) -> None:
        while True:
            query, sender = ours.recvfrom(4096)
            if not query:
                return
            self.asked.add(question(query) or "no question")
            header = query[:2] + bytes([0x81, 0x80 | NO_SUCH_NAME]) + query[4:6] + bytes(6)
            ours.sendto(header + query[12:], sender)


@pytest.fixture
def names(engine: docker.DockerClient) -> Iterator[NameServer]:
    """On the address of the engine's own bridge, which every container reaches."""
    (network,) = engine.networks.list(names=["bridge"])
    server = NameServer(network.attrs["IPAM"]["Config"][0]["Gateway"])
    with server.running():
        yield server


@pytest.fixture
def asking_stack(stack: Stack, engine: docker.DockerClient, names: NameServer, tmp_path: Path) -> Iterator[Stack]:
    """Another project of the same images, whose containers ask ``names``."""
    override = tmp_path / "names.json"
    override.write_text(json.dumps({"services": {name: {"dns": [names.address]} for name in SERVICES}}))
    asking = Stack(engine, settings={"COMPOSE_FILE": f"{ROOT / 'docker-compose.yml'}:{override}"})
    try:
        up = asking.compose("up", "--detach", "--wait", "--wait-timeout", "120", within=UP_WITHIN)
        assert up.returncode == 0, up.stderr[-4000:]
        yield asking
    finally:
        down = asking.compose("down", "--volumes", "--timeout", "20", within=DOWN_WITHIN)
    assert down.returncode == 0, down.stderr[-4000:]


async def test_none_from_the_start_to_the_end_of_speech(asking_stack: Stack, names: NameServer) -> None:
    await spoken_and_heard(asking_stack, "asking")  # how it sounds is not judged here
    assert names.asked - SERVICES - {GUARD} == set()
    ask = "import contextlib, socket\nwith contextlib.suppress(OSError): socket.getaddrinfo('seen.invalid', 80)"
    for service in ("sender", "agents", "avatar"):
        seen = f"{service}.invalid"
        done = await asyncio.to_thread(
            asking_stack.compose, "exec", "-T", service, "python", "-c", ask.replace("seen.invalid", seen), within=60
        )
        assert done.returncode == 0, done.stderr
        assert seen in names.asked, "the name server would not have seen it"
