"""What openapi-python-client makes of the document: it is well typed, and speaks."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import running
from tests.product_source import ROOT

PROGRAM = Path(__file__).parent / "generated_speaks.py"
BINARIES = str(Path(sys.executable).parent)

pytestmark = pytest.mark.timeout(300)  # mypy reads httpx and attrs anew


async def run(*command: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=os.environ | {"PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_it_compiles_under_strict_speaks_waits_lists_interrupts_and_reads_events(tmp_path: Path) -> None:
    folder = tmp_path / "client"
    folder.mkdir()
    document = str(ROOT / "clients" / "openapi.json")
    # What a formatter makes of the generated code is not ours: its hooks are left out.
    await asyncio.to_thread((folder / "config.json").write_text, '{"post_hooks": []}')
    await run(
        *("openapi-python-client", "generate", "--path", document, "--config", "config.json"),
        *("--output-path", "generated", "--meta", "none"),
        folder=folder,
    )
    await asyncio.to_thread(shutil.copy, PROGRAM, folder)
    cache = str(ROOT / ".cache" / "mypy-generated")
    program = PROGRAM.name
    await run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, program, "generated", folder=folder)
    await asyncio.to_thread((folder / "tone.pcm").write_bytes, samples(1))
    await asyncio.to_thread((folder / "tone.wav").write_bytes, sound_file(1))
    async with running(tmp_path) as sender:
        await run(sys.executable, program, sender.url, "tone.pcm", "tone.wav", folder=folder)
