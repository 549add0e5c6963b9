"""Keeps the avatar in the room for as long as the job runs: performs what :class:`AvatarSupervision` decides."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Literal, get_args

from livekit import api, rtc

from mouthpiece import wire
from mouthpiece.errors import MouthpieceError
from mouthpiece_agents.avatar_participant import Owner, owner, remove_avatar
from mouthpiece_agents.avatars import Avatar
from mouthpiece_agents.supervision import AvatarSupervision, State

logger = logging.getLogger(__name__)

LEAVE_TIMEOUT = 5.0
"""Seconds until a participant that was removed has left."""
ASK_EVERY = 2.0
"""Seconds between questions whether the avatar server still runs the avatar: LiveKit shows an avatar whose process was
killed for 15 to 20 s more (livekit-server 1.13.5)."""
_RoomEvent = Literal["participant_connected", "participant_disconnected", "connection_state_changed"]
_ROOM_EVENTS: tuple[_RoomEvent, ...] = get_args(_RoomEvent)


class AvatarSupervisor:
    """Starts the avatar of one job and starts it again whenever it is missing; :meth:`run` is the whole of it."""

    def __init__(
        self,
        avatar: Avatar,
        room: rtc.Room,
        livekit: api.LiveKitAPI,
        *,
        start_timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """:param start_timeout: seconds from the request for the avatar until it is in the room."""
        self._avatar = avatar
        self._room = room
        self._livekit = livekit
        self._clock = clock
        self._supervision = AvatarSupervision(start_timeout)
        self._wake = asyncio.Event()
        self._start: asyncio.Task[None] | None = None
        self._seen: rtc.RemoteParticipant | None = None

    async def run(self) -> str:
        """Supervise the avatar until it is given up; return the reason for that. A job cancels this at its end."""
        for event in _ROOM_EVENTS:
            self._room.on(event, self._on_room_event)
        asking = asyncio.create_task(self._ask_server(), name="ask avatar server")
        try:
            await self._remove_orphan()
            self._supervision.begin(self._clock())
            while True:
                self._step()
                if self._supervision.state is State.GIVEN_UP:
                    return self._supervision.reason
                await self._next_event()
        finally:
            for event in _ROOM_EVENTS:
                self._room.off(event, self._on_room_event)
            tasks = {asking} if self._start is None else {asking, self._start}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _remove_orphan(self) -> None:
        """Remove an avatar whose agent has left the room."""
        orphan = self._participant()
        if orphan is None or self._owner(orphan) is not Owner.NONE:
            return
        logger.info("replacing an avatar whose agent has left the room")
        behalf = orphan.attributes.get(wire.ATTR_PUBLISH_ON_BEHALF, "")
        await remove_avatar(self._livekit, self._room.name, self._avatar.avatar_identity, behalf)
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT):
                while self._participant() is orphan:
                    await self._wake.wait()
                    self._wake.clear()
        except TimeoutError:
            logger.warning("the avatar whose agent has left the room does not leave; keeping it")

    def _step(self) -> None:
        now = self._clock()
        if self._start is not None and self._start.done():
            self._start_ended(self._start, now)
            self._start = None
        if self._room.connection_state != rtc.ConnectionState.CONN_CONNECTED:
            return  # the list of participants may be out of date: a start could replace an avatar that is in the room
        self._look(now)
        if self._supervision.tick(now):
            self._start = asyncio.create_task(self._avatar.restart(), name="start avatar")
            self._start.add_done_callback(lambda _: self._wake.set())

    def _look(self, now: float) -> None:
        seen, before = self._participant(), self._seen
        self._seen = seen
        if seen is not None and self._owner(seen) is Owner.OTHER_AGENT:
            self._supervision.give_up("another agent in this room has an avatar with this name")
        elif seen is not None and before is None:
            logger.info("the avatar is in the room")
            self._supervision.joined(now)
        elif seen is None and before is not None:
            self._supervision.left(now, on_purpose=wire.ATTR_LEAVING in before.attributes)

    def _start_ended(self, start: asyncio.Task[None], now: float) -> None:
        error = start.exception()
        if error is None:
            self._supervision.started(now)
        elif isinstance(error, MouthpieceError):
            self._supervision.refused(error, now)
        else:
            raise error

    async def _ask_server(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY)
            if self._supervision.state is not State.PRESENT or await self._avatar.alive() is not False:
                continue
            avatar = self._participant()
            if avatar is None or wire.ATTR_LEAVING not in avatar.attributes:  # that one is about to be seen leaving
                self._supervision.lost(self._clock())
                self._wake.set()

    async def _next_event(self) -> None:
        deadline = self._supervision.deadline
        try:
            async with asyncio.timeout(None if deadline is None else max(0.0, deadline - self._clock())):
                await self._wake.wait()
        except TimeoutError:
            if self._room.connection_state != rtc.ConnectionState.CONN_CONNECTED:
                await self._wake.wait()  # `_step` does nothing before the room is connected again
        self._wake.clear()

    def _participant(self) -> rtc.RemoteParticipant | None:
        return self._room.remote_participants.get(self._avatar.avatar_identity)

    def _owner(self, participant: rtc.RemoteParticipant) -> Owner:
        others = self._room.remote_participants.keys()
        return owner(participant.attributes, self._room.local_participant.identity, others)

    def _on_room_event(self, *_: object) -> None:
        self._wake.set()
