"""``mouthpiece watch`` as a process: in a terminal, in a pipe, and its end."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from pathlib import Path

import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.serving import KEPT

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
"""The other screen of a terminal, which is gone without a trace."""


async def watching(folder: Path, out: int, *options: str, **environment: str) -> asyncio.subprocess.Process:
    inherited = {name: value for name in KEPT if (value := os.environ.get(name))}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mouthpiece_sender", "watch", *options),
        cwd=folder,
        env=inherited | {"TERM": "xterm-256color", "COLUMNS": "160", "LINES": "40"} | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=out,
        stderr=asyncio.subprocess.PIPE,
    )


class Terminal:
    """What was written to a terminal so far."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self.text = ""

    async def shows(self, *words: str) -> None:
        async with asyncio.timeout(30):
            while not all(word in self.text for word in words):
                self.text += (await asyncio.to_thread(os.read, self._ours, 65_536)).decode(errors="replace")

    def close(self) -> None:
        os.close(self._ours)
        os.close(self.theirs)


async def ended(process: asyncio.subprocess.Process, number: signal.Signals | None = signal.SIGINT) -> tuple[int, str]:
    if number is not None:
        process.send_signal(number)
    async with asyncio.timeout(30):
        assert process.stderr is not None
        said = (await process.stderr.read()).decode()
        return await process.wait(), said


async def test_in_a_terminal_it_is_a_table_that_changes_and_ctrl_c_leaves_no_trace(
    sender: Running, tmp_path: Path
) -> None:
    first = await sender.speak("demo", sound_file(2.0))
    terminal = Terminal()
    process = await watching(tmp_path, terminal.theirs, "--service", sender.url)
    await terminal.shows(ENTER, first["id"], "queued", "Viewers", "of 2.0 s")
    second = await sender.speak("another", sound_file())
    await terminal.shows(second["id"], "another")
    await sender.client.delete(f"/v1/segments/{first['id']}")
    await terminal.shows("cancelled", "by caller")
    code, said = await ended(process)
    await terminal.shows(LEAVE)
    assert (code, said) == (130, "")
    terminal.close()


async def test_in_a_pipe_it_is_a_line_for_each_event(sender: Running, tmp_path: Path) -> None:
    process = await watching(tmp_path, asyncio.subprocess.PIPE, "--service", sender.url, "--room", "demo")
    assert process.stdout is not None
    segments: list[str] = []

    async def speak_until_it_is_seen() -> None:
        while True:  # the stream begins some time after the process
            segments.append((await sender.speak("demo", sound_file()))["id"])
            await sender.speak("another", sound_file())
            await asyncio.sleep(0.2)

    speaking = asyncio.create_task(speak_until_it_is_seen())
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode()
    speaking.cancel()
    assert any(segment in line for segment in segments)
    assert "  demo  segment.queued  " in line
    code, said = await ended(process)
    assert (code, said) == (130, "")
    assert b"another" not in await process.stdout.read()


async def test_json_is_the_event_as_it_is(sender: Running, tmp_path: Path) -> None:
    process = await watching(tmp_path, asyncio.subprocess.PIPE, "--service", sender.url, "--json")
    assert process.stdout is not None

    async def speak() -> None:
        while True:
            await sender.speak("demo", sound_file())
            await asyncio.sleep(0.2)

    speaking = asyncio.create_task(speak())
    async with asyncio.timeout(30):
        event = json.loads(await process.stdout.readline())
    speaking.cancel()
    assert (event["type"], event["segment"]["state"]) == ("segment.queued", "queued")
    assert await ended(process, signal.SIGTERM) == (130, "")


@pytest.mark.parametrize("terminal", [True, False])
async def test_a_service_that_is_not_there_is_one_sentence(tmp_path: Path, terminal: bool) -> None:
    screen = Terminal()
    out = screen.theirs if terminal else asyncio.subprocess.PIPE
    process = await watching(tmp_path, out, "--service", "http://127.0.0.1:9")
    code, said = await ended(process, None)
    assert code == 1
    assert said == (
        "mouthpiece: The service at http://127.0.0.1:9 cannot be reached: start it with `mouthpiece serve`, or name it "
        "with --service.\n"
    )
    screen.close()


async def test_a_key_that_is_missing_is_said(start: Start, tmp_path: Path) -> None:
    async with start(api_keys=["one-key-of-a-service-that-has-one"]) as sender:
        process = await watching(tmp_path, asyncio.subprocess.PIPE, "--service", sender.url)
        code, said = await ended(process, None)
        assert code == 1
        assert "MOUTHPIECE_API_KEY" in said
