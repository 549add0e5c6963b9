"""The HTTP side: start-avatar as Avaluma's avatar server answers it, sessions, health and metrics."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any, Final, TypeVar

from fastapi import FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field, ValidationError

from mouthpiece import wire
from mouthpiece.extras import DISTRIBUTION
from mouthpiece.serving.connections import ConnectionLimits, Connections
from mouthpiece.serving.drain import DrainAfterEarlyResponse
from mouthpiece.serving.json_text import NoObject, TooManyKeys, parse_object
from mouthpiece.serving.request_guard import RequestGuard
from mouthpiece.serving.request_ids import RequestIds
from mouthpiece_avatar import problems
from mouthpiece_avatar.admission import Admission, RefuseOtherNames
from mouthpiece_avatar.hosting import SessionHost
from mouthpiece_avatar.livekit_address import LiveKitAddress
from mouthpiece_avatar.metrics import registry
from mouthpiece_avatar.problems import HttpProblem
from mouthpiece_avatar.settings import Settings
from mouthpiece_avatar.token import read_claims

VERSION = version(DISTRIBUTION)
"""Read at import: it reads files, which would block the event loop."""

Secret = Annotated[str | None, Header(alias=wire.API_SECRET_HEADER)]
"""Stands in the document alone: ``Admission`` reads it."""
"""Defined in the module: FastAPI silently ignores an annotation that is local to a function."""


class StartAvatarBody(BaseModel):
    """Body of start-avatar; other keys are ignored."""

    livekit_url: str = Field(min_length=1, max_length=2_000)
    livekit_token: str = Field(min_length=1, max_length=10_000)
    avaluma_key: str = Field("", max_length=1_000)
    avaluma_avatar_id: str = Field(min_length=1, max_length=200)


_Body = TypeVar("_Body", bound=BaseModel)
MOST_BODY: Final = 65_536
"""Bytes."""


class Started(BaseModel):
    session_id: str


class StopAvatarBody(BaseModel):
    """Body of stop-avatar; other keys are ignored."""

    session_id: str = Field(min_length=1, max_length=200)


def _body(model: type[BaseModel]) -> dict[str, Any]:
    """Describe a body that is read by hand: FastAPI would read it before the caller is let in."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


def create_app(settings: Settings, sessions: SessionHost, connections: Connections | None = None) -> FastAPI:
    """Make the application; ``sessions`` stay the caller's.

    :param connections: those of the server.
    """
    app = FastAPI(title="Mouthpiece avatar server", version=VERSION, docs_url=None, redoc_url=None)
    admission = Admission(settings.secrets)
    app.add_middleware(RefuseOtherNames, admission=admission)
    app.add_middleware(DrainAfterEarlyResponse)
    app.add_middleware(
        RequestGuard,
        connections=Connections(ConnectionLimits()) if connections is None else connections,
        answer=problems.answer_to,
        max_body=MOST_BODY,
    )
    app.add_middleware(RequestIds)
    problems.install(app)
    allowed = settings.allowed()

    @app.post(wire.START_AVATAR_PATH, openapi_extra=_body(StartAvatarBody))
    async def start_avatar(request: Request, secret: Secret = None) -> Started:
        """Send an avatar into a room; answer once it has joined, under the identity that the token carries."""
        admission.admit(request)
        body = await _read(request, StartAvatarBody)
        try:
            address = LiveKitAddress.parse(body.livekit_url)
        except ValueError as error:
            raise HttpProblem(422, "bad-request", f"livekit_url: {error}", field="livekit_url") from None
        if not address.is_allowed(allowed):
            raise HttpProblem(
                403,
                "livekit-not-allowed",
                "this avatar server may not join that LiveKit server: add its address to "
                "MOUTHPIECE_AVATAR_LIVEKIT_URLS here, or name one that is listed there",
                field="livekit_url",
            )
        try:
            claims = read_claims(body.livekit_token)
        except ValueError as error:
            raise HttpProblem(422, "bad-request", f"livekit_token: {error}", field="livekit_token") from None
        asked = wire.StartAvatar(body.livekit_url, body.livekit_token, body.avaluma_key, body.avaluma_avatar_id)
        session = await sessions.start(asked, claims)
        return Started(session_id=session.id)

    @app.post(wire.STOP_AVATAR_PATH, openapi_extra=_body(StopAvatarBody))
    async def stop_avatar(request: Request, secret: Secret = None) -> Started:
        """End a session, by the call of Avaluma's older specification; return once its avatar has left its room."""
        admission.admit(request)
        body = await _read(request, StopAvatarBody)
        await _end(body.session_id)
        return Started(session_id=body.session_id)

    @app.get("/v1/sessions")
    async def list_sessions(request: Request, secret: Secret = None) -> dict[str, Any]:
        admission.admit(request)
        return {"sessions": [asdict(session) for session in (await sessions.figures()).sessions]}

    @app.delete("/v1/sessions/{session_id}", status_code=204)
    async def end_session(request: Request, session_id: str, secret: Secret = None) -> Response:
        """End a session; return once its avatar has left its room."""
        admission.admit(request)
        await _end(session_id)
        return Response(status_code=204)

    async def _end(session_id: str) -> None:
        if not await sessions.end(session_id):
            raise HttpProblem(
                404, "session-not-found", "no such session: it has ended, or never was one of this server"
            )

    @app.get("/healthz")
    @app.get("/health", operation_id="health", summary="The same, by the name of Avaluma's older specification")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz(request: Request, response: Response) -> dict[str, Any]:
        """Say whether one more avatar can be started; 503 while as many are in rooms as may be."""
        full = sessions.running >= settings.max_sessions
        response.status_code = 503 if full else 200
        numbers = {"sessions": sessions.running, "max_sessions": settings.max_sessions}
        return {"status": "full" if full else "ok"} | (numbers if admission.names_us(request) else {})

    @app.get("/metrics")
    async def get_metrics() -> Response:
        return Response(generate_latest(registry(await sessions.figures())), media_type=CONTENT_TYPE_LATEST)

    return app


async def _read(request: Request, model: type[_Body]) -> _Body:
    """Read the body; call it once the caller was let in.

    :raises RequestValidationError: it is not what the call takes.
    """
    try:
        value = parse_object((await request.body()).decode())
    except ValueError as error:
        said = {TooManyKeys: "it has too many keys", NoObject: "it is no JSON object"}.get(type(error), "it is no JSON")
        raise RequestValidationError([{"loc": ("body",), "msg": said, "type": "json"}]) from None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems_found = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([item | {"loc": ("body", *item["loc"])} for item in problems_found]) from None
