"""Which sentence begins where in a sound, for captions and for the text of a segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Cue:
    """A sentence, and where it begins."""

    start: float
    """Seconds from the start of the sound."""
    text: str
    index: int
    """The sentence's number, from 0."""


@runtime_checkable
class HasCues(Protocol):
    """A sound whose sentences are known."""

    @property
    def cues(self) -> Sequence[Cue]:
        """The sentences that are known so far, in order; it grows while the sound is read."""
        ...
