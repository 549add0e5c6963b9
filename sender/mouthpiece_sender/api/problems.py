"""Errors as ``application/problem+json`` (RFC 9457): the table of slugs, and the handlers that render exceptions."""

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
"""Status of a request whose client disconnected: seen in the metrics alone, as nginx counts it."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """The table's entry for one slug."""

    status: int
    title: str
    retry_after: int | None = None
    """Seconds after which the same request may succeed; None: it will not, or not by itself."""


KINDS: Final[Mapping[str, ProblemKind]] = {
    "bad-parameter": ProblemKind(400, "A parameter is wrong"),
    "not-through-anam": ProblemKind(400, "Anam has no such thing"),
    "bad-body": ProblemKind(400, "The body cannot be read"),
    "not-audio": ProblemKind(400, "The body is not audio"),
    "bad-audio": ProblemKind(400, "The audio cannot be read"),
    "truncated-audio": ProblemKind(400, "The audio is cut off"),
    "damaged-audio": ProblemKind(400, "The audio is damaged"),
    "reserved-identity": ProblemKind(400, "The identity is reserved"),
    "url-refused": ProblemKind(400, "The URL may not be asked"),
    "no-key": ProblemKind(401, "A key is needed"),
    "wrong-ticket": ProblemKind(401, "The ticket is not accepted"),
    "wrong-key": ProblemKind(401, "The key is not accepted"),
    "not-this-room": ProblemKind(403, "The key is not for this room"),
    "host-refused": ProblemKind(403, "The request was sent to another host"),
    "origin-refused": ProblemKind(403, "The request comes from another site"),
    "not-found": ProblemKind(404, "There is nothing at this address"),
    "segment-not-found": ProblemKind(404, "There is no such segment"),
    "delivery-not-found": ProblemKind(404, "There is no such delivery"),
    "room-not-found": ProblemKind(404, "There is no such room"),
    "method-not-allowed": ProblemKind(405, "This address does not take that method"),
    "avatar-ambiguous": ProblemKind(409, "Several avatars are in the room"),
    "duplicate-identity": ProblemKind(409, "Another sender has our identity"),
    "no-livekit": ProblemKind(409, "This service speaks without LiveKit"),
    "sound-not-kept": ProblemKind(409, "The sound is no longer kept"),
    "idempotency-conflict": ProblemKind(409, "The first request with this key is still being accepted", 1),
    "request-timeout": ProblemKind(408, "The body did not come in time", 5),
    "header-too-large": ProblemKind(431, "The header is too large"),
    "too-much-in-flight": ProblemKind(503, "Too much is being sent at once", 5),
    "decoders-busy": ProblemKind(503, "No decoder is free", 5),
    "idempotency-mismatch": ProblemKind(422, "The key was used for another request"),
    "tts-bad-text": ProblemKind(400, "The text cannot be spoken"),
    "tts-bad-voice": ProblemKind(400, "There is no such voice"),
    "text-too-long": ProblemKind(413, "The text is too long"),
    "too-large": ProblemKind(413, "The body is too large"),
    "too-long": ProblemKind(413, "The audio is too long"),
    "unsupported-format": ProblemKind(415, "This format is not spoken"),
    "queue-full": ProblemKind(429, "The queue is full", 5),
    "key-limit": ProblemKind(429, "The key has its share", 5),
    "tts-rate-limited": ProblemKind(429, "The voice had too many requests", 5),
    "avatar": ProblemKind(502, "The avatar failed"),
    "avatar-timeout": ProblemKind(502, "No avatar came in time", 5),
    "avatar-bound-elsewhere": ProblemKind(502, "The avatar listens to another sender"),
    "avatar-left": ProblemKind(502, "The avatar left", 5),
    "avatar-start-failed": ProblemKind(502, "The avatar could not be started"),
    "anam-refused": ProblemKind(502, "Anam gives no session"),
    "anam-unavailable": ProblemKind(502, "Anam cannot be reached", 5),
    "tts": ProblemKind(502, "The voice failed"),
    "tts-auth": ProblemKind(502, "The voice's service does not accept our key"),
    "tts-closed": ProblemKind(502, "The voice was closed"),
    "tts-no-sound": ProblemKind(502, "The voice gave no sound"),
    "tts-provider-failed": ProblemKind(502, "The voice's own code failed"),
    "tts-quota-exceeded": ProblemKind(502, "The account at the voice's service is used up"),
    "tts-refused": ProblemKind(502, "The voice's service refused the text"),
    "tts-stream-cut": ProblemKind(502, "The voice broke off", 5),
    "tts-timeout": ProblemKind(502, "The voice took too long", 5),
    "tts-unavailable": ProblemKind(502, "The voice's service cannot be reached", 5),
    "url": ProblemKind(502, "The URL failed"),
    "url-unavailable": ProblemKind(502, "The URL cannot be reached", 5),
    "anam-busy": ProblemKind(503, "Anam has no session free", 30),
    "livekit-unavailable": ProblemKind(503, "LiveKit cannot be reached", 5),
    "livekit-refused": ProblemKind(503, "LiveKit does not accept our key"),
    "rooms-full": ProblemKind(503, "The sender has no room free", 30),
    "room": ProblemKind(503, "The room failed"),
    "room-closed": ProblemKind(503, "The room was closed", 5),
    "store": ProblemKind(503, "The store cannot be written", 10),
    "stopping": ProblemKind(503, "The service is stopping", 5),
    "store-full": ProblemKind(507, "No space is left", 60),
    "internal": ProblemKind(500, "Something went wrong here"),
}
"""Every ``type`` of a response. An error of the tree that is not named here is a fault of the service: 500."""

