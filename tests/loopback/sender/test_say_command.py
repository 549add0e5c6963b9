"""``mouthpiece say -`` as a process, through a service: its lines while the pipe is open, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from mouthpiece_sender.cli.service_destination import AHEAD
from tests.loopback.serving import KEPT

REFUSED = "你好世界。"
TTS_WITH_AN_EXIT = """
import atexit
from mouthpiece.tts import TTS

atexit.register(print, "the voice was put away")

class Voice(TTS):
    async def stream_audio(self, text, *args, **kwargs):
        raise NotImplementedError

    async def stop_audio(self):
        pass
"""


class Service:
    """Accepts sentences but one; they end when the test says."""

    def __init__(self) -> None:
        self.segments: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self._changed = asyncio.Condition()

    async def end(self, index: int, state: str = "finished") -> None:
        self.segments[index]["state"] = state
        async with self._changed:
            self._changed.notify_all()

    async def given(self, count: int) -> list[str]:
        """The sentences that were handed over, once they are so many."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.segments) >= count)
        return [segment["source"]["text"] for segment in self.segments]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")]
        body = await reader.readexactly(int(lengths[0]) if lengths else 0)
        method, address, _ = head.split(" ", 2)
        status, said = await self._answer(method, address, body)
        data = json.dumps(said).encode()
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
        await writer.drain()
        writer.close()

    async def _answer(self, method: str, address: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if method == "POST":
            text = json.loads(body)["text"]
            if text == REFUSED:
                return 422, {"detail": "The voice cannot say this."}
            self.segments.append(segment(len(self.segments), text))
            async with self._changed:
                self._changed.notify_all()
            return 202, self.segments[-1]
        name, _, query = address.rpartition("/")[2].partition("?")
        index = int(name)
        if method == "DELETE":
            self.deleted.append(name)
            await self.end(index, "interrupted")
        if query:
            async with self._changed:
                await self._changed.wait_for(lambda: self.segments[index]["state"] != "playing")
        return 200, self.segments[index]


def segment(index: int, text: str) -> dict[str, Any]:
    return {
        "id": str(index),
        "state": "playing",
        "source": {"name": None, "text": text},
        "position": 1.0,
        "audio": {"duration": 1.0},
        "receipt": "confirmed",
        "error": None,
    }


class Saying:
    """The command, whose pipe stays open until it is ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())
        await self.process.stdin.drain()

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            return (await self.process.stdout.readline()).decode()

    async def ended(self, *, pipe: bool = False) -> tuple[int, str, str]:
        """Exit code and the rest of what it wrote; with ``pipe``, once that has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        if pipe:
            self.process.stdin.close()
        async with asyncio.timeout(30):
            out, error = await asyncio.gather(self.process.stdout.read(), self.process.stderr.read())
            code = await self.process.wait()
        assert not [child for child in psutil.pids() if session(child) == self.process.pid]
        return code, out.decode(), error.decode()


def session(process: int) -> int | None:
    try:
        return os.getsid(process)
    except ProcessLookupError:
        return None


@pytest.fixture
async def service() -> AsyncIterator[tuple[Service, str]]:
    service = Service()
    async with await asyncio.start_server(service.answer, "127.0.0.1", 0) as server:
        yield service, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def saying(folder: Path, url: str, *arguments: str) -> AsyncIterator[Saying]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mouthpiece_sender", "say", "--room", "demo", "--service", url, *arguments),
        cwd=folder,
        env={name: value for name in KEPT if (value := os.environ.get(name))},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Saying(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_refused_sentence_lets_what_was_handed_over_finish_and_ends_it(
    service: tuple[Service, str], tmp_path: Path
) -> None:
    at, url = service
    async with saying(tmp_path, url, "-") as command:
        await command.write("This is long.")
        await at.given(1)
        await command.write(f"{REFUSED} Then the end.")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await command.process.wait()
        assert at.deleted == []
        await at.end(0)
        code, out, error = await command.ended()
    assert (code, out) == (1, "0: finished, 1.00 of 1.00 s, confirmed\n")
    assert error == "mouthpiece: The voice cannot say this.\n"
    assert (await at.given(1), at.deleted) == (["This is long."], [])


async def test_for_a_machine_a_refusal_is_a_line_too(service: tuple[Service, str], tmp_path: Path) -> None:
    at, url = service
    async with saying(tmp_path, url, "-", "--json") as command:
        await command.write("This is long.")
        await at.given(1)
        await at.end(0)
        await command.write(REFUSED)
        code, out, error = await command.ended()
    said, refused = map(json.loads, out.splitlines())
    assert (code, said["state"]) == (1, "finished")
    assert refused == {"error": {"type": "service", "detail": "The voice cannot say this."}}
    assert error == "mouthpiece: The voice cannot say this.\n"


@pytest.mark.parametrize("option", [None, "--json", "--no-wait"])
async def test_each_sentence_is_reported_while_the_pipe_goes_on(
    service: tuple[Service, str], tmp_path: Path, option: str | None
) -> None:
    at, url = service
    async with saying(tmp_path, url, "-", *([option] if option else [])) as command:
        for index, text in enumerate(["One is here.", "Two is here."]):
            await command.write(text)
            await at.given(index + 1)
            if option != "--no-wait":
                await at.end(index)
            line = await command.line()
            state = "playing" if option == "--no-wait" else "finished"
            if option == "--json":
                assert json.loads(line)["state"] == state
            else:
                assert line.startswith(f"{index}: {state}")
        assert await command.ended(pipe=True) == (0, "", "")
    assert at.deleted == []


async def test_one_that_fails_is_reported_at_once_and_the_next_one_is_said(
    service: tuple[Service, str], tmp_path: Path
) -> None:
    at, url = service
    async with saying(tmp_path, url, "-") as command:
        await command.write("One is here.")
        await at.given(1)
        await at.end(0, "failed")
        assert command.process.stderr is not None
        async with asyncio.timeout(10):
            assert (await command.process.stderr.readline()).startswith(b"mouthpiece: 0: failed")
        await command.write("Two is here.")
        await at.given(2)
        await at.end(1)
        code, out, error = await command.ended(pipe=True)
    assert (code, out[:11], error) == (1, "1: finished", "")


async def test_only_some_wait_at_the_service_and_ctrl_c_takes_them_back(
    service: tuple[Service, str], tmp_path: Path
) -> None:
    at, url = service
    async with saying(tmp_path, url, "-", "--no-wait") as command:
        await command.write(" ".join(f"This is sentence {number}." for number in range(AHEAD + 3)))
        for index in range(AHEAD):
            assert (await command.line()).startswith(f"{index}: playing")
        await asyncio.sleep(0.5)
        assert len(at.segments) == AHEAD
        await at.end(0)
        assert (await command.line()).startswith(f"{AHEAD}: playing")
        command.process.send_signal(signal.SIGINT)
        assert await command.ended() == (130, "", "")
    assert at.deleted == [str(index) for index in reversed(range(AHEAD + 1))]


async def test_what_is_to_happen_at_exit_happens_and_the_output_is_whole(
    service: tuple[Service, str], tmp_path: Path
) -> None:
    _, url = service
    await asyncio.to_thread((tmp_path / "my_voice.py").write_text, TTS_WITH_AN_EXIT)
    async with saying(tmp_path, url, "Hello.", "--tts", "my_voice:Voice", "--json") as command:
        code, out, error = await command.ended(pipe=True)
    refused, put_away = out.splitlines()
    assert (code, json.loads(refused)["error"]["type"]) == (2, "configuration")
    assert put_away == "the voice was put away"
    assert error.count("\n") == 1
