"""The commands of docs/operations.md, run as they stand there, in order, against ``mouthpiece serve`` as a process.

LiveKit is a server that has no rooms, and notes whose key a call was signed with.
"""

from __future__ import annotations

import asyncio
import http.server
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.serving import Serving, address, serve
from tests.product_source import ROOT

OLD_SECRET, NEW_SECRET = "o" * 32, "n" * 32


def blocks() -> dict[str, list[str]]:
    """The commands under each heading."""
    _, *parts = re.split(r"^## (.*)\n", (ROOT / "docs/operations.md").read_text(), flags=re.MULTILINE)
    found = zip(parts[::2], parts[1::2], strict=True)
    return {heading: re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for heading, text in found}


@dataclass
class EmptyLiveKit:
    url: str = ""
    keys: list[str] = field(default_factory=list)
    """Of each call, in order."""


@contextmanager
def empty_livekit() -> Iterator[EmptyLiveKit]:
    found = EmptyLiveKit()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            token = self.headers["Authorization"].removeprefix("Bearer ")
            key = jwt.decode(token, options={"verify_signature": False})["iss"]
            jwt.decode(token, {"old": OLD_SECRET, "new": NEW_SECRET}[key], algorithms=["HS256"])
            found.keys.append(key)
            self.send_response(200)
            self.send_header("Content-Type", "application/protobuf")
            self.send_header("Content-Length", "0")  # an empty message: no rooms, no participants
            self.end_headers()

        def log_message(self, format: str, *values: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Operator:
    """Somebody at a shell, with the variables of the page."""

    folder: Path
    variables: dict[str, str]

    async def run(self, commands: str) -> str:
        binaries = Path(sys.executable).parent
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", commands),
            cwd=self.folder,
            env={"PATH": f"{binaries}:{os.environ['PATH']}", "MOUTHPIECE_DATA": str(self.folder / "data")}
            | self.variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            said, _ = await shell.communicate()
        assert shell.returncode == 0, f"{commands}\n{said.decode()}"
        return said.decode()

    @asynccontextmanager
    async def service(self, livekit: EmptyLiveKit) -> AsyncIterator[tuple[Serving, httpx.AsyncClient]]:
        settings = {
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_KEY_FILE": "livekit-keys",
            "MOUTHPIECE_API_KEYS_FILE": "keys",
            "MOUTHPIECE_AVATAR_TIMEOUT": "600",
        }
        async with serve(self.folder, "--port", "0", **settings) as serving:
            self.variables["B"] = address(await serving.said("listening on"))
            self.variables["PID"] = str(serving.process.pid)
            async with httpx.AsyncClient(base_url=self.variables["B"], trust_env=False, timeout=20) as client:
                client.headers["Authorization"] = f"Bearer {self.variables['KEY']}"
                yield serving, client


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    (tmp_path / "keys").write_text("a-key\n")
    (tmp_path / "livekit-keys").write_text(f"old: {OLD_SECRET}\n")
    secrets = {"OLD_SECRET": OLD_SECRET, "NEW_SECRET": NEW_SECRET}
    return Operator(tmp_path, {"KEY": "a-key", "NEW_KEY": "another-key"} | secrets)


async def speak(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v1/rooms/demo/segments", content=sound_file(), params={"avatar": "avatar-x"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def states(client: httpx.AsyncClient) -> dict[str, str]:
    listed = (await client.get("/v1/rooms/demo/segments")).json()["segments"]
    return {segment["id"]: segment["state"] for segment in listed}


async def test_watching_backing_up_and_restoring(operator: Operator, tmp_path: Path) -> None:
    commands = blocks()
    with empty_livekit() as livekit:
        async with operator.service(livekit) as (serving, client):
            first, second = await speak(client), await speak(client)
            assert "mouthpiece_segments_queued 2.0" in await operator.run(commands["Watch"][0])
            said = await operator.run(commands["Back up"][0])
            assert "2 segments, 2 of them not ended, 2 sounds" in said
            later = await speak(client)
            await operator.run(commands["Restore"][0])
            assert (await serving.ended())[0] == 0
        operator.variables["SEGMENT"] = second
        async with operator.service(livekit) as (serving, client):
            assert (await client.get("/v1/rooms/demo")).json()["paused"]
            listed = await operator.run(commands["Restore"][1])
            assert first in listed
            assert later not in listed
            assert await states(client) == {first: "queued", second: "cancelled"}
            await operator.run(commands["Stop and upgrade"][0])
            code, log = await serving.ended()
    assert code == 0
    assert "going on with 2 segments" in log
    assert "2 segments, 1 of them not ended, 1 sounds" in await operator.run(commands["Stop and upgrade"][1])
    (aside,) = (tmp_path / "data").glob("before-*")
    assert (aside / "mouthpiece.db").is_file()


async def test_replacing_keys(operator: Operator) -> None:
    commands = blocks()["Replace a key"]
    with empty_livekit() as livekit:
        async with operator.service(livekit) as (serving, client):
            assert (await client.get("/readyz")).status_code == 200
            assert {*livekit.keys} == {"old"}
            await operator.run(commands[0])
            async with asyncio.timeout(20):
                while (await client.get("/v1/voices")).status_code != 401:
                    pass  # the old key goes last
            await operator.run(commands[1])
            async with asyncio.timeout(20):
                while {*livekit.keys} != {"new"}:  # the log may still speak of the signal before
                    livekit.keys.clear()
                    assert (await client.get("/readyz")).status_code == 200
            await serving.said("LIVEKIT_KEY_FILE was read again")
            serving.process.terminate()
            code, log = await serving.ended()
    assert code == 0
    for secret in (OLD_SECRET, NEW_SECRET, "a-key", "another-key"):
        assert secret not in log + "".join(serving.lines)


def test_every_heading_with_commands_is_tried_here() -> None:
    counts = {heading: len(found) for heading, found in blocks().items() if found}
    assert counts == {"Watch": 1, "Back up": 1, "Restore": 2, "Replace a key": 2, "Stop and upgrade": 2}
