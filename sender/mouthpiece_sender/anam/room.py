"""One room that is spoken into through Anam's engine: opens a session when a segment waits, and closes it after.

Its task group owns every task: one that holds the session from its opening to its close, and those of the driver. Anam
sends no receipts: a segment has ``finished`` when the playout clock says so, with the receipt ``estimated``. A session
that ends while a segment plays leaves the segment ``unknown``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mouthpiece import profiles
from mouthpiece.errors import AvatarLeft, MouthpieceError
from mouthpiece.playback.commands import Report, Utterance
from mouthpiece.playback.ledger import RESTARTED, Ledger
from mouthpiece.playback.restored import Restored
from mouthpiece.segments import EndedBy, Mode, Problem
from mouthpiece_sender.anam.frames import FrameSink
from mouthpiece_sender.anam.session import AnamSession
from mouthpiece_sender.anam.settings import AnamSettings
from mouthpiece_sender.anam.transport import AnamTransport
from mouthpiece_sender.playout.driver import LedgerDriver, PlayoutItem, Recorded, at_once
from mouthpiece_sender.playout.waking import changed_within
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.target import AvatarActivity, ReportContext, ReportListener, Room

CLOSE_TIMEOUT: Final = 3.0
"""Seconds that the end of an interrupted segment may take when the room is closed."""
LEFT: Final = Problem.of(AvatarLeft("Anam's session ended while the avatar spoke."))


@dataclass
class AnamRoom:
    """``run`` is its life; the other methods are inputs. The session is opened when there is something to say, and
    closed once it has been quiet for ``warm`` seconds."""

    room: str
    settings: AnamSettings
    sinks: Sequence[FrameSink]
    listener: ReportListener
    dormant: Callable[[Room], None]
    clock: Callable[[], float]
    warm: float
    """Seconds."""
    recorded: Recorded = at_once
    duplicate: bool = field(default=False, init=False)
    viewers: int | None = field(default=None, init=False)
    """Not known: Anam does not report viewers."""
    _driver: LedgerDriver = field(init=False)
    _transport: AnamTransport = field(default_factory=AnamTransport)
    _holding: asyncio.Task[None] | None = None
    """Owns the session."""
    _opening: bool = False
    _busy_until: float = float("-inf")
    _closing: bool = False
    _leave: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the session is to be closed."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)

    def __post_init__(self) -> None:
        # Connecting and becoming ready are limited each, with an error of its own: those come first.
        ledger = Ledger(avatar_timeout=2 * self.settings.ready_timeout + 10)
        self._driver = LedgerDriver(
            ledger, self._transport, self._on_report, self.clock, self._changed, self._tasks, self.recorded
        )

    # Queries

    @property
    def connected(self) -> bool:
        return self._transport.session is not None

    @property
    def avatars(self) -> Sequence[AvatarActivity]:
        if self._holding is None and self._idle:
            return []
        driver, name = self._driver, profiles.ANAM.name
        return [AvatarActivity.of(self.settings.avatar_id, name, self.connected, driver.ledger, driver.lag)]

    def position(self, segment: str) -> float | None:
        return self._driver.position(segment)

    @property
    def _idle(self) -> bool:
        return self._driver.ledger.idle

    @property
    def _busy(self) -> bool:
        """Something is to be said, or plays."""
        return not self._driver.ledger.quiet or not (self._idle or self._driver.ledger.paused)

    # Inputs

    def submit(self, utterance: Utterance, sound: Sound, avatar: str | None, mode: Mode) -> None:
        self._driver.enqueue(PlayoutItem(utterance, sound, avatar), mode)

    def restore(self, restored: Restored, sound: Sound, avatar: str | None, *, addressed: bool) -> None:
        """Its session ended with the earlier process: what played there is settled at once."""
        self._driver.restore(PlayoutItem(restored.utterance, sound, avatar), restored)
        self._driver.avatar_left(RESTARTED, EndedBy.RESTART)

    def cancel(self, segment: str) -> None:
        self._driver.cancel(segment)

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        if avatar not in (None, self.settings.avatar_id):
            return []
        return self._driver.interrupt(drop_queued=drop_queued)

    def pause(self, avatar: str | None) -> list[str]:
        return self._driver.pause() if avatar in (None, self.settings.avatar_id) else []

    def resume(self, avatar: str | None) -> None:
        if avatar in (None, self.settings.avatar_id):
            self._driver.resume()

    def expect(self) -> None:
        """Does nothing: an unused session costs as much as a used one."""

    def give_up(self, problem: Problem, by: EndedBy) -> None:
        self._driver.give_up(problem, by)
        self._end_session()  # segments that are submitted now wait for the next one

    async def prepare_deletion(self, problem: Problem) -> None:
        self.give_up(problem, EndedBy.ROOM)

    # Life

    async def run(self) -> None:
        """Until ``close``, or until nothing waits and no session is open. Every task ends with it."""
        try:
            async with self._tasks:
                while not self._closing:
                    now = self.clock()
                    self._changed.clear()
                    self._driver.tick(now)
                    if self._is_dormant(now):
                        self.dormant(self)
                        break
                    wakeup = self._next_wakeup(now)
                    await changed_within(self._changed, None if wakeup is None else wakeup - self.clock())
                await self._driver.close_stream()
                self._end_session()
        finally:
            self._driver.detach()

    async def close(self, *, drop_queued: bool) -> None:
        await self._driver.close(LEFT, timeout=CLOSE_TIMEOUT, drop_queued=drop_queued)
        self.stop()

    async def drain(self, seconds: float) -> None:
        await self._driver.drain(seconds)

    def stop(self) -> None:
        self._closing = True
        self._changed.set()

    def _is_dormant(self, now: float) -> bool:
        """Open a session if a segment waits, close it if none did for ``warm`` seconds; True if there is neither."""
        if self._busy:
            self._busy_until = now + self.warm
            if self._holding is None:
                self._holding = self._tasks.create_task(self._hold(), name="anam-session")
        elif self._holding is None:
            return self._idle
        elif now > self._busy_until and not self._leave.is_set():
            self._end_session()
            self._driver.avatar_left(LEFT)  # segments that are submitted now wait for the next session
        return False

    def _next_wakeup(self, now: float) -> float | None:
        times = [self._driver.next_wakeup]
        if not self._busy and self._holding is not None and not self._leave.is_set():
            times.append(max(now, self._busy_until) + 0.001)
        return min((time for time in times if time is not None), default=None)

    # The session

    def _end_session(self) -> None:
        if self._holding is None:
            return
        self._leave.set()
        if self._opening:
            self._holding.cancel()  # it closes what it has opened so far

    async def _hold(self) -> None:
        """Own one session, from its opening to its close."""
        self._opening = True
        problem: Problem | None = None
        try:
            async with AnamSession(self.settings, self.sinks, clock=self.clock) as session:
                self._opening = False
                if not self._leave.is_set():
                    self._transport.begin(session)
                    self._driver.avatar_ready(profiles.ANAM)
                    await self._until_it_ends(session)
        except MouthpieceError as error:
            problem = Problem.of(error)
        finally:
            self._transport.end()
            self._holding = None
            self._opening = False
            self._leave.clear()
            self._changed.set()
        if problem is not None:
            self._driver.give_up(problem)

    async def _until_it_ends(self, session: AnamSession) -> None:
        """Wait until the session is lost, or is to be closed."""
        ends = [asyncio.create_task(session.until_lost()), asyncio.create_task(self._leave.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        self._transport.end()
        if not self._leave.is_set():
            self._driver.avatar_left(LEFT)
            if self._transport.give_up():
                self._driver.give_up(LEFT)

    def _on_report(self, report: Report, item: PlayoutItem) -> None:
        context = ReportContext.of(item.sound, avatar=self.settings.avatar_id, profile=profiles.ANAM.name, viewers=None)
        self.listener(report, context)
