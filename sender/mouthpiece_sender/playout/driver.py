"""The driver of one ledger: it carries out the ledger's commands and feeds it what came of them.

The ledger decides, a :class:`Transport` knows the way to the avatar, and the driver stands between: it owns the
streams of the attempts and their tasks, keeps each segment's sound until the segment has ended, and knows when the
ledger wants to be called again. LiveKit rooms and Anam's sessions are driven by the same code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from mouthpiece.playback.commands import (
    AskStatus,
    Clear,
    Close,
    Command,
    Open,
    Report,
    Send,
    SendSilence,
    Utterance,
)
from mouthpiece.playback.ledger import Ledger
from mouthpiece.playback.pacing import QUANTUM
from mouthpiece.playback.queue import Waiting
from mouthpiece.playback.restored import Restored
from mouthpiece.profiles import Profile
from mouthpiece.segments import Attempt, EndedBy, Mode, Problem
from mouthpiece.wire import PlaybackReceipt, Status
from mouthpiece_sender.playout.attempt_stream import (
    UNAVAILABLE,
    AttemptStream,
    NotOpened,
    Progress,
    SourceFailed,
    StreamEvent,
    WriteFailed,
    Writer,
)
from mouthpiece_sender.playout.write_buffer import FIRST, PATIENCE
from mouthpiece_sender.sounds.sound import Sound

_FOREVER: Final = 3600.0
"""Seconds ahead: by then everything that has been sent has been played."""
CUT_TIMEOUT: Final = 2.5
"""Seconds that the receipt of a segment that was cut may take."""
FITS: Final = 0.5
"""Seconds that the end of a segment may be reported after it was played."""


@dataclass(frozen=True, slots=True)
class PlayoutItem:
    """A segment on its way through a ledger, with what the ledger need not know."""

    utterance: Utterance
    sound: Sound
    avatar: str | None = None
    """Identity of the avatar that it is addressed to; None: to any avatar."""


@dataclass(frozen=True, slots=True)
class Handover:
    """A queued segment between two drivers."""

    item: PlayoutItem
    waiting: Waiting


Recorded = Callable[[Attempt], Awaitable[None]]
"""Returns once it is stored that an attempt was begun: its stream opens after that, or a process that is killed would
say the segment again."""


async def at_once(attempt: Attempt) -> None:
    """A ``Recorded`` where nothing is stored."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How the audio of one attempt travels."""

    sample_rate: int
    """Hertz that are sent."""
    open: Callable[[], Awaitable[Writer]]
    chunk: float = QUANTUM
    """Seconds a write, at first."""
    first: float = FIRST
    """Seconds of the first write of a sound that is there whole."""
    patience: float = PATIENCE
    """Seconds that what has come waits for more."""
    on_pause: Callable[[], Awaitable[None]] | None = None
    """Called once when the source pauses; without it, silence keeps the stream alive."""
    unavailable: Problem = UNAVAILABLE
    """The problem to report when the stream does not open, or does not take the audio."""


class Transport(Protocol):
    """The way to one avatar."""

    def open(self, attempt: Attempt, sound: Sound) -> StreamPlan:
        """How to send ``attempt``. Called only while the avatar is ready."""
        ...

    async def clear(self, stream: AttemptStream | None) -> bool | None:
        """Ask the avatar to drop everything of ours that it has not played.

        :param stream: the last one that was opened.
        :returns: whether the avatar did; None if it left meanwhile, so that the answer means nothing.
        """
        ...

    async def send_silence(self) -> None:
        """Send the avatar a short silence."""
        ...

    async def status(self) -> Status | None:
        """Ask the avatar where our streams are; None if it did not answer."""
        ...

    def broken(self, problem: Problem) -> None:
        """The open stream did not take the audio."""
        ...


