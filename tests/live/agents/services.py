"""The worker and the avatar server, each in a process of its own, and LiveKit through its server API."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from livekit import api

from mouthpiece_sender.demo.livekit_server import LiveKit, free_port

OURS = ("LIVEKIT_", "AVATAR_", "AVALUMA_", "AGENT_NAME", "MOUTHPIECE_")
"""Variables that only a test sets."""
AVATAR_PROCESSES = "2"
"""As a machine with two cores has them by default. LiveKit's SDK (1.1.21) ends a process with a segmentation fault now
and then, when LiveKit deletes a room that an avatar has just joined: only the avatars of that process go along then."""


def environment(livekit: LiveKit, **values: str) -> dict[str, str]:
    """Return this process's environment without the developer's settings, with LiveKit's address and ``values``."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    access = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
    }
    return clean | access | {"PYTHONUNBUFFERED": "1"} | values


AVALUMA_PLUGIN = os.environ.get("AVALUMA_PLUGIN_FOLDER", str(Path(__file__).parent / "stand_in"))
"""Where Avaluma's plugin is imported from: a stand-in, or the folder into which somebody has installed theirs."""


class RunningProcess:
    """A process whose output is recorded. Leaving the block ends it and all its children."""

    def __init__(self, command: list[str], env: Mapping[str, str], cwd: Path) -> None:
        self.lines: list[str] = []
        self._command = command
        self._more = threading.Condition()
        self.popen = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        family = self.family()
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(20)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        _kill(family)
        self._reader.join(5)
        if self.popen.stdout:
            self.popen.stdout.close()
        if error is not None:
            print(f"--- {' '.join(self._command[1:])}\n" + self.output)  # noqa: T201

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def family(self) -> list[psutil.Process]:
        """Return all its child processes, and theirs."""
        try:
            return psutil.Process(self.popen.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    async def says(self, text: str, timeout: float = 60, times: int = 1) -> None:
        """Wait until the output holds ``text`` ``times`` times.

        :raises AssertionError: it did not within ``timeout`` seconds, or the process has ended.
        """
        await asyncio.to_thread(self.wait_for, text, timeout, times)

    def wait_for(self, text: str, timeout: float = 60, times: int = 1) -> None:
        """Do the same as :meth:`says`, for fixtures without an event loop."""

        def found() -> bool:
            return self.output.count(text) >= times

        with self._more:
            self._more.wait_for(lambda: found() or not self._reader.is_alive(), timeout)
        assert found(), f"{text!r} was not printed {times} time(s) within {timeout} s:\n{self.output}"

    async def ended(self, timeout: float = 45) -> int:
        """Wait for the end of the process and return its exit code.

        :raises subprocess.TimeoutExpired: it did not end within ``timeout`` seconds.
        """
        code = await asyncio.to_thread(self.popen.wait, timeout)
        await asyncio.to_thread(self._reader.join, 5)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group, as a terminal does at Ctrl-C."""
        os.killpg(self.popen.pid, number)

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            with self._more:
                self.lines.append(line)
                self._more.notify_all()
        with self._more:
            self._more.notify_all()


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def worker(livekit: LiveKit, cwd: Path, *arguments: str, **values: str) -> RunningProcess:
    """Start ``python -m mouthpiece_agents``; its health check takes any free port."""
    env = environment(livekit, **{"MOUTHPIECE_AGENTS_PORT": "0", **values})
    return RunningProcess([sys.executable, "-m", "mouthpiece_agents", *arguments], env, cwd)


class AvatarServer:
    """``python -m mouthpiece_avatar``, which can be killed and started again at the same address."""

    def __init__(self, livekit: LiveKit, cwd: Path) -> None:
        self._port = free_port()
        self._env, self._cwd = environment(livekit), cwd
        self.url = f"http://127.0.0.1:{self._port}"
        self.process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.__exit__(kind, error, trace)

    def kill(self) -> None:
        family = self.process.family()
        self.process.popen.kill()
        self.process.popen.wait()
        _kill(family)

    def start_again(self) -> None:
        self.process.__exit__(None, None, None)
        self.process = self._start()

    def _start(self) -> RunningProcess:
        command = [sys.executable, "-m", "mouthpiece_avatar", "--port", str(self._port)]
        process = RunningProcess(command, self._env | {"MOUTHPIECE_AVATAR_PROCESSES": AVATAR_PROCESSES}, self._cwd)
        try:
            _answers(self.url + "/healthz", process)
        except BaseException as error:
            process.__exit__(type(error), error, None)
            raise
        return process


class Rooms:
    """LiveKit seen through its server API."""

    def __init__(self, livekit: api.LiveKitAPI, agent_name: str) -> None:
        self.api = livekit
        self._agent_name = agent_name

    async def dispatch(self, room: str, metadata: str = "") -> None:
        """Dispatch the worker to a room."""
        request = api.CreateAgentDispatchRequest(agent_name=self._agent_name, room=room, metadata=metadata)
        await self.api.agent_dispatch.create_dispatch(request)

    async def dispatches(self, room: str) -> int:
        """Return how many dispatches of the worker LiveKit has for a room."""
        listed = await self.api.agent_dispatch.list_dispatch(room_name=room)
        return sum(dispatch.agent_name == self._agent_name for dispatch in listed)

    async def without_dispatch(self, room: str, timeout: float = 10) -> None:
        """Wait until LiveKit has no dispatch of the worker for a room.

        :raises AssertionError: it still has one after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while await self.dispatches(room):
            assert time.monotonic() < deadline, f"after {timeout} s the dispatch is still there"
            await asyncio.sleep(0.1)

    async def people(self, room: str) -> dict[str, api.ParticipantInfo]:
        """Return the participants of a room by identity; none if the room does not exist."""
        try:
            answer = await self.api.room.list_participants(api.ListParticipantsRequest(room=room))
        except api.TwirpError as error:
            if error.code == api.TwirpErrorCode.NOT_FOUND:
                return {}
            raise
        return {person.identity: person for person in answer.participants}

    async def until(
        self, room: str, condition: Callable[[dict[str, api.ParticipantInfo]], bool], timeout: float = 40
    ) -> dict[str, api.ParticipantInfo]:
        """Wait until ``condition`` holds; return the participants of the room by identity.

        :raises AssertionError: it did not hold within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            people = await self.people(room)
            if condition(people):
                return people
            assert time.monotonic() < deadline, f"after {timeout} s in the room: {sorted(people)}"
            await asyncio.sleep(0.1)


def agents(people: Mapping[str, api.ParticipantInfo]) -> list[str]:
    """Return the identities of the workers' agents."""
    return [identity for identity in people if identity.startswith("agent-")]


def _answers(url: str, process: RunningProcess) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            assert process.popen.poll() is None, f"it ended at once:\n{process.output}"
            assert time.monotonic() < deadline, f"no answer within 60 s:\n{process.output}"
            time.sleep(0.1)
