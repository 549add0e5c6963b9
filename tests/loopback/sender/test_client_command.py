"""The commands as processes: what they are given that is not there, and the ways to end them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.loopback.serving import KEPT

NOBODY = "http://127.0.0.1:9"
"""Discard: nobody is there."""
MORE_THAN_A_PIPE_HOLDS = b" " * 300_000
"""And nothing that could be said."""

CALLED_BACK_AT_THE_END = """
import asyncio, time
from livekit import rtc
from livekit.rtc._ffi_client import FfiQueue
from mouthpiece_sender import cli

class SlowToGo:
    def __del__(self, sleep=time.sleep): sleep(0.5)

slow = SlowToGo()
put = FfiQueue.put

def put_slowly(queue, event):
    put(queue, event)
    time.sleep(0.005)

async def join():
    try:
        await rtc.Room().connect("ws://127.0.0.1:9", "token")
    except rtc.ConnectError:
        print("whole")

FfiQueue.put = put_slowly
cli._main = lambda: asyncio.run(join())
cli.main()
"""
"""LiveKit's thread is in Python when the command ends."""


async def started(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mouthpiece_sender", *arguments),
        cwd=folder,
        env={name: value for name in KEPT if (value := os.environ.get(name))},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """Exit code and standard error; standard input stays open."""
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            said = (await process.stderr.read()).decode()
            return await process.wait(), said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("command", ["play", "say"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_pipe_that_stays_open_does_not_keep_it_from_ending(
    tmp_path: Path, command: str, number: signal.Signals
) -> None:
    process = await started(tmp_path, command, "-", "--room", "demo", "--service", NOBODY)
    assert process.stdin is not None
    process.stdin.write(MORE_THAN_A_PIPE_HOLDS)
    await process.stdin.drain()  # it reads
    process.send_signal(number)
    code, said = await ended(process)
    assert (code, said) == (130, "")


@pytest.mark.parametrize(("file", "said"), [("gone.wav", "No such file"), (".", "directory")])
async def test_a_file_that_is_not_there_is_one_sentence_and_1(tmp_path: Path, file: str, said: str) -> None:
    process = await started(tmp_path, "play", file, "--room", "demo", "--service", NOBODY)
    code, error = await ended(process)
    assert (code, error.count("\n")) == (1, 1), error
    assert said in error


async def test_a_call_from_livekit_at_the_end_does_not_abort_it(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CALLED_BACK_AT_THE_END),
        cwd=tmp_path,
        env={name: value for name in KEPT if (value := os.environ.get(name))},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, error = await process.communicate()
    assert (process.returncode, out) == (0, b"whole\n"), error.decode()
