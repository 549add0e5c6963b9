"""What answers look like, for their description and the tests; segments themselves come from ``segment_json``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from mouthpiece.segments import Receipt, State


class Shown(BaseModel):
    """Base of all answers: nothing is in one that its description does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Shown):
    kind: Literal["file", "text", "url", "live"]
    name: str | None = Field(description="The file's name, as it was sent.")
    text: str | None
    voice: str | None


class Audio(Shown):
    sample_rate: int = Field(description="Hertz.")
    num_channels: int
    duration: float | None = Field(description="Seconds; null while it is not known.")


class Viewers(Shown):
    start: int | None = Field(description="People in the room when it started: said is not yet heard.")
    end: int | None = Field(description="People in the room when it ended.")


class SegmentError(Shown):
    type: str = Field(description="A stable slug.")
    detail: str
    retryable: bool = Field(description="The same may succeed later without being changed.")


SEGMENT_EXAMPLE: JsonDict = {
    "id": "seg_0198c5d2a3f1c0ffee12a3",
    "room": "demo",
    "avatar": "avatar-mouthpiece",
    "profile": "mouthpiece",
    "state": "finished",
    "receipt": "confirmed",
    "source": {"kind": "file", "name": "hello_world_16kHz.wav", "text": None, "voice": None},
    "audio": {"sample_rate": 16000, "num_channels": 1, "duration": 2.05},
    "position": 2.05,
    "interrupted": False,
    "viewers": {"start": 1, "end": 1},
    "created_at": "2026-11-21T09:30:00.120Z",
    "started_at": "2026-11-21T09:30:00.205Z",
    "finished_at": "2026-11-21T09:30:02.290Z",
    "expires_at": None,
    "duplicate": False,
    "error": None,
}


class Segment(Shown):
    """Something that somebody wanted said, as it stands."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [SEGMENT_EXAMPLE]})

    id: str
    room: str
    avatar: str | None = Field(description="Identity of the avatar that says it, or was asked to.")
    profile: str | None = Field(description="What kind of avatar that is: mouthpiece, avaluma or stock.")
    state: State
    receipt: Receipt = Field(description="How the end is known: the avatar confirmed it, or a clock estimates it.")
    source: Source
    audio: Audio
    position: float = Field(description="Seconds of it that were played, as far as is known.")
    interrupted: bool
    viewers: Viewers
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    duplicate: bool
    error: SegmentError | None


class SegmentPage(Shown):
    segments: list[Segment] = Field(description="Newest first.")
    next: str | None = Field(description="`after` for the page after this one; null at the end.")


class Interrupted(Shown):
    segments: list[Segment] = Field(description="What was stopped, as it ended; empty if nothing played.")


class Avatar(Shown):
    identity: str
    profile: str = Field(description="mouthpiece, avaluma or stock.")
    ready: bool | None = Field(description="It listens to us; null while we are not in the room to know.")
    queue: int = Field(description="Segments that wait for it.")
    playing: str | None = Field(description="The segment that plays.")


ROOM_EXAMPLE: JsonDict = {
    "room": "demo",
    "created_at": "2026-11-21T09:29:41Z",
    "empty_timeout": 300,
    "departure_timeout": 60,
    "viewers": 1,
    "avatars": [{"identity": "avatar-mouthpiece", "profile": "mouthpiece", "ready": True, "queue": 0, "playing": None}],
    "queue": 0,
    "playing": None,
}


class Room(Shown):
    """A room as LiveKit and this service see it."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [ROOM_EXAMPLE]})

    room: str
    created_at: datetime | None = Field(description="null: LiveKit has no such room yet, and segments wait for it.")
    empty_timeout: int | None = Field(description="Seconds until LiveKit closes it while nobody has joined.")
    departure_timeout: int | None = Field(description="Seconds until LiveKit closes it after the last viewer left.")
    viewers: int = Field(description="People in the room.")
    avatars: list[Avatar]
    queue: int = Field(description="Segments that wait, for whichever avatar.")
    playing: str | None = Field(description="The segment that plays; of several avatars, the first one's.")


class RoomList(Shown):
    rooms: list[Room]


class OpenedRoom(Shown):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "room": "demo",
                    "livekit_url": "ws://127.0.0.1:7880",
                    "token": "eyJ…",
                    "avatar": "avatar-mouthpiece",
                    "identity": "viewer-7c1f03ab",
                }
            ]
        },
    )

    room: str
    livekit_url: str = Field(description="LiveKit's address for a viewer.")
    token: str = Field(description="For one viewer: any LiveKit client joins with it, and brings the avatar.")
    avatar: str | None = Field(description="Identity of the avatar to expect; null where the worker decides.")
    identity: str = Field(description="The viewer's own identity, as it stands in the token.")


class Token(Shown):
    room: str
    livekit_url: str = Field(description="LiveKit's address for a viewer.")
    token: str
    identity: str


class Health(Shown):
    status: Literal["ok"] = "ok"


class ProblemDetails(Shown):
    """An error, after RFC 9457."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(description="A stable slug; docs/api.md lists them.")
    title: str
    status: int
    detail: str = Field(description="What is wrong here, and what to do.")
    field: Annotated[str | None, Field(description="The parameter, header or key of the body that is at fault.")] = None
