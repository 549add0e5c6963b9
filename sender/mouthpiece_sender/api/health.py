"""Liveness, readiness, metrics."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.api.dependencies import Deps
from mouthpiece_sender.api.models import Health, Readiness, RoomCapacity
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
async def readyz(deps: Deps) -> Readiness:
    """Readiness: the service is not stopping, store and spool can be written, their files are as it left them, and,
    where LiveKit is the target, LiveKit accepts our key. It says how many more rooms it can take; none free is still
    ready: what is said in its rooms is accepted. Needs no key, and any `Host` is accepted."""
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
    rooms, limit = deps.gateway.activity().values(), deps.settings.quotas.rooms
    return Readiness(
        rooms=RoomCapacity(open=len(rooms), limit=limit, free=None if limit is None else max(0, limit - len(rooms))),
        waiting=sum(avatar.queue for room in rooms for avatar in room.avatars),
    )


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(deps: Deps) -> Response:
    """Metrics for Prometheus. Needs no key: no label is a room or an identity."""
    return Response(generate_latest(deps.metrics.registry), media_type=CONTENT_TYPE_LATEST)
