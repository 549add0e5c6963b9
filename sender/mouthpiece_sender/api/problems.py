"""Errors as ``application/problem+json`` (RFC 9457): one table of slugs, and what turns exceptions into answers."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from mouthpiece.errors import MouthpieceError

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
GONE: Final = 499
"""The status of a request whose client went away in the middle: for the figures alone, as nginx counts it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What stands in the table for one slug."""

    status: int
    title: str
    retry_after: int | None = None
    """Seconds after which the same may succeed."""


KINDS: Final[Mapping[str, Kind]] = {
    "bad-parameter": Kind(400, "A parameter is wrong"),
    "not-through-anam": Kind(400, "Anam has no such thing"),
    "bad-body": Kind(400, "The body cannot be read"),
    "not-audio": Kind(400, "The body is not audio"),
    "bad-audio": Kind(400, "The audio cannot be read"),
    "truncated-audio": Kind(400, "The audio is cut off"),
    "damaged-audio": Kind(400, "The audio is damaged"),
    "reserved-identity": Kind(400, "The identity is reserved"),
    "no-key": Kind(401, "A key is needed"),
    "wrong-key": Kind(401, "The key is not accepted"),
    "not-this-room": Kind(403, "The key is not for this room"),
    "host-refused": Kind(403, "The request was sent to another host"),
    "origin-refused": Kind(403, "The request comes from another site"),
    "not-found": Kind(404, "There is nothing at this address"),
    "segment-not-found": Kind(404, "There is no such segment"),
    "room-not-found": Kind(404, "There is no such room"),
    "method-not-allowed": Kind(405, "This address does not take that method"),
    "avatar-ambiguous": Kind(409, "Several avatars are in the room"),
    "duplicate-identity": Kind(409, "Another sender has our identity"),
    "no-livekit": Kind(409, "This service speaks without LiveKit"),
    "tts-bad-text": Kind(400, "The text cannot be spoken"),
    "tts-bad-voice": Kind(400, "There is no such voice"),
    "text-too-long": Kind(413, "The text is too long"),
    "too-large": Kind(413, "The body is too large"),
    "too-long": Kind(413, "The audio is too long"),
    "unsupported-format": Kind(415, "This format is not spoken"),
    "queue-full": Kind(429, "The queue is full", 5),
    "tts-rate-limited": Kind(429, "The voice had too many requests", 5),
    "avatar": Kind(502, "The avatar failed"),
    "avatar-timeout": Kind(502, "No avatar came in time", 5),
    "avatar-bound-elsewhere": Kind(502, "The avatar listens to another sender"),
    "avatar-left": Kind(502, "The avatar left", 5),
    "avatar-start-failed": Kind(502, "The avatar could not be started"),
    "anam-refused": Kind(502, "Anam gives no session"),
    "anam-unavailable": Kind(502, "Anam cannot be reached", 5),
    "tts": Kind(502, "The voice failed"),
    "tts-auth": Kind(502, "The voice's service does not accept our key"),
    "tts-closed": Kind(502, "The voice was closed"),
    "tts-no-sound": Kind(502, "The voice gave no sound"),
    "tts-provider-failed": Kind(502, "The voice's own code failed"),
    "tts-quota-exceeded": Kind(502, "The account at the voice's service is used up"),
    "tts-refused": Kind(502, "The voice's service refused the text"),
    "tts-stream-cut": Kind(502, "The voice broke off", 5),
    "tts-timeout": Kind(502, "The voice took too long", 5),
    "tts-unavailable": Kind(502, "The voice's service cannot be reached", 5),
    "anam-busy": Kind(503, "Anam has no session free", 30),
    "livekit-unavailable": Kind(503, "LiveKit cannot be reached", 5),
    "livekit-refused": Kind(503, "LiveKit does not accept our key"),
    "room": Kind(503, "The room failed", 5),
    "room-closed": Kind(503, "The room was closed", 5),
    "store": Kind(503, "The store cannot be written", 10),
    "stopping": Kind(503, "The service is stopping", 5),
    "store-full": Kind(507, "No space is left", 60),
    "internal": Kind(500, "Something went wrong here"),
}
"""Every ``type`` that an answer may carry. An error of the tree that is not named here is one of ours: 500."""

_BY_STATUS: Final[Mapping[int, str]] = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class ApiProblem(Exception):
    """An answer that is an error. ``detail`` is a sentence that says what to do; ``field`` names what is at fault."""

    def __init__(
        self, slug: str, detail: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.field = field
        self.headers = headers or {}


def answer(
    slug: str, detail: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The response for a slug of the table."""
    kind = KINDS[slug]
    body: dict[str, Any] = {"type": slug, "title": kind.title, "status": kind.status, "detail": detail}
    if field is not None:
        body["field"] = field
    sent = dict(headers or {})
    if kind.retry_after is not None:
        sent.setdefault("Retry-After", str(kind.retry_after))
    return JSONResponse(body, kind.status, headers=sent, media_type=MEDIA_TYPE)


