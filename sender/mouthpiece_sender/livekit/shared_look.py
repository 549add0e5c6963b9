"""One look at LiveKit's server for all rooms that are waited for: who is in them.

Each of 600 rooms that waited for an avatar asked the server for itself, twice a second: 0.4 of a core. Here one call
says which of those that ask exist, and only these are asked for their participants, of which LiveKit has no list for
several rooms.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.livekit.server_api import LiveKitApi, ParticipantFacts

GAP: Final = 0.1
"""Seconds from the beginning of one look to that of the next."""
AT_ONCE: Final = 100
"""Rooms of one look: LiveKit compares each of its rooms with each name that it is given."""
CONCURRENCY: Final = 8
"""Rooms whose participants are asked for at a time."""


@dataclass(slots=True)
class _Answer:
    found: Sequence[ParticipantFacts] | None = None
    error: MouthpieceError | None = None
    given: bool = False


class SharedLook:
    """``await look(room)`` of many rooms; those that ask while another look is under way have the next one together.

    The first of them makes it, in its own task. Where that is cancelled, the next one makes it again.
    """

    def __init__(self, api: LiveKitApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._turn = asyncio.Lock()
        self._asked: dict[str, _Answer] = {}
        self._began = float("-inf")

    async def __call__(self, room: str) -> Sequence[ParticipantFacts] | None:
        """The participants of a room; None if there is no such room.

        :raises LiveKitUnavailable: the server cannot be reached.
        :raises LiveKitRefused: it does not accept our key and secret.
        """
        answer = self._asked.setdefault(room, _Answer())
        async with self._turn:
            while not answer.given:
                await asyncio.sleep(max(0.0, self._began + GAP - self._clock()))
                self._began = self._clock()
                await self._look(list(itertools.islice(self._asked, AT_ONCE)))
        if answer.error is not None:
            raise answer.error.with_traceback(None)  # it is raised for each room
        return answer.found

    async def answers(self) -> bool:
        """Whether LiveKit's server answers at all."""
        return await self._api.answers()

    async def _look(self, rooms: Sequence[str]) -> None:
        if len(rooms) == 1:
            await self._ask(rooms[0], exists=False)
            return
        try:
            there = {facts.name for facts in await self._api.rooms(rooms)}
        except MouthpieceError as error:
            for room in rooms:
                self._give(room, error=error)
            return
        for room in rooms:
            if room not in there:
                self._give(room)
        left = [room for room in rooms if room in there]
        async with asyncio.TaskGroup() as tasks:
            for some in (left[start::CONCURRENCY] for start in range(min(CONCURRENCY, len(left)))):
                tasks.create_task(self._ask_each(some), name="look")

    async def _ask_each(self, rooms: Sequence[str]) -> None:
        for room in rooms:
            await self._ask(room, exists=True)

    async def _ask(self, room: str, *, exists: bool) -> None:
        try:
            self._give(room, await self._api.participants(room, exists=exists))
        except MouthpieceError as error:
            self._give(room, error=error)

    def _give(
        self, room: str, found: Sequence[ParticipantFacts] | None = None, error: MouthpieceError | None = None
    ) -> None:
        answer = self._asked.pop(room)
        answer.found, answer.error, answer.given = found, error, True
