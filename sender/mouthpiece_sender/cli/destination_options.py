"""The options that choose the destination of ``play``, ``say`` and ``loop``, and that destination once it is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from mouthpiece.errors import ConfigurationError, MouthpieceError
from mouthpiece_sender.anam.settings import Via, default_tts_for_anam, target_from_environment
from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.destination import Destination
from mouthpiece_sender.cli.service_client import ServiceClient
from mouthpiece_sender.cli.service_destination import ServiceDestination
from mouthpiece_sender.cli.speaker_destination import SpeakerDestination
from mouthpiece_sender.cli.via_anam import check_for_anam, check_without_anam, speaker_via_anam
from mouthpiece_sender.speaker import Speaker


@dataclass(frozen=True, slots=True)
class DestinationOptions:
    """Options that go together; :func:`destination_options` checks that."""

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
    async def open(self) -> AsyncIterator[Destination]:
        """Open the destination for the length of the block. Leaving it before its segments have ended stops them.

        One exception: after a ``MouthpieceError`` a service goes on with the segments that were submitted before.

        :raises ConfigurationError: a setting that the destination needs is missing; the message names it.
        """
        async with AsyncExitStack() as stack:
            if self.service is not None:
                client = await stack.enter_async_context(ServiceClient(self.service))
                destination = ServiceDestination(client, self.room, self.avatar)
                try:
                    yield destination
                except MouthpieceError:
                    raise  # the segments that were submitted before are not affected
                except BaseException:
                    await destination.cancel_unfinished()
                    raise
            elif self.via is Via.ANAM:
                window_closed = asyncio.Event()
                speaker = await stack.enter_async_context(
                    speaker_via_anam(
                        self.avatar,
                        window_closed,
                        ready_timeout=self.avatar_timeout,
                        view=self.view,
                        record=self.record,
                    )
                )
                yield SpeakerDestination(speaker, default_tts_for_anam(options.environment()), window_closed)
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
                yield SpeakerDestination(await stack.enter_async_context(speaker))


def destination_options(
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
) -> DestinationOptions:
    """Check the options of a command against each other, and choose LiveKit or Anam.

    :raises typer.BadParameter: two options exclude each other, or one has no meaning for this destination; or
        ``MOUTHPIECE_TARGET`` is none of the targets.
    """
    if service is not None and via is not None:
        if options.on_command_line(context, "service"):
            raise typer.BadParameter("has no meaning with --service, whose own settings choose.", param_hint="--via")
        service = None  # from the environment: --via on the command line overrides it
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
    return DestinationOptions(
        room or "", avatar, service, url, api_secret_file, identity, avatar_timeout, via, view, record
    )
