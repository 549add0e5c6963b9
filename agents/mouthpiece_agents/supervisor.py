"""Keeps the avatar in the room for as long as the job lives: performs what :class:`Keeper` decides."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Literal, get_args

from livekit import api, rtc

from mouthpiece import wire
from mouthpiece.errors import MouthpieceError
from mouthpiece_agents.avatars import Avatar
from mouthpiece_agents.ownership import Owner, owner
from mouthpiece_agents.removal import remove_avatar
from mouthpiece_agents.supervision import Keeper, State

logger = logging.getLogger(__name__)

LEAVE_TIMEOUT = 5.0
"""Seconds for a participant that was removed to be gone."""
ASK_EVERY = 2.0
"""Seconds between questions whether the avatar server still runs the avatar: LiveKit shows one whose process was killed
for 15 to 20 s more (livekit-server 1.13.5)."""
_RoomEvent = Literal["participant_connected", "participant_disconnected", "connection_state_changed"]
_ROOM_EVENTS: tuple[_RoomEvent, ...] = get_args(_RoomEvent)


class Keeping:
    """``run`` for the length of the job; it returns only when the avatar is given up, and says why."""

    def __init__(
        self,
        avatar: Avatar,
        room: rtc.Room,
        livekit: api.LiveKitAPI,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._avatar = avatar
        self._room = room
        self._livekit = livekit
        self._clock = clock
        self._keeper = Keeper()
        self._wake = asyncio.Event()
        self._start: asyncio.Task[None] | None = None
        self._seen: rtc.RemoteParticipant | None = None

    async def run(self) -> str:
        for event in _ROOM_EVENTS:
            self._room.on(event, self._on_room_event)
        asking = asyncio.create_task(self._ask_after_it(), name="ask after avatar")
        try:
            await self._clear_the_place()
            self._keeper.begin(self._clock())
            while True:
                self._step()
                if self._keeper.state is State.GIVEN_UP:
                    return self._keeper.reason
                await self._next_event()
        finally:
            for event in _ROOM_EVENTS:
                self._room.off(event, self._on_room_event)
            tasks = {asking} if self._start is None else {asking, self._start}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _clear_the_place(self) -> None:
        """An avatar that a dead agent left behind is removed; one of a living agent ends this job."""
        left_behind = self._there()
        if left_behind is None or self._owner(left_behind) is not Owner.NOBODYS:
            return
        logger.info("replacing an avatar that its agent left behind")
        behalf = left_behind.attributes.get(wire.ATTR_PUBLISH_ON_BEHALF, "")
        await remove_avatar(self._livekit, self._room.name, self._avatar.avatar_identity, behalf)
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT):
                while self._there() is left_behind:
                    await self._wake.wait()
                    self._wake.clear()
        except TimeoutError:
            logger.warning("the avatar that was left behind does not leave; keeping it")

    def _step(self) -> None:
        now = self._clock()
        if self._start is not None and self._start.done():
            self._finished(self._start, now)
            self._start = None
        if self._room.connection_state != rtc.ConnectionState.CONN_CONNECTED:
            return  # who is there is not known, and a start now could throw out an avatar that is
        self._look(now)
        if self._keeper.tick(now):
            self._start = asyncio.create_task(self._avatar.restart(), name="start avatar")
            self._start.add_done_callback(lambda _: self._wake.set())

    def _look(self, now: float) -> None:
        seen, before = self._there(), self._seen
        self._seen = seen
        if seen is not None and self._owner(seen) is Owner.ANOTHERS:
            self._keeper.give_up("another agent in this room keeps an avatar of this name")
        elif seen is not None and before is None:
            logger.info("the avatar is in the room")
            self._keeper.joined(now)
        elif seen is None and before is not None:
            self._keeper.left(now)

    def _finished(self, start: asyncio.Task[None], now: float) -> None:
        error = start.exception()
        if error is None:
            self._keeper.started(now)
        elif isinstance(error, MouthpieceError):
            self._keeper.refused(error, now)
        else:
            raise error

    async def _ask_after_it(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY)
            if self._keeper.state is State.PRESENT and await self._avatar.alive() is False:
                self._keeper.lost(self._clock())
                self._wake.set()

    async def _next_event(self) -> None:
        deadline = self._keeper.deadline
        try:
            async with asyncio.timeout(None if deadline is None else max(0.0, deadline - self._clock())):
                await self._wake.wait()
        except TimeoutError:
            if self._room.connection_state != rtc.ConnectionState.CONN_CONNECTED:
                await self._wake.wait()  # the deadline waits for the connection
        self._wake.clear()

    def _there(self) -> rtc.RemoteParticipant | None:
        return self._room.remote_participants.get(self._avatar.avatar_identity)

    def _owner(self, participant: rtc.RemoteParticipant) -> Owner:
        others = self._room.remote_participants.keys()
        return owner(participant.attributes, self._room.local_participant.identity, others)

    def _on_room_event(self, *_: object) -> None:
        self._wake.set()
