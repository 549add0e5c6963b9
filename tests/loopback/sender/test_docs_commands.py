"""Every command of docs/api.md and docs/recipes.md, run as it stands there, against a real service."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import yaml

from mouthpiece_sender.api.problems import KINDS
from mouthpiece_sender.demo.page import run_script
from mouthpiece_sender.demo.toolchain import NODE, find
from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import Running, running
from tests.product_source import ROOT

API, RECIPES = (ROOT / "docs" / name for name in ("api.md", "recipes.md"))
CLIENT = ROOT / "clients" / "typescript"
HERE = "http://127.0.0.1:8090"
"""The service, where the documents write its address out."""
STRICT_CURL = """
curl() { command curl --fail-with-body --silent --show-error --noproxy '*' "$@"; }
date() { command date "$@"; }
"""
"""What a reader sees as an error is one here."""

pytestmark = pytest.mark.timeout(300)


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """No avatar comes, and what waits for one has soon failed."""
    await asyncio.to_thread((tmp_path / "hello.wav").write_bytes, sound_file())
    await asyncio.to_thread((tmp_path / "tone.pcm").write_bytes, samples())
    async with running(tmp_path, avatar_timeout=0.2, allowed_hosts=["n8n.example"], webhook_backoff=0) as started:
        yield started


async def run(folder: Path, *command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=os.environ | {"NO_PROXY": "127.0.0.1", "PYTHONPATH": str(ROOT)} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, f"{command[-1]}\n{said}"
    return said


async def shell(folder: Path, service: Running, commands: str, **environment: str) -> str:
    script = STRICT_CURL + commands.replace(HERE, service.url)
    return await run(folder, "bash", "-euo", "pipefail", "-c", script, B=service.url, KEY="a-key", **environment)


async def listed(service: Running) -> list[str | None]:
    """Texts, the oldest first."""
    page = (await service.client.get("/v1/rooms/demo/segments")).json()
    return [segment["source"]["text"] for segment in reversed(page["segments"])]


async def test_the_commands_of_the_api(service: Running, tmp_path: Path) -> None:
    for commands in blocks(API, "sh"):
        assert await shell(tmp_path, service, commands)
    calls = set(re.findall(r"operationId\": \"(\w+)", (ROOT / "clients" / "openapi.json").read_text()))
    assert len(calls) == 23, "a new call needs an example in docs/api.md, in three languages"


async def test_the_python_of_the_api(service: Running, tmp_path: Path) -> None:
    for code in blocks(API, "python"):
        said = await run(tmp_path, sys.executable, "-c", code.replace(HERE, service.url))
        assert "segment.queued" in said


async def test_the_typescript_of_the_api(service: Running, tmp_path: Path) -> None:
    (code,) = blocks(API, "ts")
    program = CLIENT / "tests" / "from-docs.ts"
    try:
        await asyncio.to_thread(program.write_text, code.replace(HERE, service.url))
        assert await asyncio.to_thread(run_script, CLIENT, "build", print) == 0
        assert await asyncio.to_thread(run_script, CLIENT, "programs", print) == 0
    finally:
        program.unlink()
    node = await asyncio.to_thread(find, NODE, print)
    said = await run(tmp_path, str(node), str(CLIENT / "build" / "tests" / "from-docs.js"))
    assert "segment.queued" in said
    assert "tts-bad-text" in said


async def test_the_commands_of_the_recipes(service: Running, tmp_path: Path) -> None:
    for commands in blocks(RECIPES, "sh"):
        await shell(tmp_path, service, commands)
    assert await listed(service) == [
        *("The backup is done.", "Order 12 has been paid.", None, "First line.", "Second line."),
        *("A new lead has come in.", "A new lead has come in."),
    ]


async def test_the_command_of_home_assistant(service: Running) -> None:
    command, action = (yaml.safe_load(text) for text in blocks(RECIPES, "yaml")[:2])
    given = command["rest_command"][action["action"].removeprefix("rest_command.")]
    assert given["payload"] == '{{ {"text": message} | tojson }}'
    async with httpx.AsyncClient(trust_env=False) as home_assistant:
        answer = await home_assistant.request(
            given["method"].upper(),
            given["url"].replace(HERE, service.url),
            headers=given["headers"] | {"Content-Type": given["content_type"]},
            content=json.dumps({"text": action["data"]["message"]}),
        )
    assert answer.status_code == 202
    assert await listed(service) == ["Somebody is at the door."]


async def test_the_step_of_github_actions(service: Running, tmp_path: Path) -> None:
    (step,) = yaml.safe_load(blocks(RECIPES, "yaml")[2])
    environment = {"TEXT": "The build failed.", "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1"}
    assert set(step["env"]) == {"B", "KEY", "TEXT"}
    await shell(tmp_path, service, step["run"], **environment)
    assert await listed(service) == ["The build failed."]


def test_something_is_said_about_each_error() -> None:
    _, table = RECIPES.read_text().split("## What to do about each error")
    said = {
        slug for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for slug in re.findall(r"`([a-z-]+)`", row)
    }
    ends = {"avatar-silent", "avatar-unheard", "restarted"}  # of segments; no request is answered with them
    assert said - {"type"} == KINDS.keys() | ends
