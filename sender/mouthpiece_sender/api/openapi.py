"""The OpenAPI document: FastAPI derives it from the routes; errors and JSON bodies that we parse are added here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from mouthpiece_sender.api import models
from mouthpiece_sender.api.bodies.json_object import MODELS
from mouthpiece_sender.api.problems import KINDS, MEDIA_TYPE
from mouthpiece_sender.api.requests import InterruptBody, NoBody, OpenRoomBody, TicketBody, TokenBody

DESCRIPTION = """\
Any service sends sound or text; the avatar in the room says it; and the sender learns when it was heard.

    curl -X POST -H 'Content-Type: application/json' -d '{"room": "demo"}' http://127.0.0.1:8090/v1/rooms
    curl -X POST --data-binary @hello.wav 'http://127.0.0.1:8090/v1/rooms/demo/segments?wait=finished'
    curl -d '{"text": "Hello. It is good to see you."}' http://127.0.0.1:8090/v1/rooms/demo/segments
    curl -X POST http://127.0.0.1:8090/v1/rooms/demo/interrupt

Durations and positions are seconds, times RFC 3339. Every error is `application/problem+json` (RFC 9457) with a stable
`type`, a `detail` that says what to do, whether the same request is `retryable`, and the `field` at fault; nothing that
was accepted is lost by any of them.
"""
TAGS: Sequence[dict[str, str]] = (
    {"name": "Segments", "description": "A segment is a sound or a text that an avatar says."},
    {"name": "Events", "description": "What happens to segments and in rooms, as it happens."},
    {"name": "Webhooks", "description": "Events that are sent to you."},
    {"name": "Rooms", "description": "LiveKit rooms, their avatars and their viewers."},
    {"name": "Voices", "description": "The voices that speak a text."},
    {"name": "Health", "description": "For the operator."},
)

OPERATIONS: Mapping[str, str] = {
    "cancel": "cancel_segment",
    "give_token": "create_token",
    "look": "get_segment",
    "look_at_room": "get_room",
    "make_ticket": "create_ticket",
    "segment_events": "list_segment_events",
    "voices": "list_voices",
}
"""The ``operationId`` of a handler, where that is not its name: what the functions of generated clients are called."""

REFERENCE = "#/components/schemas/{model}"
BODIES = (InterruptBody, NoBody, OpenRoomBody, TicketBody, TokenBody, *MODELS)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return ``responses`` for a route: each of ``statuses`` and 500, with an example of every slug of that status."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in (*statuses, 500):
        kinds = {slug: kind for slug, kind in KINDS.items() if kind.status == status}
        examples = {
            slug: {
                "value": {
                    "type": slug,
                    "title": kind.title,
                    "status": status,
                    "detail": "What to do about it.",
                    "retryable": kind.retry_after is not None,
                }
            }
            for slug, kind in kinds.items()
        }
        described[status] = {
            "description": "; ".join(kind.title for kind in kinds.values()) + ".",
            "content": {
                MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="ProblemDetails")}, "examples": examples}
            },
        }
    return described


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the whole document; it is made once per ``app``."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        _, ours = models_json_schema(
            [*((body, "validation") for body in BODIES), (models.ProblemDetails, "serialization")],
            ref_template=REFERENCE,
        )
        schemas.update(ours["$defs"])
        for body in BODIES:
            _without_defaults(schemas[body.__name__])
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        document["servers"] = [{"url": "/", "description": "Where this document was read."}]
        document["components"]["securitySchemes"] = {
            "key": {
                "type": "http",
                "scheme": "bearer",
                "description": "One of MOUTHPIECE_API_KEYS, where there are any.",
            }
        }
        for path, calls in document["paths"].items():
            for call in calls.values():
                call["operationId"] = _operation_id(call["operationId"], path)
                call["summary"] = call["summary"].capitalize()  # FastAPI Capitalises Every Word
                if "ValidationError" in str(call["responses"].get("422")):
                    del call["responses"]["422"]  # FastAPI's own error body, which we never send
                if path.startswith("/v1/"):
                    call["security"] = [{"key": []}, {}]
        app.openapi_schema = document
    return app.openapi_schema


def _operation_id(made: str, path: str) -> str:
    """:param made: by FastAPI, from the handler's name, the path and the method."""
    name = made.partition(re.sub(r"\W", "_", path))[0]
    return OPERATIONS.get(name, name)


def _without_defaults(schema: dict[str, Any]) -> None:
    """Generators of TypeScript take a key with a default for one that is always there, in a request too."""
    for described in schema.get("properties", {}).values():
        described.pop("default", None)
