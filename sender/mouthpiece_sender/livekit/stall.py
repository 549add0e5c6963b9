"""Decides whether LiveKit stands still while something plays at an avatar that cannot be asked what it played. No I/O.

What is sent meanwhile is heard by nobody, or much later, and the SDK says so 15 s late (livekit 1.1.21, a server that
was stopped). Two signs say it sooner. A track that is listened to brings a packet each 20 ms while it has sound, and
one in 400 ms while it has none (Opus's discontinuous transmission, RFC 6716, 2.1.9); some avatars send nothing at all
between two sounds, so an absence of packets is only a reason to ask. And LiveKit answers HTTP at once, or not at all.

::

    FLOWING ──no packet for a while──▶ QUIET ──no answer──▶ AWAY
       ▲                                 │ an answer, or a packet │
       └─────────────────────────────────┴────────────────────────┘
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

QUIET_AFTER: Final = 1.0
"""Seconds without a packet after which LiveKit is asked whether it is there."""
ASK_EVERY: Final = 1.0
"""Seconds from an answer to the next question, while no packets are seen; half of it while LiveKit is away."""
ANSWER_WITHIN: Final = 1.0
"""Seconds that LiveKit's answer may take."""
LOST_AFTER: Final = 3.0
"""Seconds without an answer after which what was playing counts as lost. Until then it is only held: livekit-agents'
receiver waits 10 s for the rest of a stream."""


class Flow(enum.Enum):
    FLOWING = "flowing"
    QUIET = "quiet"
    """No packet comes; LiveKit is being asked, and nothing is sent until then."""
    AWAY = "away"
    """LiveKit does not answer."""


@dataclass
class StallDecision:
    """Of one avatar. Times are monotonic seconds, passed in."""

    state: Flow = Flow.FLOWING
    """Written by ``_enter`` alone."""
    flowed_at: float = 0.0
    """When the last packet came, or LiveKit's last answer did."""
    _entered_at: float = 0.0
    _packets: int | None = None
    _next_question: float = 0.0

    def begin(self, now: float) -> None:
        """Something begins to play: nothing is known yet."""
        self._enter(Flow.FLOWING, now)
        self._packets, self.flowed_at, self._next_question = None, now, now + ASK_EVERY

    def sounded(self, now: float) -> None:
        """There is sound on the track."""
        self._flows(now)

    def counted(self, packets: int | None, now: float) -> None:
        """``packets`` have come over the track so far; None: that is not known."""
        if packets is None or packets != self._packets:
            if packets is not None:
                self._flows(now)
            self._packets = packets
        elif self.state is Flow.FLOWING and now >= self.flowed_at + QUIET_AFTER:
            self._enter(Flow.QUIET, now)
            self._next_question = now

    def due(self, now: float) -> bool:
        """Whether to ask LiveKit now. The caller does, and passes the outcome to ``answered``."""
        return now >= self._next_question

    def answered(self, answered: bool, now: float) -> None:
        """Take the outcome of a question: whether LiveKit answered within ``ANSWER_WITHIN``."""
        if answered:
            self._flows(now)
            return
        self._next_question = now + ASK_EVERY / 2
        if self.state is not Flow.AWAY:
            self._enter(Flow.AWAY, now)

    def lost(self, now: float) -> bool:
        """LiveKit has been away for so long that what was playing is lost."""
        return self.state is Flow.AWAY and now >= self._entered_at + LOST_AFTER

    def _flows(self, now: float) -> None:
        self.flowed_at, self._next_question = now, now + ASK_EVERY
        if self.state is not Flow.FLOWING:
            self._enter(Flow.FLOWING, now)

    def _enter(self, state: Flow, now: float) -> None:
        self.state, self._entered_at = state, now
