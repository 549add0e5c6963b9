"""Decides whether an avatar listens to us, from its profile, its attribute and its answers to the probe. No I/O.

The probe is ``lk.clear_buffer`` while nothing of ours plays. It succeeds once per session, and it also stops audio
that an earlier process of this sender may have left playing.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from mouthpiece.profiles import PROBE_GRACE, Profile, Readiness
from mouthpiece_sender.livekit.connection import ClearAnswer

PROBE_INTERVAL = 0.2
"""Seconds from an answer that decides nothing to the next probe."""


class Listening(enum.Enum):
    UNKNOWN = "unknown"
    PROBING = "probing"
    """A probe has been sent and not been answered."""
    YES = "yes"
    ELSEWHERE = "elsewhere"
    """It is bound to another sender."""


@dataclass
class AvatarReadiness:
    """One avatar session."""

    profile: Profile
    seen_at: float
    """Monotonic seconds."""
    state: Listening = Listening.UNKNOWN
    next_probe: float = 0.0

    def due(self, now: float) -> bool:
        """Whether to probe now. The caller does, and passes the answer to ``answered``."""
        return self.state is Listening.UNKNOWN and now >= self.next_probe

    def probing(self) -> None:
        self.state = Listening.PROBING

    def answered(self, answer: ClearAnswer, now: float) -> Listening:
        """Take the answer to a probe; returns the new state."""
        if answer == ClearAnswer.OK:
            self.state = Listening.YES
        elif answer == ClearAnswer.REJECT:
            self.state = Listening.ELSEWHERE
        elif self._without_probe(answer, now):
            self.state = Listening.YES
        else:
            self.state = Listening.UNKNOWN
            self.next_probe = now + PROBE_INTERVAL
        return self.state

    def again(self) -> None:
        """Probe once more an avatar that was bound to another sender."""
        self.state, self.next_probe = Listening.UNKNOWN, 0.0

    def _without_probe(self, answer: ClearAnswer, now: float) -> bool:
        match self.profile.readiness:
            case Readiness.ATTRIBUTE:
                return True  # its attribute is there; the clear was for what may still play
            case Readiness.PROBE_OR_GRACE:
                return answer == ClearAnswer.UNSUPPORTED and now >= self.seen_at + PROBE_GRACE
            case Readiness.PROBE | Readiness.SESSION:
                return False
