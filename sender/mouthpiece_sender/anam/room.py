"""What carries out, through one session with Anam's engine, what the ledger decides.

Tasks: one that waits for the time to act, one that owns the session from its opening to its close, one a stream, one
an interrupt. Anam sends no receipts: what it was given has ``finished`` when the playout clock says so, and that is
``estimated``; a session that ends while a segment plays leaves it ``unknown``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mouthpiece import profiles
from mouthpiece.errors import AvatarLeft, MouthpieceError
from mouthpiece.playback.commands import Clear, Close, Command, Open, Report, Send, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.segments import Attempt, Mode, Problem
from mouthpiece_sender.anam.errors import AnamUnavailable
from mouthpiece_sender.anam.frames import FrameSink
from mouthpiece_sender.anam.passthrough import CHUNK, sent_rate
from mouthpiece_sender.anam.session import AnamSession, PassthroughStream
from mouthpiece_sender.anam.settings import AnamSettings
from mouthpiece_sender.playout.attempt_stream import (
    AttemptStream,
    NotOpened,
    Progress,
    SourceFailed,
    StreamEvent,
    WriteFailed,
)
from mouthpiece_sender.playout.waking import changed_within
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.target import Room, Told

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT: Final = 3.0
"""Seconds that ending what plays may take when we leave."""
BARREN: Final = 3
"""Sessions in a row that may end without one of them having said more than those before: each costs money."""
AWAY: Final = Problem.of(AnamUnavailable("Anam's session does not take the sound."))
LEFT: Final = Problem.of(AvatarLeft("Anam's session ended while the avatar spoke."))


@dataclass
class AnamRoom:
    """``run`` is its life; the other methods are inputs. The session is opened when there is something to say, and
    closed once it has been quiet for ``warm`` seconds."""

    room: str
    settings: AnamSettings
    sinks: Sequence[FrameSink]
    listener: Callable[[Told], None]
    dormant: Callable[[Room], None]
    clock: Callable[[], float]
    warm: float
    """Seconds."""
    barred: bool = field(default=False, init=False)
    viewers: int | None = field(default=None, init=False)
    """Not known: Anam does not tell who looks."""
    _ledger: Ledger = field(init=False)
    _sounds: dict[str, Sound] = field(default_factory=dict)
    _session: AnamSession | None = None
    """While it takes sound."""
    _holding: asyncio.Task[None] | None = None
    """Owns the session."""
    _opening: bool = False
    _stream: AttemptStream | None = None
    """The last one that was opened."""
    _barren: int = 0
    _reached: tuple[str, float] = ("", 0.0)
    """The segment that was sent last, and how far of it, in seconds, at most."""
    _busy_until: float = float("-inf")
    _closing: bool = False
    _over: bool = False
    """``run`` has ended: what the ledger says now is told, and nothing else can be done about it."""
    _leave: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _landed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: asyncio.TaskGroup = field(init=False)

    def __post_init__(self) -> None:
        # Connecting and becoming ready have a limit of their own each, and say which of them it was.
        self._ledger = Ledger(avatar_timeout=2 * self.settings.ready_timeout + 10)

    # What others may ask

    @property
    def connected(self) -> bool:
        return self._session is not None

    @property
    def seats(self) -> Sequence[tuple[str | None, str | None, bool, Ledger]]:
        """The only avatar, as identity, profile's name, whether it takes sound, ledger."""
        if self._holding is None and self._ledger.idle:
            return []
        return [(self.settings.avatar_id, profiles.ANAM.name, self.connected, self._ledger)]

    def position(self, segment: str) -> float | None:
        """Seconds of a segment that have been played, by the clock."""
        return self._ledger.position(segment, self.clock())

    # Inputs

    def submit(self, utterance: Utterance, sound: Sound, avatar: str | None, mode: Mode) -> None:
        self._sounds[utterance.segment] = sound
        self._do(self._ledger.enqueue(utterance, mode, self.clock()))
        self._changed.set()

    def cancel(self, segment: str) -> None:
        self._do(self._ledger.cancel(segment, self.clock()))

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        if avatar not in (None, self.settings.avatar_id):
            return []
        concerned = self._ledger.would_end(drop_queued=drop_queued)
        self._do(self._ledger.interrupt(self.clock(), drop_queued=drop_queued))
        return concerned

    def expect(self) -> None:
        """Nothing is done: a session that nobody speaks in costs as much as one that is used."""

    def give_up(self, problem: Problem) -> None:
        """Nothing of what waits will be said, and the session ends."""
        self._do(self._ledger.give_up(problem, self.clock()))
        self._end_session()  # what comes now waits for the next one
        self._changed.set()

    # Life

    async def run(self) -> None:
        """Every task of the room ends with it, and the session is closed."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                while not self._closing:
                    now = self.clock()
                    self._changed.clear()
                    self._do(self._ledger.tick(now))
                    if self._rests(now):
                        self.dormant(self)
                        break
                    wakeup = self._next_wakeup(now)
                    await changed_within(self._changed, None if wakeup is None else wakeup - self.clock())
                if self._stream is not None:
                    await self._stream.stop()
                self._end_session()
        finally:
            self._over = True

    async def close(self, *, drop_queued: bool) -> None:
        self._ledger.hold()
        self.interrupt(None, drop_queued=drop_queued)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while self.connected and not self._ledger.quiet:
                    self._landed.clear()
                    await self._landed.wait()
        except TimeoutError:
            pass
        self._do(self._ledger.avatar_left(LEFT, self.clock()))
        self.stop()

    def stop(self) -> None:
        self._closing = True
        self._changed.set()

    def _rests(self, now: float) -> bool:
        """Opens the session where something waits for it, closes it where nothing does; whether there is neither."""
        if not self._ledger.idle:
            self._busy_until = now + self.warm
            if self._holding is None:
                self._holding = self._tasks.create_task(self._hold(), name="anam-session")
        elif self._holding is None:
            return True
        elif now > self._busy_until and not self._leave.is_set():
            self._end_session()
            self._do(self._ledger.avatar_left(LEFT, now))  # what comes now waits for the next session
        return False

    def _end_session(self) -> None:
        if self._holding is None:
            return
        self._leave.set()
        if self._opening:
            self._holding.cancel()  # it closes what it has opened so far

    def _next_wakeup(self, now: float) -> float | None:
        times = [self._ledger.next_wakeup(now)]
        if self._ledger.idle and not self._leave.is_set():
            times.append(max(now, self._busy_until) + 0.001)
        return min((time for time in times if time is not None), default=None)

    async def _hold(self) -> None:
        """One session, from its opening to its close."""
        self._opening = True
        problem: Problem | None = None
        try:
            async with AnamSession(self.settings, self.sinks, clock=self.clock) as session:
                self._opening = False
                if not self._leave.is_set():
                    self._session = session
                    self._barren += 1
                    self._do(self._ledger.avatar_ready(profiles.ANAM, self.clock()))
                    await self._until_it_ends(session)
        except MouthpieceError as error:
            problem = Problem.of(error)
        finally:
            self._session = self._holding = None
            self._opening = False
            self._leave.clear()
            self._changed.set()
        if problem is not None:
            self._do(self._ledger.give_up(problem, self.clock()))

    async def _until_it_ends(self, session: AnamSession) -> None:
        """Returns when the session is lost, or to be closed."""
        ends = [asyncio.create_task(session.until_lost()), asyncio.create_task(self._leave.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        self._session = None
        if not self._leave.is_set():
            self._do(self._ledger.avatar_left(LEFT, self.clock()))
            if self._barren >= BARREN:
                self._barren = 0
                self._do(self._ledger.give_up(LEFT, self.clock()))

    # Commands of the ledger

    def _do(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Report() as report:
                    self._tell(report)
                case _ if self._over:
                    pass
                case Open(attempt):
                    self._open(attempt)
                case Send(attempt, up_to):
                    if self._stream is not None and self._stream.attempt == attempt:
                        self._stream.grant(up_to)
                case Close(attempt):
                    if self._stream is not None and self._stream.attempt == attempt:
                        self._tasks.create_task(self._stream.stop(), name="stop-stream")
                case Clear():
                    self._tasks.create_task(self._clear(), name="clear")
        if commands:
            self._changed.set()

    def _open(self, attempt: Attempt) -> None:
        assert self._session is not None
        session, sound = self._session, self._sounds[attempt.segment]
        rate = sent_rate(sound.info.sample_rate)
        stream = PassthroughStream(session, rate)
        self._stream = AttemptStream(
            attempt,
            sound,
            rate,
            stream.open,
            self._on_stream,
            chunk=CHUNK,
            after=self._stream,
            rest=stream.end_turn,
            away=AWAY,
        )
        self._stream.start(self._tasks)

    def _on_stream(self, event: StreamEvent) -> None:
        now = self.clock()
        match event:
            case Progress(attempt, sent, whole):
                self._note_reached(attempt, sent)
                self._do(self._ledger.progress(attempt, sent, now, whole=whole))
            case NotOpened(attempt, problem):
                self._do(self._ledger.opened_failed(attempt, problem, now))
            case SourceFailed(attempt, problem):
                self._do(self._ledger.source_failed(attempt, problem, now))
            case WriteFailed():
                if self._session is not None:
                    self._session.declare_lost()  # whoever holds it does the rest
        self._changed.set()

    def _note_reached(self, attempt: Attempt, sent: float) -> None:
        """A replay that only says again what was said before is no progress."""
        segment, furthest = self._reached
        if attempt.segment != segment or attempt.offset + sent > furthest:
            self._reached = (attempt.segment, attempt.offset + sent)
            self._barren = 0

    async def _clear(self) -> None:
        session, stream = self._session, self._stream
        if stream is not None:
            await stream.stop()  # the turn is ended first: the engine waits for more otherwise
        if session is not None:
            answered = await session.interrupt()
            if session is self._session:
                self._do(self._ledger.clear_answered(answered, self.clock()))

    def _tell(self, report: Report) -> None:
        sound = self._sounds.get(report.segment)
        if report.state.terminal:
            self._sounds.pop(report.segment, None)
        self._landed.set()
        self.listener(Told.of(report, sound, avatar=self.settings.avatar_id, profile=profiles.ANAM.name, viewers=None))
