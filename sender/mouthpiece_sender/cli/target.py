"""Where ``play`` and ``loop`` speak to: a room that they join themselves, or a running service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mouthpiece.segments import Mode, OnLoss
from mouthpiece_sender.cli.service_client import ServiceClient
from mouthpiece_sender.livekit_api import LiveKitAccess
from mouthpiece_sender.segment_json import segment_json
from mouthpiece_sender.speaker import PlayingSegment, Speaker


@dataclass(frozen=True, slots=True)
class How:
    """How a file is to be said."""

    mode: Mode = Mode.APPEND
    on_loss: OnLoss = OnLoss.DROP
    interruptible: bool = True
    wait_for_viewer: bool = False
    expires_in: float | None = None
    """Seconds."""


class Handle(Protocol):
    """A segment that was handed over. Segments are their JSON (``segment_json``)."""

    async def now(self) -> dict[str, Any]: ...
    async def finished(self) -> dict[str, Any]: ...


class Target(Protocol):
    async def play(self, path: Path, how: How) -> Handle: ...


@dataclass(frozen=True, slots=True)
class _LocalHandle:
    segment: PlayingSegment

    async def now(self) -> dict[str, Any]:
        return segment_json(await self.segment.now())

    async def finished(self) -> dict[str, Any]:
        return segment_json(await self.segment.finished())


@dataclass(frozen=True, slots=True)
class _Local:
    speaker: Speaker

    async def play(self, path: Path, how: How) -> Handle:
        segment = await self.speaker.play(
            path,
            mode=how.mode,
            on_loss=how.on_loss,
            interruptible=how.interruptible,
            wait_for_viewer=how.wait_for_viewer,
            expires_in=how.expires_in,
        )
        return _LocalHandle(segment)


@dataclass(frozen=True, slots=True)
class _ServiceHandle:
    service: ServiceClient
    id: str

    async def now(self) -> dict[str, Any]:
        return await self.service.segment(self.id)

    async def finished(self) -> dict[str, Any]:
        while (segment := await self.service.finished(self.id))["state"] in ("queued", "playing", "paused"):
            pass  # the long poll came to its end; the segment has not
        return segment


@dataclass(frozen=True, slots=True)
class _Service:
    service: ServiceClient
    room: str
    avatar: str | None

    async def play(self, path: Path, how: How) -> Handle:
        query = {"mode": str(how.mode), "on_loss": str(how.on_loss), "interruptible": str(how.interruptible).lower()}
        if how.wait_for_viewer:
            query["wait_for_viewer"] = "true"
        if how.expires_in is not None:
            query["expires_in"] = str(how.expires_in)
        if self.avatar is not None:
            query["avatar"] = self.avatar
        segment = await self.service.speak(self.room, path, query)
        return _ServiceHandle(self.service, segment["id"])


@asynccontextmanager
async def service_target(url: str, room: str, avatar: str | None) -> AsyncIterator[Target]:
    async with ServiceClient(url) as service:
        yield _Service(service, room, avatar)


@asynccontextmanager
async def room_target(
    access: LiveKitAccess, room: str, *, avatar: str | None, identity: str | None, avatar_timeout: float
) -> AsyncIterator[Target]:
    speaker = Speaker(
        room,
        url=access.url,
        api_key=access.api_key,
        api_secret=access.api_secret,
        avatar=avatar,
        identity=identity,
        avatar_timeout=avatar_timeout,
    )
    async with speaker:
        yield _Local(speaker)
