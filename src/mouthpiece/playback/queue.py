"""The segments that wait, in the order in which they are to be said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mouthpiece.playback.commands import Utterance
from mouthpiece.playback.heard import Evidence, Heard
from mouthpiece.segments import State


@dataclass(slots=True)
class Waiting:
    """A segment in the queue. It is also the value that moves a segment to another ledger."""

    utterance: Utterance
    order: tuple[int, int]
    """Its place: a segment that comes back to the queue comes back to where it was. The first number is 0 for what an
    interrupt put first, the second one grows in order of acceptance."""
    since: float
    """Monotonic seconds at which it began to wait for an avatar."""
    offset: float = 0.0
    """Seconds into the segment at which its next attempt begins."""
    heard: Heard = field(default_factory=Heard)
    """Of all its attempts so far."""
    attempts: int = 0
    failed_opens: int = 0
    """Attempts whose stream did not open."""
    begun: bool = False
    """It was reported as playing, so it is not ``queued`` any more, whatever becomes of its attempts."""
    lost: bool = False
    """The avatar that played it was lost."""
    paused: bool = False
    """It played, and waits for ``resume``."""

    @property
    def segment(self) -> str:
        return self.utterance.segment

    @property
    def state(self) -> State:
        """The state to report while it has not ended."""
        if self.paused:
            return State.PAUSED
        return State.PLAYING if self.begun else State.QUEUED

    @property
    def superseded(self) -> bool:
        """An interrupt put it first, and a later interrupt takes its place."""
        return self.order[0] == 0 and not self.begun and self.utterance.interruptible

    @property
    def expires_at(self) -> float | None:
        """Monotonic seconds at which it has waited too long. A segment that we cleared beside another one began in
        time and goes on at once: it does not expire."""
        if self.heard.evidence is not Evidence.NONE and not self.lost:
            return None
        return self.utterance.expires_at


@dataclass(slots=True)
class SegmentQueue:
    """First in, first out, by ``Waiting.order``."""

    number: Callable[[], int]
    """Returns the next number in order of acceptance."""
    paused: bool = False
    """Nothing leaves it until ``resume``."""
    _waiting: list[Waiting] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        """Iterate over a copy, so that the loop may remove segments."""
        return iter(list(self._waiting))

    @property
    def head(self) -> Waiting | None:
        return self._waiting[0] if self._waiting else None

    def next_order(self, *, first: bool) -> tuple[int, int]:
        """Return the order of a segment that is accepted now.

        :param first: before all that were not put first themselves; else behind all others.
        """
        return (0 if first else 1, self.number())

    def put(self, waiting: Waiting) -> None:
        """Insert ``waiting`` at the place that its order gives it."""
        index = next((i for i, other in enumerate(self._waiting) if other.order > waiting.order), len(self._waiting))
        self._waiting.insert(index, waiting)

    def take(self, segment: str) -> Waiting | None:
        """Remove a segment and return it; None if it does not wait here."""
        for waiting in self._waiting:
            if waiting.segment == segment:
                self._waiting.remove(waiting)
                return waiting
        return None
