"""Segments, attempts and events: values that the ledger decides on, the store holds and the API shows.

A *segment* is a sound or a text for an avatar to say. An *attempt* is one byte stream that carries the segment, or a
part of it: a pause, a replay and a recovery each lead to a new attempt. An *event* is one entry of a segment's log.
"""

from __future__ import annotations

import enum
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

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
    """By the caller, before any of it was heard."""
    EXPIRED = "expired"
    """Its ``expires_in`` passed before any of it was heard."""
    IGNORED = "ignored"
    """It came with ``mode=ignore`` while another segment played."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The process died, the room closed or the avatar left while it played, and did not come back for its replay."""

    @property
    def terminal(self) -> bool:
        """Whether the segment has ended: no other state follows."""
        return self not in (State.QUEUED, State.PLAYING, State.PAUSED)


class Receipt(enum.StrEnum):
    """How the end of a segment is known."""

    NONE = "none"
    CONFIRMED = "confirmed"
    """The avatar reported it."""
    HEARD = "heard"
    """The avatar's audio track bears it out: the sender listened."""
    ESTIMATED = "estimated"
    """The playout clock passed it."""
    UNKNOWN = "unknown"
    """Nobody confirms it: it may have been heard as far as the playout clock came."""


class EndedBy(enum.StrEnum):
    """What ended a segment before its end."""

    CALLER = "caller"
    SUPERSEDED = "superseded"
    """By a segment with ``mode=interrupt``."""
    EXPIRED = "expired"
    AVATAR = "avatar"
    """It left, was lost, gave up, or never came."""
    CONNECTION = "connection"
    """To LiveKit."""
    RESTART = "restart"
    """Of the sender."""
    ROOM = "room"
    """It was closed."""
    SOURCE = "source"
    """Its sound broke off."""


class AttemptState(enum.StrEnum):
    OPEN = "open"
    FINISHED = "finished"
    """All that was sent was heard."""
    INTERRUPTED = "interrupted"
    LOST = "lost"
    """Its avatar or connection was lost while it played."""


class Mode(enum.StrEnum):
    """What a new segment does while another one plays."""

    APPEND = "append"
    INTERRUPT = "interrupt"
    IGNORE = "ignore"


class OnLoss(enum.StrEnum):
    """What becomes of a segment that may have been heard in part when its avatar was lost."""

    DROP = "drop"
    REPLAY = "replay"


TextFormat = Literal["plain", "markdown"]
SourceKind = Literal["file", "text", "url", "live"]
Encoding = Literal["container", "s16le", "s16be"]
"""How a stored sound is read: as its content says, or as raw samples of 16 bits with the low or the high byte first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a segment's sound comes from."""

    kind: Annotated[
        SourceKind,
        About("`live`: spoken while it arrived. Nothing of it is stored: a restart of the service ends it."),
    ]
    name: Annotated[str | None, About("The file's name, as it was sent.")] = None
    text: str | None = None
    voice: str | None = None
    tts: Annotated[str | None, About("The provider that the text was asked of.", shown=False)] = None
    encoding: Annotated[Encoding | None, About("Of a stored sound; null where it is not known.", shown=False)] = None
    text_format: Annotated[TextFormat | None, About("How the text is written; null: plainly.", shown=False)] = None


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """Properties of a sound that are known before it is decoded."""

    sample_rate: Annotated[int, About("Hertz.")]
    num_channels: int
    duration: Annotated[float | None, About("Seconds; null while it is not known (live, text in synthesis).")]


@dataclass(frozen=True, slots=True)
class Viewers:
    """How many people were in the room: a segment that played to nobody was not heard."""

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


@dataclass(frozen=True, slots=True)
class Attempt:
    """One byte stream that carries a segment from ``offset`` on."""

    segment: str
    number: int
    """1 for the first; at most one attempt of a segment is outstanding at a time."""
    offset: float
    """Seconds into the segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """An attempt as it is stored and shown."""

    number: int
    avatar: Annotated[str | None, About("Identity of the avatar that it was sent to.")] = None
    profile: str | None = None
    session: Annotated[str, About("Of that avatar; another session is another avatar.", shown=False)] = ""
    offset: Annotated[float, About("Seconds into the segment at which it begins.")]
    position: Annotated[float, About("Seconds into the segment up to which it was heard.")] = 0.0
    receipt: Receipt = Receipt.NONE
    state: AttemptState = AttemptState.OPEN
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The current value of one segment; a change makes a new value.

    The store, the JSON and the OpenAPI document are derived from these fields, in this order
    (:mod:`mouthpiece.fields`); a new one needs a migration in ``mouthpiece_sender.storage.migrations`` and nothing
    else.
    """

    id: Annotated[str, About(fixed=True)]
    room: Annotated[str, About(fixed=True)]
    avatar: Annotated[str | None, About("Identity of the avatar that says it, or was asked to.")] = None
    profile: Annotated[str | None, About("The kind of that avatar: mouthpiece, avaluma, stock or anam.")] = None
    state: State = State.QUEUED
    receipt: Annotated[
        Receipt, About("How the end is known: the avatar confirmed it, its track was heard, or a clock estimates it.")
    ] = Receipt.NONE
    source: Annotated[Source, About(fixed=True)]
    audio: Annotated[AudioInfo, About(prefix="")]
    position: Annotated[float, About("Seconds of it that were played, as far as is known.")] = 0.0
    interrupted: bool = False
    viewers: Viewers = Viewers()
    tag: Annotated[str | None, About("The caller's own reference.", fixed=True)] = None
    metadata: Annotated[dict[str, Any] | None, About("What the caller attached to it.", fixed=True)] = None
    ended_by: Annotated[EndedBy | None, About("What ended it before its end.")] = None
    attempts: Annotated[tuple[AttemptRecord, ...], About("One entry for each stream that carried it, in order.")] = ()
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
    callback: Annotated[str | None, About("A URL that is sent its events.", fixed=True, shown=False)] = None
    addressed: Annotated[
        bool, About("The caller named its avatar: no other one may say it.", fixed=True, shown=False)
    ] = False

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
class Event:
    """One entry of the event log."""

    segment: str | None
    """None: it is about the room alone."""
    room: str
    type: str
    """``segment.<state>``, ``attempt.opened``, ``attempt.started``, ``attempt.ended``, ``room.avatar_joined``,
    ``room.avatar_left`` or ``room.closed``."""
    at: datetime
    attempt: int | None = None
    position: float | None = None
    detail: str | None = None
    avatar: str | None = None
    """Of an event about a room: the avatar that it names."""
    seq: int = 0
    """Assigned by the journal that stores it; grows within a journal."""


def new_segment_id() -> str:
    """Return ``seg_`` and 22 characters: milliseconds first, so ids sort by age, then 44 random bits."""
    return f"seg_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(5)}{secrets.randbelow(16):x}"


def utc_now() -> datetime:
    return datetime.now(UTC)
