"""Runs sessions in several processes: starts them as they are needed, one ahead, and those that die again."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

from mouthpiece.errors import QueueFull, RoomError
from mouthpiece.wire import StartAvatar
from mouthpiece_avatar.hosting import Figures, SessionInfo, Totals
from mouthpiece_avatar.livekit_address import LiveKitAddress
from mouthpiece_avatar.processes.link import LinkClosed
from mouthpiece_avatar.processes.placement import Place, Placed, choose, replaced, wanted
from mouthpiece_avatar.processes.session_process import SessionProcess
from mouthpiece_avatar.sessions import FULL, new_session_id
from mouthpiece_avatar.token import Claims

logger = logging.getLogger(__name__)

READY_WITHIN = 20.0
"""Seconds that a start waits for a process that takes it."""
STOP_WITHIN = 10.0
"""Seconds for all processes to end their sessions and themselves."""
SOON = 10.0
"""Seconds within which a process that dies has died soon: the next one is started later each time."""
PAUSES = (0.5, 2.0, 5.0, 15.0, 30.0)
"""Seconds before a process that died soon is started again; the last one repeats."""
DIED = "the process that ran it died"


@dataclass(frozen=True, slots=True)
class Started:
    id: str


class SessionProcesses:
    """A :class:`mouthpiece_avatar.hosting.SessionHost`. ``async with`` starts the first process, and ends all."""

    def __init__(
        self,
        processes: int,
        *,
        limit: int,
        arguments: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param processes: that may run at a time.
        :param limit: of sessions.
        :param arguments: of each process.
        """
        self._most = processes
        self.limit = limit
        """It may change."""
        self._arguments = arguments
        self._clock = clock
        self._sessions: dict[str, Placed[SessionProcess]] = {}
        self._processes: list[SessionProcess] = []
        self._keepers: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        """A process is ready, or all is stopped."""
        self._past = Totals()
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._grow()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=STOP_WITHIN)
        for task in self._keepers:
            task.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    @property
    def running(self) -> int:
        return len(self._sessions)

    @property
    def ready(self) -> bool:
        """Whether a process takes sessions that is not worn."""
        return any(process.ready and not process.worn for process in self._processes)

    def stop(self) -> None:
        self._stopping = True
        self._changed.set()
        for process in self._processes:
            process.stop()

    async def start(self, request: StartAvatar, claims: Claims) -> Started:
        place = Place(LiveKitAddress.parse(request.livekit_url), claims)
        if len(self._sessions) - len(replaced(self._sessions, place)) >= self.limit:
            raise QueueFull(FULL)
        session_id = new_session_id()
        placed = self._sessions[session_id] = Placed[SessionProcess](place)
        try:
            placed.process = await self._ready_process(place)
            self._grow()
            await placed.process.call("start", session_id=session_id, request=asdict(request), claims=asdict(claims))
        except LinkClosed:
            self._sessions.pop(session_id, None)
            raise RoomError("the process that was to run the avatar died: ask again") from None
        except BaseException:
            self._ended(session_id)
            raise
        placed.joined = True
        return Started(session_id)

    async def end(self, session_id: str) -> bool:
        placed = self._sessions.get(session_id)
        if placed is None or placed.process is None:
            return False
        try:
            ended: bool = await placed.process.call("end", session_id=session_id)
        except LinkClosed:
            return True  # it has ended, with its process
        return ended

    async def figures(self) -> Figures:
        asked = [process for process in self._processes if process.ready]
        found = await asyncio.gather(*(process.figures() for process in asked))
        totals = Totals()
        totals.update(self._past)
        sessions: list[SessionInfo] = []
        for process, figures in zip(asked, found, strict=True):
            if process in self._processes:  # otherwise it died meanwhile, and was counted
                totals.update(figures.totals)
                sessions += figures.sessions
        return Figures(sessions, totals, sum(process.ready for process in self._processes))

    async def _ready_process(self, place: Place) -> SessionProcess:
        """:raises RoomError: there is none in time."""
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not self._stopping:
                    self._changed.clear()
                    able = [process for process in self._processes if process.ready and not process.stopping]
                    ready = [process for process in able if not process.worn] or able
                    if (process := choose(ready, self._sessions, place)) is not None:
                        return process
                    await self._changed.wait()
        except TimeoutError:
            raise RoomError("no process of the avatar server is ready: ask again") from None
        raise RoomError("the avatar was called back before it had joined: the avatar server stops")

    def _grow(self) -> None:
        worn = [process for process in self._processes if process.worn]
        lasting = {name: placed for name, placed in self._sessions.items() if placed.process not in worn}
        while not self._stopping and len(self._keepers) - len(worn) < wanted(self._most, lasting):
            task = asyncio.create_task(self._keep(), name="session process")
            self._keepers.add(task)
            task.add_done_callback(self._keepers.discard)

    async def _keep(self) -> None:
        """Run one process, and another one whenever it has died."""
        died_soon = 0
        while not self._stopping:
            process = SessionProcess(self._arguments, ready=self._one_ready, ended=self._ended)
            self._processes.append(process)
            since = self._clock()
            try:
                end = _said(await process.run())
            except OSError as error:
                end = f"it could not be started: {error.strerror}"
            finally:
                self._processes.remove(process)
                self._lose(process)
            if self._stopping or process.worn:
                return
            died_soon = died_soon + 1 if self._clock() - since < SOON else 0
            logger.error("a process that runs sessions died (%s): another one is started", end)
            await asyncio.sleep(PAUSES[min(died_soon, len(PAUSES)) - 1] if died_soon else 0)

    def _lose(self, process: SessionProcess) -> None:
        """Count what ``process`` did, and end the sessions that it still ran."""
        self._past.update(process.last.totals)
        lost = [session_id for session_id, placed in self._sessions.items() if placed.process is process]
        for session_id in lost:
            del self._sessions[session_id]
            self._past.ended[DIED] += 1
            logger.error("a session ended: %s", DIED, extra={"session": session_id})

    def _one_ready(self) -> None:
        self._changed.set()
        self._replace_worn()

    def _ended(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
        self._replace_worn()

    def _replace_worn(self) -> None:
        self._grow()
        if not self.ready:
            return  # until the next one is, a worn one takes what comes
        busy = [placed.process for placed in self._sessions.values()]
        for process in self._processes:
            if process.worn and not process.stopping and process not in busy:
                wear = process.wear
                logger.info("a process is replaced: %d sessions, %d rooms closed", wear.sessions, wear.closed_rooms)
                process.stop()


def _said(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
