"""Parameters and JSON bodies of requests, with their limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import Request

from mouthpiece.dispatch import JobMetadata, Provider, check_avatar_id
from mouthpiece.segments import Mode, OnLoss, State, Until
from mouthpiece_sender.api.idempotency import refuse_key
from mouthpiece_sender.api.json_text import from_json
from mouthpiece_sender.api.problems import ApiProblem, bad_parameter
from mouthpiece_sender.api.tickets import Opens

MAX_JSON = 65_536
"""Bytes of a JSON body."""
MAX_NAME = 256
"""Bytes of a room's name and of an identity, by LiveKit. Joiners (U+200C, U+200D) are letters' parts in Persian."""
MAX_WAIT = 3600.0
"""Seconds that a request may wait."""
DAY = 86_400

Model = TypeVar("Model", bound=BaseModel)


def _name(text: str) -> str:
    if not text.replace("\u200c", "").replace("\u200d", "").isprintable() or "/" in text or text != text.strip():
        raise ValueError("must be printable, without a slash and without spaces at its ends")
    if len(text.encode()) > MAX_NAME:
        raise ValueError(f"must be at most {MAX_NAME} bytes of UTF-8, which is what LiveKit takes")
    return text


def _states(value: Any) -> Any:
    given = value if isinstance(value, list) else [value]
    return [part for one in given for part in str(one).split(",") if part]


RoomName = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_name)]
RoomPath = Annotated[RoomName, Path(description="The room's name.", examples=["demo"])]
SegmentPath = Annotated[str, Path(description="A segment's id.", examples=["seg_0198c5d2a3f1c0ffee12a3"])]
Identity = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_name)]
AvatarIdentity = Annotated[str, Field(min_length=1, max_length=256)]
Tag = Annotated[str, Field(min_length=1, max_length=200)]
AvatarId = Annotated[str, AfterValidator(check_avatar_id)]


class RequestModel(BaseModel):
    """Base of parameters and bodies: an unknown name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WaitQuery(RequestModel):
    wait: Until = Field("queued", description="Answer once the segment reaches this, or after `timeout`.")
    timeout: float = Field(30.0, ge=0, le=MAX_WAIT, description="Seconds that `wait` waits at most.")


class SpeakQuery(WaitQuery):
    mode: Mode = Field(
        Mode.APPEND,
        description="While another segment plays: `append` this one, `interrupt` that one, or `ignore` this one.",
    )
    expires_in: float | None = Field(
        None, gt=0, le=DAY, description="Seconds that the segment may wait before it plays."
    )
    on_loss: OnLoss = Field(
        OnLoss.DROP,
        description="If the avatar is lost while the segment plays: `drop` it, or `replay` it from where it was.",
    )
    wait_for_viewer: bool = Field(False, description="Play only once a viewer is in the room.")
    interruptible: bool = Field(True, description="Whether `interrupt` may stop it.")
    avatar: AvatarIdentity | None = Field(None, description="Identity of the avatar, where a room has several.")
    tag: Tag | None = Field(None, description="Your own reference, to find it by.")
    callback: str | None = Field(
        None, min_length=1, max_length=2000, description="A public URL that each event of the segment is sent to."
    )

    live: bool = Field(
        False,
        description="Speak the body while it still arrives: raw samples, or a WAV of them. Nothing of it is stored, so "
        "a restart ends it; the segment says so (`source.kind` is `live`). The answer comes once the body has ended.",
    )

    @property
    def decisive(self) -> dict[str, Any]:
        """The parameters that decide what is said, and how: all but those that say when to answer. Those at their
        defaults are left out, so that a version with one more compares the same."""
        return self.model_dump(mode="json", exclude={"wait", "timeout"}, exclude_defaults=True)


class ListQuery(RequestModel):
    state: Annotated[list[State], BeforeValidator(_states)] = Field(
        default_factory=list,
        description="Only segments in these states; repeat the parameter, or separate states by commas.",
    )
    tag: Tag | None = Field(None, description="Only those with this tag.")
    limit: int = Field(50, ge=1, le=200)
    after: str | None = Field(None, description="`next` of the page before.")


EventId = Annotated[str, Field(pattern="^[0-9]{1,18}$")]


