"""Anam's engine as a target of the gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.anam import sdk
from mouthpiece_sender.anam.errors import AnamBusy, NotThroughAnam
from mouthpiece_sender.anam.frames import FrameSink
from mouthpiece_sender.anam.room import AnamRoom
from mouthpiece_sender.anam.settings import AnamSettings
from mouthpiece_sender.playout.driver import Recorded, at_once
from mouthpiece_sender.target import ReportListener, Room, SpeakRequest

ROOM: Final = "anam"
"""The room's name where a command is given none."""


class AnamTarget:
    """``async with AnamTarget(settings) as target:`` enters the ``sinks``, which take picture and sound.

    It speaks into one room at a time: there is one avatar, and one window to show it in.

    :param warm: seconds that a session stays open once it has gone quiet.
    :raises ConfigurationError: (on entering) the SDK is not installed, or a recording cannot be written.
    """

    def __init__(
        self,
        settings: AnamSettings,
        *,
        sinks: Sequence[FrameSink] = (),
        warm: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._sinks = sinks
        self._warm = warm
        self._clock = clock

    async def __aenter__(self) -> Self:
        if not await asyncio.to_thread(sdk.installed):
            raise ConfigurationError(sdk.NOT_INSTALLED)
        async with AsyncExitStack() as stack:
            for sink in self._sinks:
                await stack.enter_async_context(sink)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def room(
        self,
        name: str,
        listener: ReportListener,
        dormant: Callable[[Room], None],
        recorded: Recorded = at_once,
        holder: str = "",
    ) -> AnamRoom:
        warm = max(self._warm, self.settings.linger)  # the last words are still on their way to the viewer
        return AnamRoom(name, self.settings, self._sinks, listener, dormant, self._clock, warm, recorded)

    async def admit(self, request: SpeakRequest, rooms: Mapping[str, Room], arriving: Collection[str]) -> None:
        """
        :raises NotThroughAnam: the request asks for something that Anam does not have.
        :raises AnamBusy: the avatar speaks in another room.
        """
        if request.avatar not in (None, self.settings.avatar_id):
            raise NotThroughAnam(f"There is one avatar here: {self.settings.avatar_id} (ANAM_AVATAR_ID).")
        if request.wait_for_viewer:
            raise NotThroughAnam("Anam does not report viewers: wait_for_viewer would wait for ever.")
        elsewhere = {name for name, room in rooms.items() if room.avatars} | set(arriving)
        if elsewhere - {request.room}:
            raise AnamBusy(
                "Anam's avatar is in another room, and in one room at a time; it leaves it when it has been quiet for "
                "MOUTHPIECE_WARM seconds."
            )