_BY_STATUS: Final[Mapping[int, str]] = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class ApiProblem(Exception):
    """Raised by a handler to answer with a problem.

    :param slug: one of ``KINDS``.
    :param detail: a sentence for a person: what is wrong, and what to do.
    :param field: the parameter, header or key of the body that is at fault.
    """

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
    """Return the response for a slug of the table; the parameters are those of :class:`ApiProblem`."""
    kind = KINDS[slug]
    sent = dict(headers or {})
    if kind.retry_after is not None:
        sent.setdefault("Retry-After", str(kind.retry_after))
    body: dict[str, Any] = {"type": slug, "title": kind.title, "status": kind.status, "detail": detail}
    body["retryable"] = "Retry-After" in sent
    if field is not None:
        body["field"] = field
    return JSONResponse(body, kind.status, headers=sent, media_type=MEDIA_TYPE)


def answer_to(error: Exception) -> JSONResponse:
    """Return the response for an exception; an unexpected one is logged, and its message is not shown."""
    match error:
        case ApiProblem():
            return answer(error.slug, error.detail, field=error.field, headers=error.headers)
        case MouthpieceError() if error.slug in KINDS and KINDS[error.slug].status != 500:
            return answer(error.slug, str(error), headers=_retry_after(error))
    logger.error("a request failed unexpectedly", exc_info=error)
    return answer("internal", "The log of the sender says what.")


def _retry_after(error: MouthpieceError) -> dict[str, str]:
    """The delay that a voice's service asked for overrides the table's."""
    seconds = getattr(error, "retry_after", None)
    return {} if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))}


def install(app: FastAPI, calls: Sequence[BaseRoute]) -> None:
    """Answer every error of ``app`` with a problem.

    :param calls: the API's own routes, to list the methods of an address.
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
    """Return the methods of every route that matches; Starlette lists those of the first match."""
    there = (route for route in calls if route.matches(scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in there for method in getattr(route, "methods", None) or ()}))


def bad_parameter(errors: list[Any]) -> ApiProblem:
    """Return the problem for the first of pydantic's ``errors``, without the given value: it may be a secret."""
    first = errors[0]
    places = [str(part) for part in first["loc"] if part not in ("query", "path", "body", "header")]
    field = ".".join(places) or "body"
    if first["type"] == "extra_forbidden":
        return ApiProblem("bad-parameter", f"“{field}” is not known here; /docs lists what is.", field=field)
    said = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return ApiProblem("bad-parameter", f"“{field}”: {said[0].lower()}{said[1:]}.", field=field)


def _answer_invalid(errors: Any) -> JSONResponse:
    return answer_to(bad_parameter(list(errors)))
