"""``mouthpiece serve`` as a process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

KEPT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


class Serving:
    """One process, and what it has written to stderr so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def said(self, word: str) -> str:
        """The line with ``word`` in it, once it is there.

        :raises AssertionError: the process ended without it.
        """
        assert self.process.stderr is not None
        async with asyncio.timeout(30):
            while not (found := [line for line in self.lines if word in line]):
                line = (await self.process.stderr.readline()).decode()
                assert line, "".join(self.lines)
                self.lines.append(line)
        return found[0]

    async def ended(self) -> tuple[int, str]:
        """Exit code and all that was written."""
        async with asyncio.timeout(30):
            _, rest = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, "".join(self.lines) + rest.decode()


@asynccontextmanager
async def serve(
    folder: Path, *options: str, python: str = sys.executable, **environment: str
) -> AsyncIterator[Serving]:
    """Runs it in ``folder``, with nothing in its environment but what it is given."""
    inherited = {name: value for name in KEPT if (value := os.environ.get(name))}
    process = await asyncio.create_subprocess_exec(
        *(python, "-m", "mouthpiece_sender", "serve", *options),
        cwd=folder,
        env=inherited | {"MOUTHPIECE_DATA": str(folder / "data"), "MOUTHPIECE_MIN_FREE_MB": "0"} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Serving(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def address(line: str) -> str:
    return line.split("listening on ")[1].strip()
