"""What is known to have been heard of a segment: how far, and how we know."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from mouthpiece.segments import Receipt


class Evidence(enum.Enum):
    """Whether anything of a segment was heard."""

    NONE = "none"
    """Nothing was sent, or the avatar confirmed that nothing of it was played."""
    POSSIBLE = "possible"
    """The playout clock says so, or it was sent to an avatar that was lost."""
    CONFIRMED = "confirmed"
    """The avatar reported it, or its track bore it out."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The furthest that was heard of a segment."""

    position: float = 0.0
    """Seconds of the segment."""
    receipt: Receipt = Receipt.NONE
    """How we know. ``confirmed`` at position 0: the avatar reported that it played nothing."""

    @property
    def evidence(self) -> Evidence:
        if self.receipt in (Receipt.CONFIRMED, Receipt.HEARD):
            return Evidence.CONFIRMED if self.position > 0 else Evidence.NONE
        return Evidence.NONE if self.receipt is Receipt.NONE else Evidence.POSSIBLE

    def furthest(self, attempt: Heard) -> Heard:
        """Return the further of this and ``attempt``, what was heard of a later attempt, in seconds of the segment.

        The position never falls: an attempt that went back (a replay) counts from where it gets further.
        """
        if attempt.evidence is Evidence.NONE:
            return attempt if self.evidence is Evidence.NONE else self
        return attempt if attempt.position >= self.position else self
