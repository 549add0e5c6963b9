"""The objects that the handlers work with: opened by ``service``, passed to ``create_app``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from mouthpiece_sender.api.bodies import BodyReader
from mouthpiece_sender.api.callers import Caller, Callers
from mouthpiece_sender.api.idempotency import Claims
from mouthpiece_sender.api.metrics import Metrics
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.segment_watch import SegmentWatch
from mouthpiece_sender.api.tickets import Tickets
from mouthpiece_sender.events.feed import Feed
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.settings import Settings
from mouthpiece_sender.speech.voices import Voices
from mouthpiece_sender.storage.deliveries import Deliveries
from mouthpiece_sender.storage.journal import SegmentStore
from mouthpiece_sender.webhooks.dispatch import Dispatch


@dataclass(frozen=True, slots=True)
class LiveKit:
    """The LiveKit server of our rooms."""

    access: LiveKitAccess
    api: LiveKitApi


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Everything that a handler may use."""

    settings: Settings
    livekit: LiveKit | None
    """None where the service speaks through another target."""
    gateway: Gateway
    store: SegmentStore
    bodies: BodyReader
    voices: Voices
    metrics: Metrics
    watch: SegmentWatch
    callers: Callers
    feed: Feed
    deliveries: Deliveries
    dispatch: Dispatch
    tickets: Tickets = field(default_factory=Tickets)
    claims: Claims = field(default_factory=Claims)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the service stops: requests that wait are answered at once."""


async def get_dependencies(request: Request) -> Dependencies:
    deps: Dependencies = request.app.state.dependencies
    return deps


Deps = Annotated[Dependencies, Depends(get_dependencies)]


async def get_caller(request: Request) -> Caller:
    """Return the caller that ``AccessControl`` accepted."""
    caller: Caller = request.state.caller
    return caller


CallerDep = Annotated[Caller, Depends(get_caller)]


async def get_livekit(deps: Deps) -> LiveKit:
    """For handlers that need LiveKit.

    :raises ApiProblem: the service speaks through another target.
    """
    if deps.livekit is None:
        raise ApiProblem(
            "no-livekit", "This service speaks through Anam (MOUTHPIECE_TARGET): no LiveKit room is opened."
        )
    return deps.livekit


LiveKitDep = Annotated[LiveKit, Depends(get_livekit)]
