"""``mouthpiece serve`` stops at each moment at which it is asked to: while it starts, works, and closes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.loopback.sender.test_serve_command import LIVEKIT

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])

ASKED_AMONG_ITS_IMPORTS = """
import os, signal, sys
import dotenv
from mouthpiece_sender import cli

dotenv.load_dotenv = lambda **_: os.kill(os.getpid(), signal.SIGTERM)
sys.argv = ["mouthpiece", "serve", "--port", "0"]
cli.main()
"""
ASKED_AGAIN_ONCE_IT_HAS_STOPPED = """
import asyncio, os, signal, sys
from mouthpiece_sender import cli

number, run = int(sys.argv[1]), asyncio.run

def run_and_ask(work):
    run(work)
    os.kill(os.getpid(), number)

asyncio.run = run_and_ask
sys.argv = ["mouthpiece", "serve", "--port", "0"]
cli.main()
"""


async def started(folder: Path, *arguments: str | Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        cwd=folder,
        env=os.environ | LIVEKIT | {"MOUTHPIECE_DATA": str(folder / "data")},
        stderr=asyncio.subprocess.PIPE,
    )


async def until_it_listens(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while b"listening on" not in (line := await process.stderr.readline()):
            assert line, "it ended"


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_sigterm_among_its_imports_stops_it_once_it_runs(tmp_path: Path) -> None:
    code, said = await ended(await started(tmp_path, "-c", ASKED_AMONG_ITS_IMPORTS))
    assert (code, "Traceback" in said) == (0, False), said
    assert "stopping" in said


@BOTH
async def test_one_more_signal_while_it_closes_changes_nothing(tmp_path: Path, number: signal.Signals) -> None:
    process = await started(tmp_path, "-c", ASKED_AGAIN_ONCE_IT_HAS_STOPPED, str(int(number)))
    await until_it_listens(process)
    process.terminate()
    code, said = await ended(process)
    assert (code, "Traceback" in said) == (0, False), said


async def test_it_stops_with_a_thousand_callbacks_pending(tmp_path: Path) -> None:
    process = await started(tmp_path, Path(__file__).parents[1] / "flooded.py", "sender", "--port", "0")
    await until_it_listens(process)
    await asyncio.sleep(0.5)
    process.terminate()
    code, said = await ended(process)
    assert (code, "Traceback" in said, "Exception ignored" in said) == (0, False, False), said
