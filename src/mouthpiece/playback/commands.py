"""What goes into a ledger, and what comes out of it: values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece.playback.heard import Heard
from mouthpiece.segments import Attempt, AttemptState, EndedBy, OnLoss, Problem, Receipt, State


@dataclass(frozen=True, slots=True)
class Utterance:
    """A segment as the ledger needs it. Times are monotonic seconds."""

    segment: str
    accepted_at: float
    interruptible: bool = True
    on_loss: OnLoss = OnLoss.DROP
    wait_for_viewer: bool = False
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """Open a byte stream for this attempt."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Send:
    """The open stream may carry the attempt's audio up to here."""

    attempt: Attempt
    up_to: float
    """Seconds of the attempt."""


@dataclass(frozen=True, slots=True)
class Close:
    """Stop sending this attempt and close its stream; answered by nothing."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Clear:
    """Call ``lk.clear_buffer``; answered by ``clear_answered``. It clears everything of ours at the avatar."""


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Call ``mouthpiece.status``; answered by ``status``. It changes nothing."""


@dataclass(frozen=True, slots=True)
class SendSilence:
    """Open a byte stream, send a short silence and close it: an avatar that hears reports the end of that."""


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended."""

    state: AttemptState
    heard: Heard
    """In seconds of the segment."""
    short: bool = False
    """It was sent whole, and an avatar whose positions prove little reports that it played less."""


@dataclass(frozen=True, slots=True)
class Report:
    """A segment has a new state, or something worth the log happened to it."""

    segment: str
    type: str
    """``segment.<state>`` or ``attempt.<what>``."""
    state: State
    receipt: Receipt = Receipt.NONE
    position: float = 0.0
    interrupted: bool = False
    problem: Problem | None = None
    attempt: Attempt | None = None
    attempt_end: AttemptEnd | None = None
    """With ``attempt.ended`` alone."""
    ended_by: EndedBy | None = None


Command = Open | Send | Close | Clear | AskStatus | SendSilence | Report
