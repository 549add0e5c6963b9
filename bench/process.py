"""A process of a bench that is killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from bench import services


class Process:
    """A process that can be hit and started again.

    :param log: the file that it writes to, over all its lives.
    """

    def __init__(self, *command: str, log: Path, **environment: str) -> None:
        self._command, self._environment, self._log = command, environment, log
        self._folder = tempfile.TemporaryDirectory()
        self.running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        known = {name: value for name, value in os.environ.items() if not name.startswith(services.SETTINGS)}
        with self._log.open("ab") as log:
            await self._start(known | self._environment, log)

    async def _start(self, environment: Mapping[str, str], log: BinaryIO) -> None:
        self.running = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._folder.name,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def hit(self, number: int) -> None:
        assert self.running is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.running.pid, number)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self.running is None:
            return
        self.hit(signal.SIGCONT)
        self.hit(number)
        try:
            await asyncio.wait_for(self.running.wait(), 40)
        except TimeoutError:
            self.hit(signal.SIGKILL)
            await self.running.wait()
