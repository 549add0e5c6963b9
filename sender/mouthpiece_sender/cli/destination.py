"""Where ``play``, ``say`` and ``loop`` speak to: a room that they join themselves, a running service, or Anam."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import typer

from mouthpiece.errors import ConfigurationError, MouthpieceError
from mouthpiece.segments import Mode, OnLoss
from mouthpiece.tts import TTS
from mouthpiece_sender.anam.settings import Via, default_tts_for_anam, target_from_environment
from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.outcome import fail
from mouthpiece_sender.cli.service_client import ServiceClient
from mouthpiece_sender.cli.via_anam import check_for_anam, check_without_anam, speaker_via_anam
from mouthpiece_sender.playout.waking import changed_within
from mouthpiece_sender.segment_json import segment_json
from mouthpiece_sender.speaker import PlayingSegment, Speaker
from mouthpiece_sender.speech.incremental_text import Script, write
from mouthpiece_sender.speech.voices import DEFAULT as OFFLINE

AHEAD = 5
"""Sentences of a text that is still being written which may wait at a service."""
TAKE_BACK = 5.0
"""Seconds that ending what was handed over to a service may take."""


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


class Destination(Protocol):
    async def over_within(self, seconds: float) -> bool:
        """Waits so long; True at once when whoever watches has seen enough, and nothing more is to be said."""
        ...

    async def play(self, path: Path, how: How) -> Handle: ...

    async def say(
        self, text: str | AsyncIterable[str], how: How, voice: str | None, tts: str | TTS | None
    ) -> AsyncIterator[Handle]:
        """Hands a text over, in one segment or several; each as soon as it is handed over.

        :raises MouthpieceError: it cannot be spoken.
        """
        ...


@dataclass(frozen=True, slots=True)
class Where:
    """What was asked for on the command line; :func:`where` checks it."""

    room: str
    """Empty where none is needed."""
    avatar: str | None
    service: str | None
    url: str | None
    api_secret_file: Path | None
    identity: str | None
    avatar_timeout: float
    via: Via
    view: bool = False
    record: Path | None = None

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[Destination]:
        """What speaks there. Leaving it early stops what plays; a service says what it was given, if the reason is a
        ``MouthpieceError``.

        :raises ConfigurationError: something that it needs is missing; the message says its name.
        """
        async with AsyncExitStack() as stack:
            if self.service is not None:
                service = await stack.enter_async_context(ServiceClient(self.service))
                through = _Service(service, self.room, self.avatar)
                try:
                    yield through
                except MouthpieceError:
                    raise  # it says nothing against what was handed over before
                except BaseException:
                    await through.take_back()
                    raise
            elif self.via is Via.ANAM:
                dismissed = asyncio.Event()
                speaker = await stack.enter_async_context(
                    speaker_via_anam(
                        self.avatar, dismissed, ready_timeout=self.avatar_timeout, view=self.view, record=self.record
                    )
                )
                yield _Local(speaker, default_tts_for_anam(options.environment()), dismissed)
            else:
                access = options.livekit_access(self.url, self.api_secret_file)
                speaker = Speaker(
                    self.room,
                    url=access.url,
                    api_key=access.api_key,
                    api_secret=access.api_secret,
                    avatar=self.avatar,
                    identity=self.identity,
                    avatar_timeout=self.avatar_timeout,
                )
                yield _Local(await stack.enter_async_context(speaker))


def where(
    context: typer.Context,
    room: str | None,
    *,
    avatar: str | None,
    service: str | None,
    url: str | None,
    api_secret_file: Path | None,
    identity: str | None,
    avatar_timeout: float,
    via: Via | None,
    view: bool = False,
    record: Path | None = None,
) -> Where:
    """
    :raises typer.BadParameter: options that do not go together, or have no meaning there; or ``MOUTHPIECE_TARGET`` is
        none of the targets.
    """
    if service is not None and via is not None:
        if options.on_command_line(context, "service"):
            raise typer.BadParameter("has no meaning with --service: the service knows.", param_hint="--via")
        service = None  # the environment's, which the command line goes before
    elif service is not None:
        via = Via.LIVEKIT
    try:
        via = via or target_from_environment(options.environment())
    except ConfigurationError as error:
        raise typer.BadParameter(str(error), param_hint="MOUTHPIECE_TARGET") from None
    if via is Via.ANAM:
        check_for_anam(context, record)
    else:
        check_without_anam(view, record)
        if room is None:
            raise typer.BadParameter("is missing: name the room with it, or set MOUTHPIECE_ROOM.", param_hint="--room")
    return Where(room or "", avatar, service, url, api_secret_file, identity, avatar_timeout, via, view, record)


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
    tts: str | None = None
    """Who speaks a text for which nobody is named; None: the speaker knows."""
    dismissed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when whoever watches has seen enough."""

    async def over_within(self, seconds: float) -> bool:
        await changed_within(self.dismissed, seconds)
        return self.dismissed.is_set()

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
        if tts is None and (voice is None or self.tts != OFFLINE):
            tts = self.tts  # else whichever has the voice
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
    _handed_over: deque[str] = field(default_factory=lambda: deque(maxlen=2 * AHEAD))
    """Ids of the latest segments: those before have ended."""

    async def over_within(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return False

    async def play(self, path: Path, how: How) -> Handle:
        return self._handle(await self.service.speak(self.room, path, self._query(how)))

    async def take_back(self) -> None:
        """Ends what was handed over and has not ended: the last one first, so that none of them begins meanwhile."""
        try:
            async with asyncio.timeout(TAKE_BACK):
                for segment in reversed(self._handed_over):
                    await self.service.cancel(segment)
        except (TimeoutError, MouthpieceError):
            fail("The service did not take back what it was given.")

    def _handle(self, segment: dict[str, Any]) -> Handle:
        self._handed_over.append(segment["id"])
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
        return self._handle(await self.service.say(self.room, body, self._query(how)))

    def _query(self, how: How) -> dict[str, str]:
        query = {"mode": str(how.mode), "on_loss": str(how.on_loss), "interruptible": str(how.interruptible).lower()}
        if how.wait_for_viewer:
            query["wait_for_viewer"] = "true"
        if how.expires_in is not None:
            query["expires_in"] = str(how.expires_in)
        if self.avatar is not None:
            query["avatar"] = self.avatar
        return query


async def _each(*handles: Handle) -> AsyncIterator[Handle]:
    for handle in handles:
        yield handle


async def handed_over(handles: AsyncIterator[Handle]) -> AsyncGenerator[Handle, None]:
    """Each of ``handles``, while more are handed over already: as many as they are willing to be ahead.

    Close it when it is not read to its end.

    :raises MouthpieceError: one could not be handed over; those before it have come out.
    """
    ready: asyncio.Queue[Handle | None] = asyncio.Queue()

    async def hand_over() -> None:
        async for handle in handles:
            ready.put_nowait(handle)

    handing = asyncio.create_task(hand_over(), name="handing-over")
    handing.add_done_callback(lambda _: ready.put_nowait(None))
    try:
        while (handle := await ready.get()) is not None:
            yield handle
        await handing
    finally:
        handing.cancel()
        await asyncio.gather(handing, return_exceptions=True)
