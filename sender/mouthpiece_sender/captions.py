"""Captions in time with the voice: which sentence is to be shown now. Decided without I/O.

A caption is published when its sentence begins to *play*, not when it is sent: sound is sent up to two seconds ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Cue:
    """A sentence, and where it begins."""

    start: float
    """Seconds into the segment."""
    text: str
    index: int
    """Of the sentence, from 0."""


@runtime_checkable
class Worded(Protocol):
    """A sound that knows its words."""

    @property
    def cues(self) -> Sequence[Cue]:
        """As far as they are known, in order; grows while the sound is read."""
        ...


@dataclass(slots=True)
class CaptionClock:
    """Of one segment."""

    cues: Worded
    _shown: int = -1

    def due(self, position: float) -> Sequence[Cue]:
        """The sentences that have begun by ``position`` (seconds of the segment) and have not been given out yet."""
        begun = [cue for cue in self.cues.cues[self._shown + 1 :] if cue.start <= position]
        if begun:
            self._shown = begun[-1].index
        return begun

    def next(self, position: float) -> float | None:
        """Seconds from ``position`` to the next sentence; None: none is known yet."""
        following = self.cues.cues[self._shown + 1 :]
        return max(0.0, following[0].start - position) if following else None
