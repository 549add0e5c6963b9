"""Errors as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mouthpiece.errors import (
    AvatarNotFound,
    AvatarStartFailed,
    BodyTooLarge,
    HeaderTooLarge,
    LiveKitRefused,
    MouthpieceError,
    QueueFull,
    RequestTimeout,
    RoomError,
)
from mouthpiece_avatar.face.faces import AVATARS

_RETRY_AFTER = "5"
"""Seconds."""


class HttpProblem(Exception):
    """An error to answer with; ``detail`` is a sentence that says what to do."""

    def __init__(self, status: int, slug: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.members = members


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem document."""

    @app.exception_handler(HttpProblem)
    async def on_problem(_: Request, error: HttpProblem) -> JSONResponse:
        return answer_to_http(error)

    @app.exception_handler(MouthpieceError)
    async def on_error(_: Request, error: MouthpieceError) -> JSONResponse:
        return answer_to(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # FastAPI would echo the input, which holds the token
        problems = [{"field": ".".join(map(str, item["loc"][1:])), "message": item["msg"]} for item in error.errors()]
        named = "; ".join(f"{p['field'] or 'body'}: {p['message']}" for p in problems)
        return _answer(422, "bad-request", f"the request is not understood: {named}", errors=problems)

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> JSONResponse:
        slug = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http")
        return _answer(error.status_code, slug, str(error.detail))

    @app.exception_handler(Exception)
    async def on_failure(_: Request, error: Exception) -> JSONResponse:
        return _answer(500, "internal", "something went wrong here; the log of the avatar server says what")


def answer_to_http(error: HttpProblem) -> JSONResponse:
    """Return the response for ``error``."""
    return _answer(error.status, error.slug, error.detail, **error.members)


def answer_to(error: MouthpieceError) -> JSONResponse:
    """Return the response for an error of the tree."""
    if isinstance(error, AvatarNotFound):
        return _answer(404, error.slug, str(error), avatars=list(AVATARS))
    status = next((status for kinds, status in _STATUS if isinstance(error, kinds)), 500)
    return _answer(status, error.slug, str(error))


_STATUS: Final[tuple[tuple[tuple[type[MouthpieceError], ...], int], ...]] = (
    ((LiveKitRefused, AvatarStartFailed), 502),
    ((RoomError, QueueFull), 503),
    ((RequestTimeout,), 408),
    ((BodyTooLarge,), 413),
    ((HeaderTooLarge,), 431),
)
"""The first entry that fits."""


def _answer(status: int, slug: str, detail: str, **members: Any) -> JSONResponse:
    body = {"type": f"urn:mouthpiece:problem:{slug}", "title": slug.replace("-", " "), "status": status}
    headers = {"Retry-After": _RETRY_AFTER} if status == 503 else None
    return JSONResponse(
        body | {"detail": detail} | members, status, headers=headers, media_type="application/problem+json"
    )
