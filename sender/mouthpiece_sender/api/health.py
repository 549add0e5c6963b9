"""Liveness, readiness, metrics."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.api.dependencies import Deps
from mouthpiece_sender.api.models import Health
from mouthpiece_sender.api.openapi import problems
from mouthpiece_sender.api.problems import ApiProblem

router = APIRouter(tags=["Health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """Liveness: the process answers. Needs no key, and any `Host` is accepted."""
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=problems(503, 507))
async def readyz(deps: Deps) -> Health:
    """Readiness: the service is not stopping, store and spool can be written, their files are as it left them, and,
    where LiveKit is the target, LiveKit accepts our key. Needs no key, and any `Host` is accepted."""
    if deps.stopping.is_set():
        raise ApiProblem("stopping", "The service is stopping: what plays may end, nothing new is accepted.")
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
    """Metrics for Prometheus. Needs no key: no label is a room or an identity."""
    return Response(generate_latest(deps.metrics.registry), media_type=CONTENT_TYPE_LATEST)