def answer_to(error: Exception) -> JSONResponse:
    """The response to an exception of ours."""
    match error:
        case ApiProblem():
            return answer(error.slug, error.detail, field=error.field, headers=error.headers)
        case MouthpieceError() if error.slug in KINDS and KINDS[error.slug].status != 500:
            return answer(error.slug, str(error), headers=_retry_after(error))
    logger.error("a request failed by a fault of ours", exc_info=error)
    return answer("internal", "The log of the sender says what.")


def _retry_after(error: MouthpieceError) -> dict[str, str]:
    """What a service of a voice asked for goes before what the table says."""
    seconds = getattr(error, "retry_after", None)
    return {} if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))}


def install(app: FastAPI, calls: Sequence[BaseRoute]) -> None:
    """Makes every error of ``app`` a problem.

    :param calls: the API's own routes, to say which methods an address takes.
    """

    @app.exception_handler(ApiProblem)
    @app.exception_handler(MouthpieceError)
    async def on_error(_: Request, error: Exception) -> JSONResponse:
        return answer_to(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return _answer_invalid(error.errors())

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        slug = _BY_STATUS.get(error.status_code, "bad-body" if error.status_code < 500 else "internal")
        detail = {
            "not-found": f"There is nothing at {request.url.path}; /docs says what there is.",
            "method-not-allowed": f"{request.url.path} does not take {request.method}; /docs says what there is.",
        }.get(slug, "The request cannot be read.")
        methods = _methods(calls, request.scope) if slug == "method-not-allowed" else ""
        return answer(slug, detail, headers={"Allow": methods} if methods else error.headers)

    @app.exception_handler(ClientDisconnect)
    async def on_gone(_: Request, __: Exception) -> Response:
        return Response(status_code=GONE)

    @app.exception_handler(Exception)
    async def on_failure(_: Request, __: Exception) -> JSONResponse:
        return answer("internal", "The log of the sender says what.")  # Starlette logs it with its traceback


def _methods(calls: Sequence[BaseRoute], scope: Scope) -> str:
    """The methods of every call at this address; Starlette names those of the first one."""
    there = (route for route in calls if route.matches(scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in there for method in getattr(route, "methods", None) or ()}))


def bad_parameter(errors: list[Any]) -> ApiProblem:
    """What a validation says, of its first fault, without the value that was given: it may be a secret."""
    first = errors[0]
    places = [str(part) for part in first["loc"] if part not in ("query", "path", "body", "header")]
    field = ".".join(places) or "body"
    if first["type"] == "extra_forbidden":
        return ApiProblem("bad-parameter", f"“{field}” is not known here; /docs lists what is.", field=field)
    said = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return ApiProblem("bad-parameter", f"“{field}”: {said[0].lower()}{said[1:]}.", field=field)


def _answer_invalid(errors: Any) -> JSONResponse:
    return answer_to(bad_parameter(list(errors)))
