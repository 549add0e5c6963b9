"""What the calls work with: made by the service, handed to the application."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Request

from mouthpiece_sender.api.bodies import Bodies
from mouthpiece_sender.api.callers import Caller
from mouthpiece_sender.api.metrics import Metrics
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.settings import Settings
from mouthpiece_sender.speech.voices import Speech


class SegmentStore(Protocol):
    """What the calls need of the store beside what the gateway does with it."""

    async def check(self) -> None:
        """:raises MouthpieceError: it cannot be written."""
        ...

    async def purge(self, segment_id: str) -> None:
        """Forgets what was said: the text, and the sound if it is still kept."""
        ...


@dataclass(frozen=True, slots=True)
class LiveKit:
    """The server that our rooms are on."""

    access: LiveKitAccess
    api: LiveKitApi


@dataclass(frozen=True, slots=True)
class Dependencies:
    settings: Settings
    livekit: LiveKit | None
    """None: the target is another one."""
    gateway: Gateway
    store: SegmentStore
    bodies: Bodies
    speech: Speech
    metrics: Metrics
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the service ends: whoever waits is answered at once."""


def get_dependencies(request: Request) -> Dependencies:
    deps: Dependencies = request.app.state.dependencies
    return deps


Deps = Annotated[Dependencies, Depends(get_dependencies)]


def get_caller(request: Request) -> Caller:
    """Whom the guard let in."""
    caller: Caller = request.state.caller
    return caller


CallerDep = Annotated[Caller, Depends(get_caller)]


def get_livekit(deps: Deps) -> LiveKit:
    """What a call needs that has no meaning without LiveKit."""
    if deps.livekit is None:
        raise ApiProblem(
            "no-livekit", "This service speaks through Anam (MOUTHPIECE_TARGET): no LiveKit room is opened."
        )
    return deps.livekit


LiveKitDep = Annotated[LiveKit, Depends(get_livekit)]
