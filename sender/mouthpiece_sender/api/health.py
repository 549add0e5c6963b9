"""Liveness, readiness, metrics."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.api.dependencies import Deps
from mouthpiece_sender.api.models import Health
from mouthpiece_sender.api.openapi import problems

router = APIRouter(tags=["Health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """The process answers. Under any host name, without a key."""
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=problems(503, 507))
async def readyz(deps: Deps) -> Health:
    """LiveKit can be reached and accepts our key (where it is what we speak through), and store and
    spool can be written: their files are where they were opened.
    Under any host name, without a key."""
    checks = [deps.store.check(), deps.bodies.check()]
    if deps.livekit is not None:
        checks.insert(0, deps.livekit.api.check())
    failures = [error for error in await asyncio.gather(*checks, return_exceptions=True) if error is not None]
    for error in failures:
        if not isinstance(error, MouthpieceError):
            raise error
    if failures:
        raise failures[0]
    return Health()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(deps: Deps) -> Response:
    """Figures for Prometheus. Without a key: they name no room and nobody."""
    return Response(generate_latest(deps.metrics.registry), media_type=CONTENT_TYPE_LATEST)
