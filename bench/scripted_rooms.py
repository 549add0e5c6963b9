"""Scripted receivers (docs/conformance.md) in a process of their own, for the benches that speak into many rooms.

Run as a program it is that process. Lines on standard input command it (``open ROOM PRESENTED IDENTITY``,
``close ROOM``, ``heard ROOM``); it answers each with one line of JSON, in any order.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import services  # noqa: E402

from mouthpiece.audio.pcm import Samples  # noqa: E402
from mouthpiece_avatar.playout_stream import RATE  # noqa: E402
from mouthpiece_avatar.testing import Credentials, Fault, Presented, ScriptedReceiver  # noqa: E402
from mouthpiece_avatar.testing.fault import Inbound  # noqa: E402
from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402

LOUD = 300.0
"""Root mean square (of int16) from which a block counts as sound."""
JOINS = 4
"""Receivers that join at a time: they are not what is measured."""


@dataclass
class Noting(Fault):
    """Does nothing wrong, and notes what comes and what leaves it onto its audio track."""

    first: float | None = None
    """Monotonic seconds of the first block with sound."""
    seconds: float = 0.0
    """Of sound."""
    arrived: dict[str, float] = field(default_factory=dict)
    """Monotonic seconds of the first byte of each segment, by its id."""

    def voice(self, stream: Inbound, data: bytes) -> bytes:
        self.arrived.setdefault(stream.segment or str(stream.number), time.monotonic())
        return data

    def track(self, index: int, samples: Samples) -> Samples:
        if len(samples) and float(np.sqrt(np.mean(samples.astype(np.float32) ** 2))) >= LOUD:
            self.first = time.monotonic() if self.first is None else self.first
            self.seconds += len(samples) / RATE
        return samples


@dataclass
class Heard:
    """What came to a receiver, and what left it onto its audio track; see ``Noting``."""

    first: float | None
    seconds: float
    arrived: dict[str, float]


@dataclass
class ScriptedRooms:
    """The process, for the bench."""

    _process: asyncio.subprocess.Process
    _answers: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=itertools.count)

    async def open(self, room: str, presented: str = "mouthpiece", identity: str = "") -> None:
        """Return once a receiver is in the room and listens.

        :param identity: empty: one that fits what it is presented as.
        """
        await self._ask("open", room, presented, *([identity] if identity else []))

    async def close(self, room: str) -> Heard:
        """Have the receiver leave, unless it has left."""
        return Heard(**await self._ask("close", room))

    async def heard(self, room: str) -> Heard:
        return Heard(**await self._ask("heard", room))

    async def _ask(self, *words: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(f"{number} {' '.join(words)}\n".encode())
        facts: dict[str, Any] = await answer
        if "error" in facts:
            raise RuntimeError(f"{' '.join(words)}: {facts['error']}")
        return facts

    async def listen(self) -> None:
        """Take answers, until the process ends."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            number, _, facts = line.decode().partition(" ")
            self._answers.pop(int(number)).set_result(json.loads(facts))
        for answer in self._answers.values():
            answer.set_exception(RuntimeError("the receivers have ended"))


@contextlib.asynccontextmanager
async def running(livekit: LiveKit, log: Path | None = None) -> AsyncIterator[ScriptedRooms]:
    """Run the process."""
    environment = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
    }
    async with services.process(str(ROOT / "bench/scripted_rooms.py"), log=log, **environment) as process:
        rooms = ScriptedRooms(process)
        listening = asyncio.create_task(rooms.listen())
        try:
            yield rooms
        finally:
            listening.cancel()


async def serve() -> None:
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    credentials = Credentials(*(os.environ[name] for name in names))
    turns = asyncio.Semaphore(JOINS)
    stacks: dict[str, contextlib.AsyncExitStack] = {}
    notes: dict[str, Noting] = {}

    async def carry_out(command: str, room: str, presented: str = "", identity: str = "") -> dict[str, Any]:
        if command == "open":
            notes[room], stacks[room] = Noting(), contextlib.AsyncExitStack()
            async with turns:
                receiver = ScriptedReceiver(
                    credentials, room, notes[room], presented=Presented(presented), identity=identity or None
                )
                await stacks[room].enter_async_context(receiver)
            return {}
        heard = vars(notes[room])
        if command == "close":
            await stacks.pop(room).aclose()
            del notes[room]
        return heard

    async def answer(number: str, *words: str) -> None:
        try:
            facts = await carry_out(*words)
        except Exception as error:  # the bench is told, whatever it is
            facts = {"error": f"{type(error).__name__}: {error}"}
        print(number, json.dumps(facts), flush=True)

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with asyncio.TaskGroup() as tasks:
        while line := await reader.readline():
            tasks.create_task(answer(*line.decode().split()))


if __name__ == "__main__":
    asyncio.run(serve())
