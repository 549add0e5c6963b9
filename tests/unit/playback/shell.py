"""The shell of a ledger in a test, on a clock of its own."""

from __future__ import annotations

from mouthpiece.playback.commands import Clear, Close, Command, Open, Report, Send, SendSilence, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.profiles import MOUTHPIECE, Profile
from mouthpiece.segments import Attempt, Mode, Problem
from mouthpiece.wire import PlaybackReceipt

LEFT = Problem("avatar-left", "The avatar left.", True)


class Shell:
    """Carries out what a ledger says, with sources that are always ready, on a clock of its own."""

    def __init__(self, profile: Profile | None = MOUTHPIECE) -> None:
        self.ledger = Ledger(avatar_timeout=30.0)
        self.now = 0.0
        self.lengths: dict[str, float] = {}
        self.open: list[Attempt] = []
        self.opened: list[Attempt] = []
        self.sent: dict[Attempt, float] = {}
        self.clears = self.tests = 0
        self.reports: list[Report] = []
        if profile is not None:
            self.do(self.ledger.avatar_ready(profile, self.now))

    def do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Open(attempt):
                    self.open.append(attempt)
                    self.opened.append(attempt)
                    self.sent[attempt] = 0.0
                case Send(attempt, up_to):
                    total = self.lengths[attempt.segment] - attempt.offset
                    self.sent[attempt] = min(up_to, total)
                    whole = up_to >= total
                    self.do(self.ledger.progress(attempt, self.sent[attempt], self.now, whole=whole))
                case Close(attempt):
                    self.open.remove(attempt)
                case Clear():
                    self.clears += 1
                case SendSilence():
                    self.tests += 1
                case Report():
                    self.reports.append(command)

    def say(self, segment: str, length: float, mode: Mode = Mode.APPEND, **options: object) -> None:
        self.lengths[segment] = length
        utterance = Utterance(segment, self.now, **options)  # type: ignore[arg-type]
        self.do(self.ledger.enqueue(utterance, mode, self.now))

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while (wakeup := self.ledger.next_wakeup(self.now)) is not None and wakeup <= until:
            self.now = wakeup
            self.do(self.ledger.tick(self.now))
        self.now = until
        self.do(self.ledger.tick(self.now))

    def started(self, segment: str | None = None, attempt: int | None = None) -> None:
        self.do(self.ledger.reported(PlaybackReceipt(segment, "started", 0.0, False, attempt), self.now))

    def finished(
        self,
        segment: str | None = None,
        position: float = 0.0,
        interrupted: bool = False,
        attempt: int | None = None,
    ) -> None:
        receipt = PlaybackReceipt(segment, "finished", position, interrupted, attempt)
        self.do(self.ledger.reported(receipt, self.now))

    def end(self, segment: str) -> Report:
        ends = [report for report in self.reports if report.segment == segment and report.state.terminal]
        assert len(ends) == 1, f"{len(ends)} ends of {segment}"
        return ends[0]
