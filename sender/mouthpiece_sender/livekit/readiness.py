"""Decides whether an avatar listens to us, from its profile, its attribute and its answers. No I/O.

An avatar that answers ``mouthpiece.status`` is asked that, which changes nothing. Others get the probe, once a session
and after each absence: ``lk.clear_buffer`` while nothing of ours plays. It also stops audio that an earlier process of
this sender may have left playing.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

from mouthpiece.profiles import PROBE_GRACE, Profile, Readiness
from mouthpiece.wire import Status
from mouthpiece_sender.livekit.connection import ClearAnswer, NotAnswered

PROBE_INTERVAL = 0.2
"""Seconds from an answer that decides nothing to the next question."""
STATUS_GRACE = 1.0
"""Seconds for which an avatar may lack ``mouthpiece.status``; after that it counts as one of an earlier version."""


class Listening(enum.Enum):
    UNKNOWN = "unknown"
    PROBING = "probing"
    """It was asked, and has not answered."""
    YES = "yes"
    ELSEWHERE = "elsewhere"
    """It is bound to another sender."""


@dataclass
class AvatarReadiness:
    """One avatar session."""

    recognised: Profile
    """The profile by which the participant was recognised."""
    seen_at: float
    """Monotonic seconds."""
    state: Listening = Listening.UNKNOWN
    next_probe: float = 0.0
    profile: Profile = field(init=False)
    """What can be expected of it; less than ``recognised`` in an avatar of an earlier version."""

    def __post_init__(self) -> None:
        self.profile = self.recognised

    def due(self, now: float) -> bool:
        """Whether to ask now. The caller does, and passes the answer to ``answered`` or ``reported``."""
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
            self._ask_again(now)
        return self.state

    def reported(self, status: Status | NotAnswered, now: float) -> Listening:
        """Take the answer to ``mouthpiece.status``; returns the new state."""
        if isinstance(status, Status):
            self.state = Listening.YES
        else:
            if status is NotAnswered.UNSUPPORTED and now >= self.seen_at + STATUS_GRACE:
                self.profile = replace(self.profile, status=False)
            self._ask_again(now)
        return self.state

    def again(self) -> None:
        """Probe once more an avatar that was bound to another sender."""
        self.state, self.next_probe = Listening.UNKNOWN, 0.0

    def _ask_again(self, now: float) -> None:
        self.state = Listening.UNKNOWN
        self.next_probe = now + PROBE_INTERVAL

    def _without_probe(self, answer: ClearAnswer, now: float) -> bool:
        match self.profile.readiness:
            case Readiness.ATTRIBUTE:
                return True  # its attribute is there; the clear was for what may still play
            case Readiness.PROBE_OR_GRACE:
                return answer == ClearAnswer.UNSUPPORTED and now >= self.seen_at + PROBE_GRACE
            case Readiness.PROBE | Readiness.SESSION:
                return False
