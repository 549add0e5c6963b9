"""A destination behind a running service (``--service``)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mouthpiece import client
from mouthpiece.client import Segment
from mouthpiece.errors import ConfigurationError, MouthpieceError
from mouthpiece.segments import Mode
from mouthpiece.tts import TTS
from mouthpiece_sender.cli.destination import SegmentHandle, SegmentOptions, each_of
from mouthpiece_sender.cli.outcome import fail
from mouthpiece_sender.cli.service_client import ServiceClient
from mouthpiece_sender.speech.incremental_text import IncrementalText, write

AHEAD = 5
"""Sentences of a text that is still being written which may wait at the service."""
CANCEL_WITHIN = 5.0
"""Seconds for all requests that cancel segments."""


@dataclass(frozen=True, slots=True)
class ServiceDestination:
    """Fits :class:`~mouthpiece_sender.cli.destination.Destination`. Its client is open."""

    service: ServiceClient
    room: str
    avatar: str | None
    _submitted: deque[str] = field(default_factory=lambda: deque(maxlen=2 * AHEAD))
    """Ids of the latest segments; earlier ones have ended."""

    async def sleep(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return False

    async def play(self, path: Path, options: SegmentOptions) -> SegmentHandle:
        return self._handle(await self.service.speak(self.room, path, self._query(options)))

    async def say(
        self, text: str | AsyncIterable[str], options: SegmentOptions, voice: str | None, tts: str | TTS | None
    ) -> AsyncIterator[SegmentHandle]:
        """Submit a text. One that is still being written is one segment per sentence: a request needs a whole text.

        :raises ConfigurationError: ``tts`` is an object, which the service cannot load.
        :raises MouthpieceError: the service refused.
        """
        if isinstance(tts, TTS):
            raise ConfigurationError("A TTS class of your own speaks without --service: the service cannot load it.")
        if isinstance(text, str):
            return each_of(await self._say(text, options, voice, tts))
        return self._say_sentences(text, options, voice, tts)

    async def cancel_unfinished(self) -> None:
        """Cancel the submitted segments that have not ended. The last goes first, so that none of them starts."""
        try:
            async with asyncio.timeout(CANCEL_WITHIN):
                for segment in reversed(self._submitted):
                    await self.service.cancel(segment)
        except (TimeoutError, MouthpieceError):
            fail("The service did not cancel the segments that this command submitted.")

    async def _say_sentences(
        self, text: AsyncIterable[str], options: SegmentOptions, voice: str | None, tts: str | None
    ) -> AsyncIterator[SegmentHandle]:
        sentences = IncrementalText(options.text_format)
        writing = asyncio.create_task(write(sentences, text), name="text")
        waiting: deque[SegmentHandle] = deque()
        try:
            index = 0
            while (sentence := await sentences.sentence(index)) is not None:
                if len(waiting) == AHEAD:
                    await waiting.popleft().finished()
                own = replace(options, text_format="plain")  # it was read here
                own = own if index == 0 else replace(own, mode=Mode.APPEND)
                handle = await self._say(sentence, own, voice, tts)
                waiting.append(handle)
                yield handle
                index += 1
        finally:
            writing.cancel()
            await asyncio.wait([writing])

    async def _say(self, text: str, options: SegmentOptions, voice: str | None, tts: str | None) -> SegmentHandle:
        query = self._query(options)
        return self._handle(await self.service.say(self.room, text, voice, tts, options.text_format, query))

    def _handle(self, segment: Segment) -> SegmentHandle:
        self._submitted.append(segment["id"])
        return _Handle(self.service, segment["id"])

    def _query(self, options: SegmentOptions) -> client.SegmentOptions:
        query = client.SegmentOptions(
            mode=str(options.mode), on_loss=str(options.on_loss), interruptible=options.interruptible
        )
        if options.wait_for_viewer:
            query["wait_for_viewer"] = True
        if options.expires_in is not None:
            query["expires_in"] = options.expires_in
        if self.avatar is not None:
            query["avatar"] = self.avatar
        return query


@dataclass(frozen=True, slots=True)
class _Handle:
    service: ServiceClient
    id: str

    async def now(self) -> dict[str, Any]:
        return dict(await self.service.segment(self.id))

    async def finished(self) -> dict[str, Any]:
        return dict(await self.service.finished(self.id))
