"""The compose file, built and brought up for real, on ports of its own; taken down again whatever happens."""

from __future__ import annotations

import os
import socket
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from docker.models.containers import Container

from mouthpiece_sender.demo.compose_guard import DEV_API_KEY
from mouthpiece_sender.demo.livekit_server import free_port

ROOT = Path(__file__).parents[3]
LOGS = ROOT / ".cache" / "compose" / "containers.log"
BUILD_WITHIN, UP_WITHIN, DOWN_WITHIN = 600, 180, 90
"""Seconds."""


@dataclass
class Stack:
    """A project of the compose file, running."""

    engine: docker.DockerClient
    project: str = field(default_factory=lambda: f"mouthpiece-test-{uuid.uuid4().hex[:8]}")
    ports: dict[str, int] = field(
        default_factory=lambda: {
            "LIVEKIT_PORT": free_port(),
            "LIVEKIT_TCP_PORT": free_port(),
            "LIVEKIT_UDP_PORT": free_port(socket.SOCK_DGRAM),
            "MOUTHPIECE_SENDER_PORT": free_port(),
        }
    )
    key: str = DEV_API_KEY
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def sender(self) -> str:
        return f"http://127.0.0.1:{self.ports['MOUTHPIECE_SENDER_PORT']}"

    def compose(self, *arguments: str, within: float, **more: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "compose", "--project-name", self.project, *arguments]
        ports = {name: str(port) for name, port in self.ports.items()}
        settings = {**ports, "MOUTHPIECE_NETWORK": self.project, **self.settings, **more}
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**_without_settings(), **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
        )

    def containers(self) -> dict[str, Container]:
        """By service."""
        label = "com.docker.compose"
        found: Sequence[Any] = self.engine.containers.list(
            all=True, filters={"label": f"{label}.project={self.project}"}
        )
        return {container.labels[f"{label}.service"]: container for container in found}


def _without_settings() -> dict[str, str]:
    """The environment without anything that would change what is tested; base images may be chosen."""
    ours = ("LIVEKIT_", "MOUTHPIECE_", "AVATAR_", "AVALUMA_", "AGENT_NAME", "COMPOSE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours) or name == "LIVEKIT_IMAGE"}


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except DockerException as error:
        reason = f"no Docker engine answers: {error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="session")
def stack(engine: docker.DockerClient, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Built, up and healthy. What the containers logged is kept where a test failed."""
    stack = Stack(engine)
    built = stack.compose("build", within=BUILD_WITHIN)
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    try:
        up = stack.compose("up", "--detach", "--wait", "--wait-timeout", "120", within=UP_WITHIN)
        assert up.returncode == 0, up.stderr[-4000:] + stack.compose("logs", "--no-color", within=60).stdout[-8000:]
        yield stack
        if request.session.testsfailed:
            LOGS.parent.mkdir(parents=True, exist_ok=True)
            LOGS.write_text(stack.compose("logs", "--no-color", "--timestamps", within=60).stdout)
    finally:
        down = stack.compose("down", "--volumes", "--timeout", "20", within=DOWN_WITHIN)
    assert down.returncode == 0, down.stderr[-4000:]
    assert stack.containers() == {}