@dataclass
class LedgerDriver:
    """The methods are the ledger's inputs, under its names. None of them waits."""

    ledger: Ledger
    transport: Transport
    listener: Callable[[Report, PlayoutItem], None]
    """Receives every report, in order."""
    clock: Callable[[], float]
    changed: asyncio.Event
    """Set whenever an input may have moved the next wake-up."""
    tasks: asyncio.TaskGroup
    """Owns the tasks of streams, clears and questions."""
    recorded: Recorded = at_once
    _items: dict[str, PlayoutItem] = field(default_factory=dict)
    """Of every segment that the ledger holds."""
    _stream: AttemptStream | None = None
    """The last one that was opened."""
    _wakeup: float | None = None
    _receiver: object = None
    """Another object with each avatar session, and after each absence: a question that was asked of another one is
    answered too late."""
    _detached: bool = False
    _settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at each report."""

    # Queries

    def holds(self, segment: str) -> bool:
        """Whether the segment is queued or in flight here."""
        return segment in self._items

    @property
    def free(self) -> list[str]:
        """Ids of the queued segments that are addressed to no avatar in particular, in order."""
        return [segment for segment in self.ledger.queued if self._items[segment].avatar is None]

    @property
    def lag(self) -> float:
        """Seconds that the stream that was opened last was behind its pace, at most."""
        return 0.0 if self._stream is None else self._stream.lag

    def position(self, segment: str) -> float | None:
        """The furthest second of a segment that has been heard by now; None if it is not in flight."""
        return self.ledger.position(segment, self.clock())

    def reach(self, segment: str, now: float) -> tuple[float, float] | None:
        """The second of a segment that plays now, and the one at which what has been sent ends; None if it is not in
        flight."""
        playhead, end = self.ledger.playhead(segment, now), self.ledger.playhead(segment, now + _FOREVER)
        return None if playhead is None or end is None else (playhead, end)

    # Inputs

    def enqueue(self, item: PlayoutItem, mode: Mode) -> None:
        self._items[item.utterance.segment] = item
        self._input(self.ledger.enqueue(item.utterance, mode, self.clock()))

    def restore(self, item: PlayoutItem, restored: Restored) -> None:
        """Take over a segment that an earlier process left; call it in the order in which they were accepted."""
        self._items[item.utterance.segment] = item
        self._input(self.ledger.restore(restored, self.clock()))

    def withdraw(self, segment: str) -> Handover | None:
        """Take a queued segment out, to ``admit`` it to another driver; None if it is not queued here."""
        waiting = self.ledger.withdraw(segment)
        return None if waiting is None else Handover(self._items.pop(segment), waiting)

    def admit(self, handover: Handover) -> None:
        self._items[handover.item.utterance.segment] = handover.item
        self._input(self.ledger.admit(handover.waiting, self.clock()))

    def cancel(self, segment: str) -> None:
        self._input(self.ledger.cancel(segment, self.clock()))

    def interrupt(self, *, drop_queued: bool) -> list[str]:
        """Stop what plays; returns the ids of the segments that this ends."""
        concerned = self.ledger.would_end(drop_queued=drop_queued)
        self._input(self.ledger.interrupt(self.clock(), drop_queued=drop_queued))
        return concerned

    def pause(self) -> list[str]:
        """Hold everything until ``resume``; returns the ids of the segments that had begun."""
        concerned = [*self.ledger.present]
        self._input(self.ledger.pause(self.clock()))
        return concerned

    def resume(self) -> None:
        self._input(self.ledger.resume(self.clock()))

    def give_up(self, problem: Problem, by: EndedBy = EndedBy.AVATAR) -> None:
        self._receiver = None
        self._input(self.ledger.give_up(problem, self.clock(), by=by))

    def viewers(self, count: int) -> None:
        self._input(self.ledger.viewers(count, self.clock()))

    def avatar_ready(self, profile: Profile, session: str = "") -> None:
        self._receiver = object()
        self._input(self.ledger.avatar_ready(profile, self.clock(), session=session))

    def avatar_left(self, problem: Problem, by: EndedBy = EndedBy.AVATAR) -> None:
        self._receiver = None
        self._input(self.ledger.avatar_left(problem, self.clock(), by=by))

    def connection_lost(self, problem: Problem) -> None:
        self._receiver = None
        self._input(self.ledger.connection_lost(problem, self.clock()))

    def connection_back(self) -> None:
        self._input(self.ledger.connection_back(self.clock()))

    def stalled(self, since: float) -> None:
        self._input(self.ledger.stalled(since, self.clock()))

    def flows(self, *, was_away: bool) -> None:
        if self.ledger.held_by_stall:
            self._input(self.ledger.flows(self.clock(), was_away=was_away))

    def reported(self, receipt: PlaybackReceipt) -> None:
        self._input(self.ledger.reported(receipt, self.clock()))

    def judged(self, heard: bool | None) -> None:
        self._input(self.ledger.judged(heard, self.clock()))

    # Time

    @property
    def next_wakeup(self) -> float | None:
        """When ``tick`` has something to do; None: only an input can change anything."""
        return self._wakeup

    def tick(self, now: float) -> None:
        """Let time pass. Inputs tick by themselves, so this does nothing before ``next_wakeup``."""
        if self._wakeup is not None and now >= self._wakeup:
            self._carry_out(self.ledger.tick(now))

    # Its end

    async def close(self, problem: Problem, *, timeout: float, drop_queued: bool) -> None:
        """Begin nothing more, interrupt what plays and wait at most ``timeout`` seconds for its end.

        :param problem: what a segment is reported with whose end did not come in time.
        """
        self.ledger.hold()
        self.interrupt(drop_queued=drop_queued)
        await self._until(lambda: self.ledger.quiet, self.clock() + timeout)
        self.avatar_left(problem)

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, let play what ends within ``seconds``, and cut the rest. What waits, and the rest of what
        was cut, is left to the next process."""
        self.ledger.hold()
        deadline = self.clock() + seconds
        while self._plays_out_by(deadline) and not self._detached:
            await self._until(lambda: not self._plays_out_by(deadline), min(deadline, self.clock() + 1.0))
        self._input(self.ledger.cut(self.clock()))
        await self._until(lambda: not self.ledger.present, self.clock() + CUT_TIMEOUT)

    def _plays_out_by(self, deadline: float) -> bool:
        """Whether something plays, and the first of it ends by ``deadline`` as far as is known."""
        now = self.clock()
        segment = next(iter(self.ledger.present), None)
        if segment is None or now >= deadline:
            return False
        duration, playhead = self._items[segment].sound.info.duration, self.ledger.playhead(segment, now)
        return duration is None or playhead is None or now + duration - playhead <= deadline + FITS

    async def _until(self, condition: Callable[[], bool], deadline: float) -> None:
        """Wait for reports until ``condition`` holds, or it is ``deadline``."""
        try:
            async with asyncio.timeout(max(0.0, deadline - self.clock())):
                while not (condition() or self._detached):
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            pass

    async def close_stream(self) -> None:
        """Returns once the stream is closed, if one is open."""
        if self._stream is not None:
            await self._stream.stop()

    def detach(self) -> None:
        """From now on only reports are carried out: the tasks have ended, and the way to the avatar is gone."""
        self._detached = True
        self._settled.set()

    # Commands

    def _input(self, commands: Sequence[Command]) -> None:
        self._carry_out(commands)
        self.changed.set()

    def _carry_out(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Report() as report:
                    self._emit(report)
                case _ if self._detached:
                    pass
                case Open(attempt):
                    self._open(attempt)
                case Send(attempt, up_to):
                    if (stream := self._stream_of(attempt)) is not None:
                        stream.grant(up_to)
                case Close(attempt):
                    if (stream := self._stream_of(attempt)) is not None:
                        self.tasks.create_task(stream.stop(), name="stop-stream")
                case Clear():
                    self.tasks.create_task(self._clear(), name="clear")
                case SendSilence():
                    self.tasks.create_task(self.transport.send_silence(), name="send silence")
                case AskStatus():
                    self.tasks.create_task(self._ask(self._receiver), name="status")
        self._wakeup = self.ledger.next_wakeup(self.clock())

    def _stream_of(self, attempt: Attempt) -> AttemptStream | None:
        stream = self._stream
        return stream if stream is not None and stream.attempt == attempt else None

    def _open(self, attempt: Attempt) -> None:
        sound = self._items[attempt.segment].sound
        plan = self.transport.open(attempt, sound)
        self._stream = AttemptStream(
            attempt,
            sound,
            plan.sample_rate,
            plan.open,
            self._on_stream,
            chunk=plan.chunk,
            first=plan.first,
            patience=plan.patience,
            previous=self._stream,
            on_pause=plan.on_pause,
            unavailable=plan.unavailable,
            begun=lambda: self.recorded(attempt),
            clock=self.clock,
        )
        self._stream.start(self.tasks)

    def _on_stream(self, event: StreamEvent) -> None:
        now = self.clock()
        match event:
            case Progress(attempt, sent, whole):
                self._input(self.ledger.progress(attempt, sent, now, whole=whole))
            case NotOpened(attempt, problem):
                self._input(self.ledger.not_opened(attempt, problem, now))
                self._wakeup = now  # the next try is made from the loop, not from the task that failed
            case SourceFailed(attempt, problem):
                self._input(self.ledger.source_failed(attempt, problem, now))
            case WriteFailed(_, problem):
                self.transport.broken(problem)

    async def _clear(self) -> None:
        answer = await self.transport.clear(self._stream)
        if answer is not None:
            self._input(self.ledger.clear_answered(answer, self.clock()))

    async def _ask(self, receiver: object) -> None:
        if self._stream is not None:
            await self._stream.left()  # or the question overtakes what was sent before it
        status = await self.transport.status()
        if self._receiver is receiver:
            self._input(self.ledger.status(status, self.clock()))

    def _emit(self, report: Report) -> None:
        item = self._items.pop(report.segment) if report.state.terminal else self._items[report.segment]
        self._settled.set()
        self.listener(report, item)
