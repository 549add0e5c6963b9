"""Where ``play``, ``say`` and ``loop`` speak to: a room that they join themselves, or a running service."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from mouthpiece.errors import ConfigurationError
from mouthpiece.segments import Mode, OnLoss
from mouthpiece.tts import TTS
from mouthpiece_sender.cli.service_client import ServiceClient
from mouthpiece_sender.livekit_api import LiveKitAccess
from mouthpiece_sender.script import Script, write
from mouthpiece_sender.segment_json import segment_json
from mouthpiece_sender.speaker import PlayingSegment, Speaker

AHEAD = 5
"""Sentences of a text that is still being written which may wait at a service."""


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


class TextTarget(Target, Protocol):
    async def say(
        self, text: str | AsyncIterable[str], how: How, voice: str | None, tts: str | TTS | None
    ) -> AsyncIterator[Handle]:
        """Hands a text over, in one segment or several; each as soon as it is handed over.

        :raises MouthpieceError: it cannot be spoken.
        """
        ...


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

    async def say(
        self, text: str | AsyncIterable[str], how: How, voice: str | None, tts: str | TTS | None
    ) -> AsyncIterator[Handle]:
        segment = await self.speaker.say(
            text,
            voice=voice,
            tts=tts,
            mode=how.mode,
            on_loss=how.on_loss,
            interruptible=how.interruptible,
            wait_for_viewer=how.wait_for_viewer,
            expires_in=how.expires_in,
        )
        return _each(_LocalHandle(segment))


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
        segment = await self.service.speak(self.room, path, self._query(how))
        return _ServiceHandle(self.service, segment["id"])

    async def say(
        self, text: str | AsyncIterable[str], how: How, voice: str | None, tts: str | TTS | None
    ) -> AsyncIterator[Handle]:
        """One that is still being written is handed over sentence by sentence: a request carries a whole text."""
        if isinstance(tts, TTS):
            raise ConfigurationError("A TTS class of your own speaks without --service: the service cannot load it.")
        if isinstance(text, str):
            return _each(await self._say(text, how, voice, tts))
        return self._say_each(text, how, voice, tts)

    async def _say_each(
        self, text: AsyncIterable[str], how: How, voice: str | None, tts: str | None
    ) -> AsyncIterator[Handle]:
        script = Script()
        writing = asyncio.create_task(write(script, text), name="text")
        waiting: deque[Handle] = deque()
        try:
            index = 0
            while (sentence := await script.sentence(index)) is not None:
                if len(waiting) == AHEAD:
                    await waiting.popleft().finished()
                handle = await self._say(sentence, how if index == 0 else replace(how, mode=Mode.APPEND), voice, tts)
                waiting.append(handle)
                yield handle
                index += 1
        finally:
            writing.cancel()
            await asyncio.wait([writing])

    async def _say(self, text: str, how: How, voice: str | None, tts: str | None) -> Handle:
        asked = {"text": text, "voice": voice, "tts": tts}
        body = {name: value for name, value in asked.items() if value is not None}
        segment = await self.service.say(self.room, body, self._query(how))
        return _ServiceHandle(self.service, segment["id"])

    def _query(self, how: How) -> dict[str, str]:
        query = {"mode": str(how.mode), "on_loss": str(how.on_loss), "interruptible": str(how.interruptible).lower()}
        if how.wait_for_viewer:
            query["wait_for_viewer"] = "true"
        if how.expires_in is not None:
            query["expires_in"] = str(how.expires_in)
        if self.avatar is not None:
            query["avatar"] = self.avatar
        return query


@asynccontextmanager
async def service_target(url: str, room: str, avatar: str | None) -> AsyncIterator[TextTarget]:
    async with ServiceClient(url) as service:
        yield _Service(service, room, avatar)


@asynccontextmanager
async def room_target(
    access: LiveKitAccess, room: str, *, avatar: str | None, identity: str | None, avatar_timeout: float
) -> AsyncIterator[TextTarget]:
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


async def _each(*handles: Handle) -> AsyncIterator[Handle]:
    for handle in handles:
        yield handle
