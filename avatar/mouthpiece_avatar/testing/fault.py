"""What a receiver does wrong: a decision without I/O, which :mod:`mouthpiece_avatar.testing.scripted` performs.

Each hook is given what would be right, or what the fault before it made of that, and returns what is done instead. The
hooks of :class:`Fault` itself change nothing, so a fault overrides what it is about alone.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from mouthpiece.audio.pcm import Samples
from mouthpiece.wire import PlaybackReceipt


@dataclass(slots=True)
class Inbound:
    """A stream that a receiver was sent."""

    number: int
    """1 for the first one that came to this receiver."""
    sender: str
    """Identity."""
    segment: str | None = None
    """The id that it carried."""
    attempt: int | None = None
    received: float = 0.0
    """Seconds that have come so far."""


class Moment(enum.Enum):
    """When a receiver may have something to report of a stream."""

    STARTED = "started"
    """Its first sample leaves."""
    RECEIVED = "received"
    """Its trailer has come. There is nothing to report then, but for one that reports too early."""
    ENDED = "ended"
    """Its last sample has left, or it was interrupted."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A receipt that is about to be sent."""

    receipt: PlaybackReceipt
    after: float = 0.0
    """Seconds from now."""
    by: str | None = None
    """Identity of the participant that sends it; None: the receiver itself."""

    @property
    def of_end(self) -> bool:
        return self.receipt.event == "finished"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that another participant makes."""

    method: str
    caller: str
    """Identity."""
    streams: int
    """How many streams have come so far."""


@dataclass(frozen=True, slots=True)
class Answer:
    after: float = 0.0
    """Seconds until it is given."""
    payload: str | None = None
    """None: the right one."""
    unsupported: bool = False
    """The method is not there; ``payload`` does not matter then."""


class HaltKind(enum.Enum):
    STALLS = "stalls"
    """Its sound stops; the next stream, or a clear, frees it."""
    DIES = "dies"
    """The receiver leaves the room without a word."""


@dataclass(frozen=True, slots=True)
class Halt:
    at: float
    """Seconds of the stream that are played before it."""
    kind: HaltKind


class Fault:
    """None yet: a receiver that keeps its word."""

    lasting: bool = False
    """Once it has shown, nothing more is heard of this receiver: another one has to take its place."""

    @property
    def joins_after(self) -> float:
        """Seconds by which the receiver comes late into its room."""
        return 0.0

    @property
    def participants(self) -> Sequence[str]:
        """Identities that it needs beside the receiver's own."""
        return ()

    def hears(self, stream: Inbound, heard: bool) -> bool:
        """Whether a stream is played at all; otherwise nothing is reported of it either."""
        return heard

    def halt(self, stream: Inbound, halt: Halt | None) -> Halt | None:
        """What stops a stream in its middle."""
        return halt

    def trailer_after(self, stream: Inbound, seconds: float) -> float:
        """Seconds by which the end of a stream is noticed late."""
        return seconds

    def voice(self, stream: Inbound, data: bytes) -> bytes:
        """What is played in the place of ``data``, s16le cut anywhere, as long."""
        return data

    def track(self, index: int, samples: Samples) -> Samples:
        """What goes onto the audio track in the place of ``samples``, 48 kHz mono from the sample ``index`` on."""
        return samples

    def receipts(self, moment: Moment, stream: Inbound, outgoing: tuple[Outgoing, ...]) -> tuple[Outgoing, ...]:
        """What is reported of a stream at a moment."""
        return outgoing

    def answer(self, call: Call, answer: Answer) -> Answer:
        """How a call is answered."""
        return answer
