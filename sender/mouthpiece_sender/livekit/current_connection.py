"""The way into one room: at most one connection at a time, and what is heard from it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from mouthpiece.segments import Problem
from mouthpiece_sender.livekit.connection import Connection, ConnectionBack, RoomEvent
from mouthpiece_sender.livekit.joins import OTHERS_FIRST, RoomTurns

LINGERS: Final = 120.0
"""Seconds for which a connection that was dropped while LiveKit did not answer may come back by itself: leaving is a
call to the server, and what the SDK still does for it cannot be cancelled (livekit 1.1.21)."""


class CurrentConnection:
    """
    :param connect: makes a connection that calls the given listener.
    :param listener: receives the events of the present connection; those of an earlier one, which may still be leaving,
        are dropped.
    :param turns: one is held while the room is joined: too many joins at once time out, all of them.
    :param waits: called with the reason when the join has to wait for its turn.
    """

    def __init__(
        self,
        connect: Callable[[Callable[[RoomEvent], None]], Connection],
        listener: Callable[[RoomEvent], None],
        turns: RoomTurns,
        waits: Callable[[Problem], None],
    ) -> None:
        self.connection: Connection | None = None
        """The present one."""
        self.lost_at: float | None = None
        """When it was lost, while the SDK reconnects."""
        self._connect = connect
        self._listener = listener
        self._turns = turns
        self._waits = waits
        self._stack = AsyncExitStack()
        self._dropped_at = float("-inf")
        self._lost = False
        """The last connection was abandoned, and no other one has been made."""

    @property
    def open(self) -> Connection | None:
        """The present connection, unless the SDK reconnects it."""
        return self.connection if self.lost_at is None else None

    async def join(self) -> bool:
        """Returns whether we are in the room; False: we were disconnected again at once.

        :raises LiveKitUnavailable: the server cannot be reached.
        :raises LiveKitRefused: it does not accept the token.
        """
        stack, connection = AsyncExitStack(), self._connect(lambda event: self._hear(connection, event))
        if self._turns.joins.busy:
            self._waits(OTHERS_FIRST)
        async with self._turns.joins.turn(self._turns.holder):
            await stack.enter_async_context(connection)
        if not connection.connected:
            await stack.aclose()
            return False
        self.connection, self._stack = connection, stack
        if self._lost:
            self._lost = False
            self._turns.joins.figures.reconnects += 1
        return True

    def abandon(self, now: float) -> AsyncExitStack:
        """``drop`` a connection that may be dead."""
        self._dropped_at, self._lost = now, True
        return self.drop()

    def may_be_its_own_duplicate(self, now: float) -> bool:
        """Whether a participant under our identity may be a connection of ours that was abandoned."""
        return now < self._dropped_at + LINGERS

    def drop(self) -> AsyncExitStack:
        """Hear nothing more of the present connection; returns what has to be closed to leave."""
        stack, self._stack = self._stack, AsyncExitStack()
        self.connection = self.lost_at = None
        return stack

    async def leave(self) -> None:
        """Leave in turn with other rooms."""
        stack = self.drop()
        async with self._turns.leaving:
            await stack.aclose()

    def _hear(self, connection: Connection, event: RoomEvent) -> None:
        if connection is self.connection:
            if isinstance(event, ConnectionBack):
                self._turns.joins.figures.reconnects += 1
            self._listener(event)
