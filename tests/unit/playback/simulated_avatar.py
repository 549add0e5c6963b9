"""An avatar that keeps its word, on a simulated clock, behind a line that may be down, and the shell of one ledger.

It is a simulation of our own avatar: streams play in order of arrival, a stream without its end stalls, a clear drops
everything and reports exact positions, and the status tells the truth.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from mouthpiece.playback.commands import AskStatus, Clear, Close, Command, Open, Report, Send, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.playback.restored import restored
from mouthpiece.profiles import MOUTHPIECE
from mouthpiece.segments import (
    Attempt,
    AttemptRecord,
    AttemptState,
    AudioInfo,
    Mode,
    OnLoss,
    Problem,
    Segment,
    Source,
    State,
    utc_now,
)
from mouthpiece.wire import STATUS_ENDED, PlaybackReceipt, Status, StatusEnded, StatusPlaying

T = TypeVar("T")

STEP = 0.05
"""Seconds of the simulation."""
AWAY = Problem("livekit-unavailable", "The connection is away.", True)
LEFT = Problem("avatar-left", "The avatar left.", True)


@dataclass
class Stream:
    attempt: Attempt
    received: float = 0.0
    position: float = 0.0
    closed: bool = False
    started: bool = False


@dataclass
class Avatar:
    session: str
    streams: list[Stream] = field(default_factory=list)
    ended: list[StatusEnded] = field(default_factory=list)
    receipts: list[PlaybackReceipt] = field(default_factory=list)

    def play(self, seconds: float, heard: list[tuple[str, float, float]]) -> None:
        while self.streams and seconds > 1e-9:
            stream = self.streams[0]
            if not stream.started and stream.received > 0:
                stream.started = True
                self._report(stream, "started")
            share = min(seconds, stream.received - stream.position)
            if share > 0:
                start = stream.attempt.offset + stream.position
                heard.append((stream.attempt.segment, start, start + share))
                stream.position += share
                seconds -= share
            elif stream.closed:
                self._end(stream, interrupted=False)
            else:
                return

    def open(self, attempt: Attempt) -> None:
        self.streams.append(Stream(attempt))

    def receive(self, attempt: Attempt, sent: float, closed: bool) -> None:
        for stream in self.streams:
            if stream.attempt == attempt:
                stream.received, stream.closed = max(stream.received, sent), stream.closed or closed

    def clear(self) -> None:
        for stream in list(self.streams):
            self._end(stream, interrupted=True)

    def _end(self, stream: Stream, *, interrupted: bool) -> None:
        self.streams.remove(stream)
        segment = stream.attempt.segment
        entry = StatusEnded(segment, stream.position, interrupted, attempt=stream.attempt.number)
        self.ended = [*self.ended, entry][-STATUS_ENDED:]
        self._report(stream, "finished", interrupted=interrupted)

    def _report(self, stream: Stream, event: str, *, interrupted: bool = False) -> None:
        attempt = stream.attempt
        self.receipts.append(PlaybackReceipt(attempt.segment, event, stream.position, interrupted, attempt.number))

    def status(self) -> Status:
        first = self.streams[0] if self.streams and self.streams[0].started else None
        playing = None
        if first is not None:
            playing = StatusPlaying(first.attempt.segment, first.position, first.attempt.number)
        held = [stream.attempt.segment for stream in self.streams if stream is not first]
        return Status(playing, tuple(held), tuple(self.ended))


class World:
    """One ledger, its shell, its store, and one avatar at a time.

    :param delays: seconds that receipts take, in turn.
    :param doubled: each receipt comes a second time after so many seconds; None: it does not.
    """

    def __init__(self, delays: Sequence[float] = (0.0,), *, doubled: float | None = None) -> None:
        self._delays = itertools.cycle(delays)
        self._doubled = doubled
        self._receipts: list[tuple[float, PlaybackReceipt]] = []
        """On their way, with the moments at which they arrive. One of them may find the next process."""
        self.now = 0.0
        self.heard: list[tuple[str, float, float]] = []
        self.stored: dict[str, Segment] = {}
        self.attempts: dict[str, list[AttemptRecord]] = {}
        self.order: list[str] = []
        self.ends: dict[str, Report] = {}
        self.avatar: Avatar | None = Avatar("session-1")
        self.sessions = 1
        self.line_is_up = True
        self._lost_at, self._lost_noticed = float("inf"), False
        self.serves = True
        self._start()

    # What happens

    def say(
        self,
        segment: str,
        seconds: float,
        on_loss: OnLoss = OnLoss.DROP,
        mode: Mode = Mode.APPEND,
        expires_in: float | None = None,
    ) -> None:
        self.stored[segment] = Segment(
            id=segment,
            room="demo",
            source=Source("file"),
            audio=AudioInfo(16_000, 1, seconds),
            created_at=utc_now(),
            mode=mode,
            on_loss=on_loss,
        )
        self.attempts[segment], self.order = [], [*self.order, segment]
        if self.serves:
            expires_at = None if expires_in is None else self.now + expires_in
            utterance = Utterance(segment, self.now, on_loss=on_loss, expires_at=expires_at)
            self._do(self.ledger.enqueue(utterance, mode, self.now))

    def line_goes_down(self, noticed_after: float) -> None:
        self.line_is_up = False
        self._lost_at = self.now + noticed_after

    @property
    def line_is_down_unnoticed(self) -> bool:
        return not self.line_is_up and not self._lost_noticed

    def line_comes_up(self) -> None:
        self.line_is_up = True
        if self._lost_noticed and self.serves:
            self._do(self.ledger.connection_back(self.now))
            self._greet()
        self._lost_at, self._lost_noticed = float("inf"), False

    def sender_is_killed(self) -> None:
        self.serves = False
        self._channel.clear()

    def sender_starts_again(self) -> None:
        self._start()
        for segment in self.order:
            if segment not in self.ends:
                attempts = self.attempts[segment]
                self._do(self.ledger.restore(restored(self.stored[segment], attempts, self.now, None), self.now))
        if self.line_is_up:
            self._greet()

    def avatar_is_replaced(self) -> None:
        """Its last receipts come before the news that it is gone."""
        self._receipts = [(self.now, receipt) for _, receipt in self._receipts]
        self._transfer()
        self.sessions += 1
        self.avatar = Avatar(f"session-{self.sessions}")
        self._channel.clear()
        if self.serves and self.line_is_up:
            self._do(self.ledger.avatar_left(LEFT, self.now))
            self._greet()

    def cancel(self, segment: str) -> None:
        self._do(self.ledger.cancel(segment, self.now))

    def interrupt(self, *, drop_queued: bool) -> None:
        self._do(self.ledger.interrupt(self.now, drop_queued=drop_queued))

    def pause(self) -> None:
        self._do(self.ledger.pause(self.now))

    def resume(self) -> None:
        self._do(self.ledger.resume(self.now))

    def stop(self) -> None:
        self.ledger.hold()
        self._do(self.ledger.cut(self.now))

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            if self.avatar is not None:
                self.avatar.play(STEP, self.heard)
            if not self.serves:
                continue
            if not self.line_is_up and not self._lost_noticed and self.now >= self._lost_at:
                self._lost_noticed = True
                self._channel.clear()
                self._do(self.ledger.connection_lost(AWAY, self.now))
            self._do(self.ledger.tick(self.now))
            self._transfer()

    def until_idle(self) -> None:
        for _ in range(2_000):
            if self.ledger.idle:
                return
            self.pass_time(STEP * 4)
        raise AssertionError(f"not idle: {self.ledger.queued} {self.ledger.in_flight}")

    # What may be asked

    def heard_of(self, segment: str) -> list[tuple[float, float]]:
        """Return the ranges that were heard, in order, those that touch made one."""
        ranges: list[tuple[float, float]] = []
        for name, start, end in self.heard:
            if name != segment:
                continue
            if ranges and abs(ranges[-1][1] - start) < 1e-6:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((start, end))
        return ranges

    # Inside

    def _start(self) -> None:
        self.ledger = Ledger(avatar_timeout=30.0)
        self.serves = True
        self._channel: deque[Callable[[Avatar], object]] = deque()
        self._soon: deque[Callable[[], list[Command]]] = deque()
        self._timers: list[tuple[float, Callable[[], list[Command]]]] = []
        self._lost_at, self._lost_noticed = float("inf"), False
        if not self.stored:
            self._greet()

    def _greet(self) -> None:
        if self.avatar is not None:
            self._do(self.ledger.avatar_ready(MOUTHPIECE, self.now, session=self.avatar.session))

    def _deliver_receipts(self) -> None:
        if self.avatar is None:
            return
        receipts, self.avatar.receipts = self.avatar.receipts, []
        for receipt in receipts:
            arrives = self.now + next(self._delays)
            self._receipts.append((arrives, receipt))
            if self._doubled is not None:
                self._receipts.append((arrives + self._doubled, receipt))
        due = [receipt for at, receipt in self._receipts if at <= self.now]
        self._receipts = [(at, receipt) for at, receipt in self._receipts if at > self.now]
        if self.line_is_up and self.serves:  # else three tries, and lost
            self._soon += [partial(self._reported, receipt) for receipt in due]

    def _reported(self, receipt: PlaybackReceipt) -> list[Command]:
        return self.ledger.reported(receipt, self.now)

    def _progress(self, attempt: Attempt, sent: float, whole: bool) -> list[Command]:
        return self.ledger.progress(attempt, sent, self.now, whole=whole)

    def _do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Open(attempt):
                    self._send(partial(Avatar.open, attempt=attempt))
                case Send(attempt, up_to):
                    duration = self.stored[attempt.segment].audio.duration
                    assert duration is not None
                    sent, whole = min(up_to, duration - attempt.offset), up_to >= duration - attempt.offset
                    self._send(partial(Avatar.receive, attempt=attempt, sent=sent, closed=whole))
                    self._soon.append(partial(self._progress, attempt, sent, whole))
                case Close(attempt):
                    self._send(partial(Avatar.receive, attempt=attempt, sent=0.0, closed=True))
                case Clear():
                    self._call(lambda avatar: avatar.clear(), lambda _, ok: self.ledger.clear_answered(ok, self.now))
                case AskStatus():
                    self._call(
                        lambda avatar: avatar.status(),
                        lambda status, ok: self.ledger.status(status if ok else None, self.now),
                    )
                case Report():
                    self._store(command)

    def _send(self, act: Callable[[Avatar], object]) -> None:
        """Over the reliable channel: in order, held back while the line is down, gone once that was noticed."""
        self._channel.append(act)

    def _call(self, act: Callable[[Avatar], T], answer: Callable[[T | None, bool], list[Command]]) -> None:
        """A remote procedure call, over the same channel; without an answer it fails after 2 s."""
        ledger, answered = self.ledger, False

        def arrived(avatar: Avatar) -> None:
            nonlocal answered
            result = act(avatar)
            if not answered and ledger is self.ledger:
                answered = True
                self._soon.append(lambda: answer(result, True))

        def timed_out() -> list[Command]:
            nonlocal answered
            if answered or ledger is not self.ledger:
                return []
            answered = True
            return answer(None, False)

        self._send(arrived)
        self._timers.append((self.now + 2.0, timed_out))

    def _transfer(self) -> None:
        if self.avatar is not None and self.line_is_up:
            while self._channel:
                self._channel.popleft()(self.avatar)
        self._deliver_receipts()
        due = [act for at, act in self._timers if at <= self.now]
        self._timers = [(at, act) for at, act in self._timers if at > self.now]
        self._soon += due
        while self._soon:
            self._do(self._soon.popleft()())

    def _store(self, report: Report) -> None:
        """As the gateway keeps it."""
        segment, attempts = self.stored[report.segment], self.attempts[report.segment]
        assert report.segment not in self.ends, "reported after its end"
        assert report.position >= segment.position - 1e-9, "a position fell"
        assert not (segment.state is State.PLAYING and report.state is State.QUEUED)
        self.stored[report.segment] = replace(segment, state=report.state, position=report.position)
        if report.type == "attempt.opened" and report.attempt is not None:
            session = self.avatar.session if self.avatar is not None else ""
            attempts.append(AttemptRecord(number=report.attempt.number, offset=report.attempt.offset, session=session))
        if report.attempt_end is not None:
            end = report.attempt_end
            attempts[-1] = replace(
                attempts[-1], state=end.state, position=end.heard.position, receipt=end.heard.receipt
            )
        if report.state.terminal:
            self.ends[report.segment] = report
            assert all(attempt.state is not AttemptState.OPEN for attempt in attempts)
