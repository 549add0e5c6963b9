"""The way to the avatar of Anam's session: what the ledger's driver needs to send and to clear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mouthpiece.segments import Attempt, Problem
from mouthpiece.wire import Status
from mouthpiece_sender.anam.errors import AnamUnavailable
from mouthpiece_sender.anam.passthrough import CHUNK, sent_rate
from mouthpiece_sender.anam.session import AnamSession, PassthroughStream
from mouthpiece_sender.playout.attempt_stream import AttemptStream
from mouthpiece_sender.playout.driver import StreamPlan
from mouthpiece_sender.sounds.sound import Sound

UNAVAILABLE: Final = Problem.of(AnamUnavailable("Anam's session does not take the sound."))
FUTILE: Final = 3
"""Sessions in a row that may end without having said more than those before: each costs money."""


@dataclass
class AnamTransport:
    """Serves one session after the other, and notes whether they get any further."""

    session: AnamSession | None = None
    """While it takes sound."""
    _futile: int = 0
    """Sessions since one said something new."""
    _furthest: tuple[str, float] = ("", 0.0)
    """The segment that was sent last, and the furthest second of it that was sent."""

    def begin(self, session: AnamSession) -> None:
        """``session`` takes sound from now on."""
        self.session = session
        self._futile += 1

    def end(self) -> None:
        self.session = None

    def give_up(self) -> bool:
        """Whether to give up after ``FUTILE`` sessions without progress; counting begins anew then."""
        if self._futile < FUTILE:
            return False
        self._futile = 0
        return True

    def open(self, attempt: Attempt, sound: Sound) -> StreamPlan:
        assert self.session is not None
        rate = sent_rate(sound.info.sample_rate)
        stream = PassthroughStream(self.session, rate, lambda sent: self._note(attempt, sent))
        return StreamPlan(
            rate,
            stream.open,
            chunk=CHUNK,
            first=CHUNK,
            patience=CHUNK,
            on_pause=stream.end_turn,
            unavailable=UNAVAILABLE,
        )

    async def clear(self, stream: AttemptStream | None) -> bool | None:
        session = self.session
        if stream is not None:
            await stream.stop()  # the turn is ended first: the engine waits for more otherwise
        if session is None:
            return None
        answer = await session.interrupt()
        return answer if session is self.session else None

    async def send_silence(self) -> None:
        """Never asked for: Anam's engine reports no ends."""

    async def status(self) -> Status | None:
        """Never asked for: Anam's engine does not tell."""
        return None

    def broken(self, problem: Problem) -> None:
        if self.session is not None:
            self.session.declare_lost()  # the task that owns the session ends it

    def _note(self, attempt: Attempt, sent: float) -> None:
        """A replay of what was sent before is no progress."""
        segment, furthest = self._furthest
        if attempt.segment != segment or attempt.offset + sent > furthest:
            self._furthest = (attempt.segment, attempt.offset + sent)
            self._futile = 0
