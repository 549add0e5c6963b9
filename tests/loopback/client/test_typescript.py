"""The TypeScript client, and what openapi-typescript makes of the document, in Node.js against a real service."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from pathlib import Path

import pytest

from mouthpiece.webhook_signature import signed
from mouthpiece_sender.demo.page import npm_command, run_script
from mouthpiece_sender.demo.toolchain import NODE, find
from tests.loopback.client.restarting import Restarting
from tests.product_source import ROOT

CLIENT = ROOT / "clients" / "typescript"
pytestmark = pytest.mark.timeout(300)  # npm ci, where lint has not done it
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def programs() -> Path:
    """Compiles the client and the programs under ``strict``."""
    assert run_script(CLIENT, "programs", print) == 0
    return CLIENT / "build" / "tests"


async def run(service: Restarting, program: Path, *arguments: str) -> str:
    """Run a program to its end; each ``lose`` that it writes makes the next answer be lost.

    :return: the number of answers that were lost, and the last line.
    """
    node = await asyncio.to_thread(find, NODE, print)
    process = await asyncio.create_subprocess_exec(
        *(str(node), str(program), service.url, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        said = b""
        async with asyncio.timeout(100):
            while line := await process.stdout.readline():
                said = line
                if line == b"lose\n":
                    service.lose = 1
                    process.stdin.write(b"\n")
            error = (await process.stderr.read()).decode()
            assert await process.wait() == 0, error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return said.decode().strip()


async def test_each_call_survives_a_restart_and_nothing_is_said_twice(programs: Path, tmp_path: Path) -> None:
    body = '{"id": "7", "type": "segment.finished"}'
    headers = signed(SECRET, "evt_7", int(time.time()), body.encode())
    webhook = json.dumps({"secret": SECRET, "headers": dict(headers), "body": body})
    async with Restarting(tmp_path) as service:
        assert await run(service, programs / "own.js", webhook) == "done"
        assert service.restarted == 20


async def test_generated_types_speak_wait_list_interrupt_and_follow(programs: Path, tmp_path: Path) -> None:
    async with Restarting(tmp_path) as service:
        assert await run(service, programs / "generated.js") == "done"


def test_it_can_be_packed(programs: Path) -> None:
    npm = npm_command(find(NODE, print))
    packed = subprocess.run(
        [*npm, "pack", "--dry-run", "--json"], cwd=CLIENT, capture_output=True, text=True, check=True
    )
    (package,) = json.loads(packed.stdout[packed.stdout.index("[") :])
    names = {file["path"] for file in package["files"]}
    assert {"README.md", "package.json", "dist/index.js", "dist/index.d.ts", "dist/schema.d.ts"} <= names
    assert not [name for name in names if name.startswith(("src", "tests", "build", "node_modules"))]
