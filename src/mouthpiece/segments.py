"""Segments, attempts and events: the values that the ledger decides on, the store keeps and the API shows.

A *segment* is what somebody wants said. An *attempt* is one byte stream that says it or a part of it: pause, replay,
recovery and crash are all new attempts. An *event* is one line of the log of what happened to a segment.
"""

from __future__ import annotations

import enum
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from mouthpiece.errors import MouthpieceError
from mouthpiece.fields import About

Until = Literal["queued", "playing", "finished"]
"""How far a segment must have come for a wait to end: accepted, begun to play, or in a terminal state."""


class State(enum.StrEnum):
    """``queued`` → ``playing`` (⇄ ``paused``) → one of the terminal states, exactly one."""

    QUEUED = "queued"
    PLAYING = "playing"
    PAUSED = "paused"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    """Before it played."""
    EXPIRED = "expired"
    """Its ``expires_in`` passed while it waited."""
    IGNORED = "ignored"
    """``mode=ignore`` while another played."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The process died, the room closed or the avatar left while it played."""

    @property
    def terminal(self) -> bool:
        return self not in (State.QUEUED, State.PLAYING, State.PAUSED)


class Receipt(enum.StrEnum):
    """How we know about the end."""

    NONE = "none"
    CONFIRMED = "confirmed"
    """The avatar said so."""
    ESTIMATED = "estimated"
    """The playout clock says so."""
    UNKNOWN = "unknown"


class Mode(enum.StrEnum):
    """What to do when another segment plays."""

    APPEND = "append"
    INTERRUPT = "interrupt"
    IGNORE = "ignore"


class OnLoss(enum.StrEnum):
    """What to do with a segment that may have been heard in part when its avatar was lost."""

    DROP = "drop"
    REPLAY = "replay"


SourceKind = Literal["file", "text", "url", "live"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a segment's sound comes from."""

    kind: SourceKind
    name: Annotated[str | None, About("The file's name, as it was sent.")] = None
    text: str | None = None
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What is known of the sound before it is decoded."""

    sample_rate: Annotated[int, About("Hertz.")]
    num_channels: int
    duration: Annotated[float | None, About("Seconds; null while it is not known (live, text in synthesis).")]


@dataclass(frozen=True, slots=True)
class Viewers:
    """How many people were in the room: said is not yet heard."""

    start: Annotated[int | None, About("People in the room when the segment started.")] = None
    end: Annotated[int | None, About("People in the room when the segment ended.")] = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a segment failed, or why its end is unknown."""

    type: Annotated[str, About("A stable slug.")]
    detail: str
    retryable: Annotated[bool, About("The same may succeed later without being changed.")] = False

    @classmethod
    def of(cls, error: MouthpieceError) -> Self:
        """``error`` in the form that is stored and shown."""
        return cls(error.slug, str(error), error.retryable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment as it stands; a change makes a new value.

    The store, the JSON and the OpenAPI document are derived from these fields, in this order
    (:mod:`mouthpiece.fields`); a new one needs a migration in ``mouthpiece_sender.storage.rows`` and nothing else.
    """

    id: Annotated[str, About(fixed=True)]
    room: Annotated[str, About(fixed=True)]
    avatar: Annotated[str | None, About("Identity of the avatar that says it, or was asked to.")] = None
    profile: Annotated[str | None, About("The kind of that avatar: mouthpiece, avaluma, stock or anam.")] = None
    state: State = State.QUEUED
    receipt: Annotated[Receipt, About("How the end is known: the avatar confirmed it, or a clock estimates it.")] = (
        Receipt.NONE
    )
    source: Annotated[Source, About(fixed=True)]
    audio: Annotated[AudioInfo, About(prefix="")]
    position: Annotated[float, About("Seconds of it that were played, as far as is known.")] = 0.0
    interrupted: bool = False
    viewers: Viewers = Viewers()
    created_at: Annotated[datetime, About(fixed=True)]
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    duplicate: bool = False
    error: Problem | None = None
    mode: Annotated[Mode, About(fixed=True, shown=False)] = Mode.APPEND
    on_loss: Annotated[OnLoss, About(fixed=True, shown=False)] = OnLoss.DROP
    interruptible: Annotated[bool, About(fixed=True, shown=False)] = True
    wait_for_viewer: Annotated[bool, About(fixed=True, shown=False)] = False

    def reached(self, until: Until) -> bool:
        """Whether the segment has come as far as ``until``; one that has ended has reached everything."""
        match until:
            case "queued":
                return True
            case "playing":
                return self.state is not State.QUEUED
            case "finished":
                return self.state.terminal


@dataclass(frozen=True, slots=True)
class Attempt:
    """One byte stream that says a segment from ``offset`` on."""

    segment: str
    number: int
    """1 for the first; at most one attempt of a segment is outstanding at a time."""
    offset: float
    """Seconds into the segment."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the event log. ``seq`` is given by whoever stores it, growing within a store."""

    segment: str
    room: str
    type: str
    """``segment.<state>``, ``attempt.opened``, ``attempt.closed`` …"""
    at: datetime
    attempt: int | None = None
    position: float | None = None
    detail: str | None = None
    seq: int = 0


def new_segment_id() -> str:
    """``seg_`` and 22 characters: time first, so that ids sort by age; not to be guessed."""
    return f"seg_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(5)}{secrets.randbelow(16):x}"


def utc_now() -> datetime:
    return datetime.now(UTC)
