"""Starts processes, watches them, and stops them and their children in reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from mouthpiece_sender.demo.failure import DemoFailed
from mouthpiece_sender.demo.parent_death import ended_with_parent
from mouthpiece_sender.demo.processes import DemoProcess

POLL = 0.1
"""Seconds between two health checks of a process that is starting."""
GONE_WITHIN = 0.5
"""Seconds to wait for a killed process group to vanish: a zombie that nothing reaps stays in it for ever."""
TAIL = 25
"""Lines of a log that are shown when its process has failed."""

Result = TypeVar("Result")


class ProcessFailed(DemoFailed):
    """A process did not start, or ended by itself; the message names it and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class _Running:
    spec: DemoProcess
    began: float
    """Monotonic seconds."""
    process: asyncio.subprocess.Process
    ended: asyncio.Task[int]
    log: Path


class Supervisor:
    """Owns the processes of the demo.

    ::

        async with Supervisor(logs, report) as supervisor:
            await supervisor.start(process)
            await supervisor.unless_one_ends(work())

    Each process leads a process group of its own: a Ctrl-C in the terminal reaches the demo alone, which stops each
    process while those that it needs still run.
    """

    def __init__(self, logs: Path, report: Callable[[str], None]) -> None:
        """
        :param logs: the folder for the log files, one per process.
        :param report: called with one line for each process that is ready.
        """
        self._logs = logs
        self._report = report
        self._running: list[_Running] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._running:
            await _stop(self._running.pop())

    async def start(self, *processes: DemoProcess) -> None:
        """Start processes at the same time and return when all are ready. The first is stopped last.

        :raises ProcessFailed: one ended, or was not ready in time, or one that ran before ended.
        """
        started = []
        for spec in processes:
            started.append(await _spawn(spec, self._logs / f"{spec.name}.log"))
            self._running.append(started[-1])
        for running in started:
            await self._ready(running)

    async def _ready(self, running: _Running) -> None:
        spec, log = running.spec, running.log
        try:
            async with asyncio.timeout(running.began + spec.ready_timeout - time.monotonic()):
                await self.unless_one_ends(_is_ready(spec, log))
        except TimeoutError:
            raise ProcessFailed(
                f"{spec.name} was not ready within {spec.ready_timeout:.0f} s. The end of {log}:\n{await _tail(log)}"
            ) from None
        self._report(f"{spec.name:<15} {spec.address:<24} ready after {time.monotonic() - running.began:.1f} s")

    async def unless_one_ends(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await ``work`` and return its result; cancel it as soon as a process ends.

        :raises ProcessFailed: a process ended by itself.
        """
        task = asyncio.create_task(work)
        ends = {running.ended: running for running in self._running}
        try:
            await asyncio.wait({task, *ends}, return_when=asyncio.FIRST_COMPLETED)
            for ended, running in ends.items():
                if ended.done():
                    raise ProcessFailed(
                        f"{running.spec.name} ended by itself ({_how(ended.result())}). "
                        f"The end of {running.log}:\n{await _tail(running.log)}"
                    )
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def explained_by(self, name: str, given_up: str, work: Coroutine[Any, Any, Result]) -> Result:
        """Await ``work`` that needs the process ``name``, and return its result; cancel it once the process gave it up.

        :param given_up: the text that the process logs then.
        :raises ProcessFailed: it did, or ``work`` raised ``DemoFailed``; the message shows the end of the log.
        """
        log = next(running.log for running in self._running if running.spec.name == name)
        task = asyncio.create_task(work)
        giving_up = asyncio.create_task(_logged(given_up, log))
        try:
            await asyncio.wait({task, giving_up}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ProcessFailed(f"The {name} gave up. The end of {log}:\n{await _tail(log)}")
            return task.result()
        except ProcessFailed:
            raise
        except DemoFailed as error:
            raise ProcessFailed(f"{error} The end of {log}:\n{await _tail(log)}") from error
        finally:
            task.cancel()
            giving_up.cancel()
            await asyncio.gather(task, giving_up, return_exceptions=True)


async def _logged(text: str, log: Path) -> None:
    while True:
        if text in await asyncio.to_thread(log.read_text, errors="replace"):
            return
        await asyncio.sleep(POLL)


async def _spawn(spec: DemoProcess, log: Path) -> _Running:
    began = time.monotonic()
    output = await asyncio.to_thread(_open, log)
    try:
        process = await asyncio.create_subprocess_exec(
            *ended_with_parent(spec.command),
            env=dict(spec.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(output)
    return _Running(spec, began, process, asyncio.create_task(process.wait()), log)


def _open(log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)


async def _is_ready(spec: DemoProcess, log: Path) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(spec.health)).is_success and await _logs_ready_line(spec, log):
                    return
            await asyncio.sleep(POLL)


async def _logs_ready_line(spec: DemoProcess, log: Path) -> bool:
    return spec.ready_line is None or spec.ready_line in await asyncio.to_thread(log.read_text, errors="replace")


async def _stop(running: _Running) -> None:
    """Send SIGTERM to the process, which ends its children; kill the rest of its group after ``stop_timeout``."""
    if not running.ended.done():
        running.process.send_signal(signal.SIGTERM)
        await asyncio.wait({running.ended}, timeout=running.spec.stop_timeout)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(running.process.pid, signal.SIGKILL)
        await running.ended
        until = time.monotonic() + GONE_WITHIN
        while time.monotonic() < until:  # SIGKILL takes effect a moment later
            os.killpg(running.process.pid, 0)
            await asyncio.sleep(0.02)
    await running.ended


async def _tail(log: Path) -> str:
    text = await asyncio.to_thread(log.read_text, errors="replace")
    return "\n".join(f"  {line}" for line in text.splitlines()[-TAIL:]) or "  (nothing)"


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
