"""Response bodies, for the OpenAPI document and the tests; segments themselves are written by ``segment_json``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.config import JsonDict

from mouthpiece import segments
from mouthpiece.fields import fields_of
from mouthpiece_sender.api.tickets import Opens
from mouthpiece_sender.segment_json import segment_json


class ResponseModel(BaseModel):
    """Base of all response bodies: none has a key that the document does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SCHEMA_NAMES: Mapping[type, str] = {
    segments.AudioInfo: "Audio",
    segments.Problem: "SegmentError",
    segments.AttemptRecord: "Attempt",
}
"""Schemas whose name is not their dataclass's."""


@functools.cache
def model_of(kind: type) -> type[ResponseModel]:
    """Return the model of a dataclass: its shown fields, with the descriptions from :mod:`mouthpiece.fields`."""
    fields: dict[str, Any] = {}
    for field in fields_of(kind):
        annotation: Any = field.annotation
        if field.many:
            annotation = list[model_of(field.type)]  # type: ignore[misc]  # a model that is made here
        elif field.group:
            annotation = model_of(field.type) | None if field.optional else model_of(field.type)
        if field.about.shown:
            fields[field.name] = (annotation, Field(description=field.about.text))
    return create_model(SCHEMA_NAMES.get(kind, kind.__name__), __base__=ResponseModel, __doc__=kind.__doc__, **fields)


SEGMENT_EXAMPLE: JsonDict = segment_json(
    segments.Segment(
        id="seg_0198c5d2a3f1c0ffee12a3",
        room="demo",
        avatar="avatar-mouthpiece",
        profile="mouthpiece",
        state=segments.State.FINISHED,
        receipt=segments.Receipt.CONFIRMED,
        source=segments.Source("file", "hello_world_16kHz.wav"),
        audio=segments.AudioInfo(16_000, 1, 2.05),
        position=2.05,
        viewers=segments.Viewers(1, 1),
        tag="order-12",
        metadata={"shop": "Lyon"},
        attempts=(
            segments.AttemptRecord(
                number=1,
                avatar="avatar-mouthpiece",
                profile="mouthpiece",
                offset=0.0,
                position=2.05,
                receipt=segments.Receipt.CONFIRMED,
                state=segments.AttemptState.FINISHED,
                started_at=datetime(2026, 11, 21, 9, 30, 0, 205_000, tzinfo=UTC),
                ended_at=datetime(2026, 11, 21, 9, 30, 2, 290_000, tzinfo=UTC),
            ),
        ),
        created_at=datetime(2026, 11, 21, 9, 30, 0, 120_000, tzinfo=UTC),
        started_at=datetime(2026, 11, 21, 9, 30, 0, 205_000, tzinfo=UTC),
        finished_at=datetime(2026, 11, 21, 9, 30, 2, 290_000, tzinfo=UTC),
    )
)


