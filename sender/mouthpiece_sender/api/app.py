"""The application: calls, guard, problems, description, page."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI

from mouthpiece.process.sockets import is_loopback
from mouthpiece_sender.api import health, page, problems, reference, rooms, segments, voices
from mouthpiece_sender.api.callers import Callers
from mouthpiece_sender.api.dependencies import Parts
from mouthpiece_sender.api.early_answers import Linger
from mouthpiece_sender.api.host_policy import Gates, Guard
from mouthpiece_sender.api.metrics import CountRequests
from mouthpiece_sender.api.openapi import describe
from mouthpiece_sender.authority import Authority

DESCRIPTION = """\
Any service sends sound or text; the avatar in the room says it; and the sender learns when it was heard.

    curl -X POST -H 'Content-Type: application/json' -d '{"room": "demo"}' http://127.0.0.1:8090/v1/rooms
    curl -X POST --data-binary @hello.wav 'http://127.0.0.1:8090/v1/rooms/demo/segments?wait=finished'
    curl -d '{"text": "Hello. It is good to see you."}' http://127.0.0.1:8090/v1/rooms/demo/segments
    curl -X POST http://127.0.0.1:8090/v1/rooms/demo/interrupt

Durations and positions are seconds, times RFC 3339. Every error is `application/problem+json` (RFC 9457) with a stable
`type`, a `detail` that says what to do, and the `field` at fault; nothing that was accepted is lost by any of them.
"""
TAGS: Sequence[dict[str, str]] = (
    {"name": "Segments", "description": "What somebody wants said."},
    {"name": "Rooms", "description": "Where it is said, and who listens."},
    {"name": "Voices", "description": "Who speaks a text."},
    {"name": "Health", "description": "For whoever runs it."},
)


def create_app(parts: Parts, *, host: str, page_folder: Path | None) -> FastAPI:
    """The application over ``parts``, which belong to whoever calls.

    :param host: the address that it is served on.
    :param page_folder: where the built page is; None: it says how to build it.
    """
    settings = parts.settings
    mimetypes.init()  # reads files; done here, and not in the first answer that needs it
    app = FastAPI(
        title="Mouthpiece",
        version="1",
        description=DESCRIPTION,
        openapi_tags=[dict(tag) for tag in TAGS],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's documented way
    public_hosts = [Authority.parse(name) for name in settings.public_hosts]
    gates = Gates(is_loopback(host), public_hosts, settings.allowed_origins)
    callers = Callers([key.get_secret_value() for key in settings.api_keys])
    app.add_middleware(Guard, gates=gates, callers=callers)
    app.add_middleware(Linger, stopping=parts.stopping)
    app.add_middleware(CountRequests, metrics=parts.metrics)
    routers = (segments.router, rooms.router, voices.router, health.router)
    problems.install(app, [route for router in routers for route in router.routes])
    for router in routers:
        app.include_router(router)
    reference.install(app)
    page.install(app, page_folder, settings.public_url)
    return app
