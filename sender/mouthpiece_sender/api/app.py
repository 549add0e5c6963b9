"""Assembles the application: routes, middleware, error handlers, documents and pages."""

from __future__ import annotations

import functools
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from mouthpiece.process.sockets import is_loopback
from mouthpiece.serving.connections import ConnectionLimits, Connections
from mouthpiece.serving.drain import DrainAfterEarlyResponse
from mouthpiece.serving.request_guard import RequestGuard
from mouthpiece.serving.request_ids import RequestIds
from mouthpiece.tts.text import MAX_CHARACTERS
from mouthpiece_sender.api import docs_page, events, health, page, problems, rooms, segments, voices, webhooks
from mouthpiece_sender.api.dependencies import Dependencies
from mouthpiece_sender.api.headers import refuse_unsupported
from mouthpiece_sender.api.host_policy import AccessControl, HostPolicy
from mouthpiece_sender.api.metrics import CountRequests
from mouthpiece_sender.api.openapi import DESCRIPTION, TAGS, describe
from mouthpiece_sender.api.openapi import problems as problems_of
from mouthpiece_sender.api.request_rates import RequestRates
from mouthpiece_sender.authority import Authority
from mouthpiece_sender.settings import MEGABYTE

API_VERSION: Final = "1"
"""Of the contract under ``/v1``, whatever the distribution's version is."""
ROUTERS: Final = (segments.router, events.router, webhooks.router, rooms.router, voices.router, health.router)
"""The resources of the API, one file each."""


def create_app(
    dependencies: Dependencies, *, host: str, page_folder: Path | None, connections: Connections | None = None
) -> FastAPI:
    """Return the application; ``dependencies`` stay the caller's to close.

    :param host: the address that the service listens on: it decides which ``Host`` headers are accepted.
    :param page_folder: the folder of the built page; None: ``/`` says how to build it.
    :param connections: those of the server.
    """
    settings = dependencies.settings
    mimetypes.init()  # reads files: do it before the event loop serves requests
    app = described_app()
    app.state.dependencies = dependencies
    public_hosts = [Authority.parse(name) for name in settings.public_hosts]
    policy = HostPolicy(is_loopback(host), public_hosts, settings.allowed_origins)
    app.add_middleware(
        AccessControl,
        policy=policy,
        callers=dependencies.callers,
        tickets=dependencies.tickets,
        rates=RequestRates(settings.key_requests or None),
    )
    app.add_middleware(DrainAfterEarlyResponse, stopping=dependencies.stopping)
    app.add_middleware(
        RequestGuard,
        connections=Connections(ConnectionLimits()) if connections is None else connections,
        answer=problems.answer_to,
    )
    app.add_middleware(CountRequests, metrics=dependencies.metrics)
    app.add_middleware(RequestIds)
    problems.install(app, [route for router in ROUTERS for route in router.routes])
    docs_page.install(app)
    limits = page.Limits(max_upload=settings.max_upload * MEGABYTE, max_text=MAX_CHARACTERS)
    page.install(app, page_folder, settings.public_url, limits)
    return app


def described_app() -> FastAPI:
    """Return the application with its calls and their description alone."""
    app = FastAPI(
        title="Mouthpiece",
        version=API_VERSION,
        description=DESCRIPTION,
        openapi_tags=[dict(tag) for tag in TAGS],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's documented way
    app.router.routes.extend(calls())
    return app


@functools.cache
def calls() -> Sequence[BaseRoute]:
    """Return the routes of the API, the same for each application of the process: FastAPI works out what each takes
    and returns when it is first looked for, for some 60 ms of processor time."""
    router = APIRouter()
    for resource in ROUTERS:
        if resource is health.router:
            router.include_router(resource)
        else:
            router.include_router(resource, dependencies=[Depends(refuse_unsupported)], responses=problems_of(400, 415))
    return tuple(router.routes)
