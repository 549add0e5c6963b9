"""One process that runs sessions, as the server sees it. ``mouthpiece_avatar.processes.child`` is its program."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mouthpiece_avatar.hosting import Figures
from mouthpiece_avatar.processes.link import Link, LinkClosed
from mouthpiece_avatar.processes.wear import Wear

PROGRAM = "mouthpiece_avatar.processes.child"
ANSWER_WITHIN = 2.0
"""Seconds for the figures of a process; after that those that it gave last count."""
EXIT_WITHIN = 5.0
"""Seconds between the end of the link and that of the process."""


class SessionProcess:
    """``run`` starts the process and returns when it has ended; ``stop`` lets it end its sessions first."""

    def __init__(self, arguments: Sequence[str], *, ready: Callable[[], None], ended: Callable[[str], None]) -> None:
        """
        :param arguments: of the program, beside its end of the link.
        :param ready: called once it takes calls.
        :param ended: called with the id of a session that has ended.
        """
        self._arguments = arguments
        self._on_ready = ready
        self._on_ended = ended
        self._link: Link | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.stopping = False
        """It was told to end."""
        self.ready = False
        """It takes calls."""
        self.wear = Wear()
        self.last = Figures()
        """Its figures, as it gave them last."""

    async def run(self) -> int:
        """Return the exit code; negative: the number of the signal that killed it.

        :raises OSError: it cannot be started.
        """
        ours, theirs = socket.socketpair()
        link = self._link = await Link.over(ours, self._answer)
        try:
            with theirs:
                process = self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", PROGRAM, "--link", str(theirs.fileno()), *self._arguments),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                )
            if self.stopping:
                self.stop()
            await link.run()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EXIT_WITHIN):
                    await process.wait()
        finally:
            self.ready = False
            if self._process is not None:
                if self._process.returncode is None:
                    self._process.kill()
                await self._process.wait()
            await link.aclose()
        return process.returncode or 0

    def stop(self) -> None:
        """Let it end its sessions and itself; one that is not ready has none, and is killed."""
        self.stopping = True
        if self.ready and self._link is not None:
            self._link.tell("stop")
        elif self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """See :meth:`Link.call`."""
        if self._link is None:
            raise LinkClosed("the process has not started")
        return await self._link.call(name, **arguments)

    @property
    def worn(self) -> bool:
        """It takes no more sessions once another is ready, and ends with its last one."""
        return self.wear.worn

    async def figures(self) -> Figures:
        """Return what it says of its sessions, or said last where it does not answer in time."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                self.last = Figures.of_json(await self.call("figures"))
        except (TimeoutError, LinkClosed):
            pass  # it is busy, or about to be counted out
        return self.last

    async def _answer(self, name: str, arguments: dict[str, Any]) -> None:
        if name == "ready":
            self.ready = True
            self._on_ready()
        elif name == "last":
            self.last = Figures.of_json(arguments["figures"])
        elif name == "ended":
            self.wear.ended(arguments["reason"])
            self._on_ended(arguments["session_id"])