class EventsQuery(RequestModel):
    after: EventId | None = Field(
        None, description="The id of an event: the stream begins after it. Without it, with what happens from now on."
    )
    avatar: AvatarIdentity | None = Field(None, description="Only events of the avatar with this identity.")
    ticket: str | None = Field(None, max_length=4000, description="Instead of a key, for browsers.")


class HistoryQuery(RequestModel):
    after: EventId | None = Field(None, description="The id of an event: only those after it.")
    limit: int = Field(200, ge=1, le=1000, description="Events of one answer; a stream has no limit.")


class DeliveriesQuery(RequestModel):
    state: Literal["pending", "failed"] = Field("failed", description="Still to arrive, or given up.")
    limit: int = Field(50, ge=1, le=200)
    after: EventId | None = Field(None, description="`next` of the page before.")


class TicketBody(RequestModel):
    opens: list[Opens] = Field(["events"], min_length=1, max_length=10, description="What it opens in the room.")
    expires_in: float = Field(60, gt=0, le=600, description="Seconds within which it must be used.")


class DeleteQuery(RequestModel):
    purge: bool = Field(False, description="Erase its audio, name, text and metadata too.")


class AvatarQuery(RequestModel):
    avatar: AvatarIdentity | None = Field(None, description="Identity of one avatar; without it, all of the room's.")


class NoQuery(RequestModel):
    """For routes without parameters: any parameter is refused."""


class NoBody(RequestModel):
    """For calls that take no keys: an empty body or `{}`."""


class InterruptBody(RequestModel):
    queued: Literal["keep", "drop"] = Field("keep", description="What becomes of the segments that wait.")


class AvatarChoice(RequestModel):
    provider: Provider | None = None
    id: AvatarId | None = None


class OpenRoomBody(RequestModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{}, {"room": "demo", "avatar": {"provider": "local", "id": "mia"}}]},
    )

    room: RoomName | None = Field(None, description="Random if not given; an existing room is used as it is.")
    avatar: AvatarChoice = Field(AvatarChoice(), description="Which avatar; the worker chooses if not given.")
    empty_timeout: int | None = Field(
        None, ge=1, le=30 * DAY, description="Seconds that the room stays open without a viewer before one has joined."
    )
    departure_timeout: int | None = Field(
        None,
        ge=1,
        le=30 * DAY,
        description="Seconds that it stays open after the last viewer left; `empty_timeout` if only that is given.",
    )
    identity: Identity | None = Field(None, description="The viewer's; random if not given.")
    name: str | None = Field(None, max_length=200, description="The viewer's name, as others in the room see it.")
    data: bool = Field(
        False, description="Whether the viewer may publish data: chat, RPC. One that floods a room loses that right."
    )

    def metadata(self) -> JobMetadata:
        """Return the job metadata for the worker."""
        return JobMetadata(self.avatar.provider, self.avatar.id, self.empty_timeout)


class TokenBody(RequestModel):
    identity: Identity | None = Field(None, description="Random if not given.")
    name: str | None = Field(None, max_length=200, description="As others in the room see it.")
    data: bool = Field(
        False, description="Whether the viewer may publish data: chat, RPC. One that floods a room loses that right."
    )


async def read_json(request: Request, model: type[Model]) -> Model:
    """Read the body as JSON, whatever its ``Content-Type`` (curl -d sends another one); an empty body is ``{}``.

    :raises ApiProblem: the request has an Idempotency-Key, which is honoured for segments alone; or the body is longer
        than ``MAX_JSON``, not a JSON object, or not valid for ``model``.
    """
    refuse_key(request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON:
            raise ApiProblem("too-large", f"The body must not be longer than {MAX_JSON} bytes.")
    return validated(from_json(body or b"{}"), model)


def validated(value: dict[str, Any], model: type[Model]) -> Model:
    """
    :raises ApiProblem: ``value`` is not valid for ``model``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise bad_parameter(list(error.errors(include_url=False, include_input=False))) from None


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return ``openapi_extra`` for a route that uses ``read_json``; ``openapi.describe`` adds the schema itself."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": False, "content": {"application/json": {"schema": schema}}}}
