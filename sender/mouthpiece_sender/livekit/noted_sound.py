"""What was sent to an avatar, as it is compared with the avatar's track: noted while it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mouthpiece.listening.envelope import SentEnvelope
from mouthpiece_sender.playout.attempt_stream import Writer


@dataclass(slots=True)
class NotedSound:
    """One attempt, as it was sent."""

    sent: SentEnvelope
    previous: NotedSound | None = None
    """The one before it, whose end may still be on the track when it begins."""
    closed_at: float = float("-inf")
    """When its stream was closed, in monotonic seconds: its end is not reported before."""
    _played_by: float | None = None

    @property
    def ends_at(self) -> float:
        """By the clock, in monotonic seconds."""
        return float("-inf") if self.sent.begun_at is None else self.sent.begun_at + self.sent.duration

    @property
    def played_by(self) -> float:
        """The same, where it was written while the one before it still played."""
        if self._played_by is not None:
            return self._played_by
        before = float("-inf") if self.previous is None else self.previous.played_by + self.sent.duration
        return max(self.ends_at, self.closed_at, before)

    def close(self, now: float) -> None:
        """All of it has been written."""
        self.sent.close()
        self.closed_at = now

    def done(self) -> None:
        """Its end was reported."""
        self._played_by, self.previous = self.played_by, None


class NotingWriter:
    """A writer that notes what it was given, when it was taken."""

    def __init__(self, writer: Writer, sound: NotedSound, clock: Callable[[], float]) -> None:
        self._writer, self._sound, self._clock = writer, sound, clock

    async def write(self, data: bytes) -> None:
        await self._writer.write(data)
        self._sound.sent.write(data, self._clock())

    async def aclose(self) -> None:
        self._sound.close(self._clock())
        await self._writer.aclose()
