"""Starts processes, watches them, and stops them in the opposite order, leaving none behind."""

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
from mouthpiece_sender.demo.parent_death import leashed
from mouthpiece_sender.demo.processes import Part

POLL = 0.1
"""Seconds between two looks at a part that is starting."""
GONE = 0.5
"""Seconds that the rest of a part's group has to vanish: where nobody collects it, it is there as a name for ever."""
TAIL = 25
"""Lines of a log that are shown when its part has failed."""

Result = TypeVar("Result")


class PartFailed(DemoFailed):
    """A part did not start or ended by itself; the message says which and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class _Running:
    part: Part
    began: float
    """Monotonic seconds."""
    process: asyncio.subprocess.Process
    ended: asyncio.Task[int]
    log: Path


class Supervisor:
    """Owns the processes of the demo.

    ::

        async with Supervisor(logs, report) as supervisor:
            await supervisor.start(part)
            await supervisor.unless_one_ends(something())

    Each part is the leader of a process group of its own: a Ctrl-C in the terminal reaches us alone, and the parts are
    stopped while those that they need still run.
    """

    def __init__(self, logs: Path, report: Callable[[str], None]) -> None:
        """:param report: told one line about each part that has come up."""
        self._logs = logs
        self._report = report
        self._running: list[_Running] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._running:
            await _stop(self._running.pop())

    async def start(self, *parts: Part) -> None:
        """Starts parts at once and returns when all are ready; what is first here is stopped last.

        :raises PartFailed: one ended, or was not ready in time, or another part ended meanwhile.
        """
        started = []
        for part in parts:
            started.append(await _spawn(part, self._logs / f"{part.name}.log"))
            self._running.append(started[-1])
        for running in started:
            await self._ready(running)

    async def _ready(self, running: _Running) -> None:
        part, log = running.part, running.log
        try:
            async with asyncio.timeout(running.began + part.patience - time.monotonic()):
                await self.unless_one_ends(_answers(part, log))
        except TimeoutError:
            raise PartFailed(
                f"{part.name} was not ready within {part.patience:.0f} s. The end of {log}:\n{await _tail(log)}"
            ) from None
        self._report(f"{part.name:<15} {part.address:<24} ready after {time.monotonic() - running.began:.1f} s")

    async def unless_one_ends(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Does the work; gives up on it as soon as a part ends.

        :raises PartFailed: a part ended by itself.
        """
        task = asyncio.create_task(work)
        ends = {running.ended: running for running in self._running}
        try:
            await asyncio.wait({task, *ends}, return_when=asyncio.FIRST_COMPLETED)
            for ended, running in ends.items():
                if ended.done():
                    raise PartFailed(
                        f"{running.part.name} ended by itself ({_how(ended.result())}). "
                        f"The end of {running.log}:\n{await _tail(running.log)}"
                    )
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _spawn(part: Part, log: Path) -> _Running:
    began = time.monotonic()
    output = await asyncio.to_thread(_open, log)
    try:
        process = await asyncio.create_subprocess_exec(
            *leashed(part.command),
            env=dict(part.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(output)
    return _Running(part, began, process, asyncio.create_task(process.wait()), log)


def _open(log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)


async def _answers(part: Part, log: Path) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(part.health)).is_success and await _has_said(part, log):
                    return
            await asyncio.sleep(POLL)


async def _has_said(part: Part, log: Path) -> bool:
    return part.said is None or part.said in await asyncio.to_thread(log.read_text, errors="replace")


async def _stop(running: _Running) -> None:
    """SIGTERM to the part, which ends its own children; what is left of its group after its grace is killed."""
    if not running.ended.done():
        running.process.send_signal(signal.SIGTERM)
        await asyncio.wait({running.ended}, timeout=running.part.grace)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(running.process.pid, signal.SIGKILL)
        await running.ended
        until = time.monotonic() + GONE
        while time.monotonic() < until:  # being killed takes a moment too
            os.killpg(running.process.pid, 0)
            await asyncio.sleep(0.02)
    await running.ended


async def _tail(log: Path) -> str:
    text = await asyncio.to_thread(log.read_text, errors="replace")
    return "\n".join(f"  {line}" for line in text.splitlines()[-TAIL:]) or "  (nothing)"


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