class Segment(model_of(segments.Segment)):  # type: ignore[misc]  # its base is made from the dataclass
    """A sound or a text for an avatar to say: its current value."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [SEGMENT_EXAMPLE]})


class SegmentPage(ResponseModel):
    segments: list[Segment] = Field(description="Newest first.")
    next: str | None = Field(description="`after` for the page after this one; null at the end.")


class Event(ResponseModel):
    """Something that happened, with the segment as it stood then."""

    id: str = Field(description="A number that grows, over restarts too.")
    type: str = Field(
        description="segment.<state>, attempt.opened, attempt.started, attempt.ended, room.avatar_joined, "
        "room.avatar_left or room.closed."
    )
    at: datetime
    room: str
    avatar: str | None = Field(description="Identity of the avatar that it is about.")
    attempt: int | None = Field(description="Number of the attempt that it is about.")
    segment: Segment | None = Field(description="As it stood then; null where the event is about the room.")


class EventPage(ResponseModel):
    events: list[Event] = Field(description="In order.")
    next: str | None = Field(description="`after` for the events after these; null at the end.")


class Webhook(ResponseModel):
    id: str
    url: str
    events: list[str] = Field(description="Types of events that it is sent; empty: all.")
    rooms: list[str] = Field(description="What the names of its rooms begin with; empty: all rooms.")
    pending: int = Field(description="Deliveries that are still to arrive.")
    failed: int = Field(description="Deliveries that were given up.")


class WebhookList(ResponseModel):
    webhooks: list[Webhook]


class Delivery(ResponseModel):
    """One event for one receiver."""

    id: str
    webhook: str | None = Field(description="Id of the webhook; null: the segment's `callback`.")
    url: str
    event: str = Field(description="Id of the event.")
    type: str
    room: str
    segment: str | None
    state: Literal["pending", "failed"]
    tries: int = Field(description="How often it was sent.")
    created_at: datetime
    due_at: datetime | None = Field(
        description="When it is sent next; null: after earlier ones of its segment, or not by itself."
    )
    detail: str | None = Field(description="Why it did not arrive the last time.")


class DeliveryPage(ResponseModel):
    deliveries: list[Delivery] = Field(description="Newest first.")
    next: str | None = Field(description="`after` for the page after this one; null at the end.")


class Ticket(ResponseModel):
    room: str
    ticket: str = Field(description="For `?ticket=`.")
    opens: list[Opens]
    expires_in: float = Field(description="Seconds within which it must be used.")


class Interrupted(ResponseModel):
    segments: list[Segment] = Field(
        description="The segments that were stopped, as they ended; empty if nothing played."
    )


class Pausing(ResponseModel):
    room: str
    paused: bool = Field(description="The room, or one avatar of it, is held until it is resumed.")
    segments: list[Segment] = Field(description="What was stopped, or goes on, as it stands.")


class Avatar(ResponseModel):
    identity: str
    profile: str = Field(description="The kind of avatar: mouthpiece, avaluma, stock or anam.")
    ready: bool | None = Field(description="It accepts our streams; null while we are not in the room to know.")
    queue: int = Field(description="Segments that wait for it.")
    playing: str | None = Field(description="Id of the segment that plays.")


ROOM_EXAMPLE: JsonDict = {
    "room": "demo",
    "created_at": "2026-11-21T09:29:41Z",
    "empty_timeout": 300,
    "departure_timeout": 60,
    "viewers": 1,
    "avatars": [{"identity": "avatar-mouthpiece", "profile": "mouthpiece", "ready": True, "queue": 0, "playing": None}],
    "queue": 0,
    "playing": None,
    "paused": False,
}


class Room(ResponseModel):
    """A room, as LiveKit and this service know it."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [ROOM_EXAMPLE]})

    room: str
    created_at: datetime | None = Field(description="null: LiveKit has no such room yet, and segments wait for it.")
    empty_timeout: int | None = Field(description="Seconds until LiveKit closes it if no viewer joins.")
    departure_timeout: int | None = Field(description="Seconds until LiveKit closes it after the last viewer left.")
    viewers: int = Field(description="People in the room.")
    avatars: list[Avatar]
    queue: int = Field(description="Segments that wait, of all avatars.")
    playing: str | None = Field(description="Id of the segment that plays; with several avatars, the first one's.")
    paused: bool = Field(description="It is held until `POST /v1/rooms/{room}/resume`.")


class RoomList(ResponseModel):
    rooms: list[Room]


class OpenedRoom(ResponseModel):
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
    token: str = Field(
        description="For one viewer: any LiveKit client can join with it; joining dispatches the avatar."
    )
    avatar: str | None = Field(description="Identity of the avatar to expect; null where the worker decides.")
    identity: str = Field(description="The viewer's identity, as in the token.")


class Token(ResponseModel):
    room: str
    livekit_url: str = Field(description="LiveKit's address for a viewer.")
    token: str
    identity: str


class Health(ResponseModel):
    status: Literal["ok"] = "ok"


class RoomCapacity(ResponseModel):
    """How many more rooms can be spoken into."""

    open: int = Field(description="Rooms that are spoken into or stayed in.")
    limit: int | None = Field(description="How many there may be (`MOUTHPIECE_MAX_ROOMS`); null: any number.")
    free: int | None = Field(description="How many more; null: any number. At 0 a new room is answered with 503.")


class Readiness(ResponseModel):
    status: Literal["ok"] = "ok"
    rooms: RoomCapacity
    waiting: int = Field(description="Segments that wait, in all rooms.")


class ProblemDetails(ResponseModel):
    """An error, after RFC 9457."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(description="A stable slug; docs/api.md lists them.")
    title: str
    status: int
    detail: str = Field(description="What is wrong here, and what to do.")
    retryable: bool = Field(description="The same request may succeed later; `Retry-After` says when to try.")
    field: Annotated[str | None, Field(description="The parameter, header or key of the body that is at fault.")] = None
