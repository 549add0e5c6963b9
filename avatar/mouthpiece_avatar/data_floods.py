"""Has a participant stopped that floods the room: the sound for the avatar comes over the same channel as its data.

An avatar has a token, and no key for LiveKit. The senders of the room have one: they are asked to
(``mouthpiece.flooded``).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Final

from livekit import rtc

from mouthpiece import wire
from mouthpiece.data_rate import DEFAULT_LIMIT, UNINVITED, DataRate
from mouthpiece.receiving.stream_receiver import agent_kind

ANSWER_WITHIN: Final = 3.0
"""Seconds that a sender may take to answer: its answer says no more than that it got the call."""


class DataFloods:
    """``came`` and ``uninvited`` are its inputs; what it does is a call to each agent of the room: those that
    are no sender have no such method, and say so."""

    def __init__(
        self,
        room: rtc.Room,
        call: Callable[[str, str, str, float], Coroutine[None, None, str]],
        *,
        spawn: Callable[[Coroutine[None, None, None]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param call: performs an RPC: of an identity, a method, a payload and seconds for the answer.
        :param spawn: starts a task that the caller owns.
        """
        self._room = room
        self._call = call
        self._spawn = spawn
        self._clock = clock
        self._rate = DataRate(DEFAULT_LIMIT)

    def came(self, packet: rtc.DataPacket) -> None:
        """A data packet has come."""
        if packet.participant is not None:
            self._count(packet.participant.identity, len(packet.data))

    def uninvited(self, identity: str) -> None:
        """A call or a stream has come that only an agent may send."""
        self._count(identity, UNINVITED)

    def _count(self, identity: str, size: int) -> None:
        if agent_kind(self._room, identity) is False and self._rate.came(identity, size, self._clock()):
            self._spawn(self._report(wire.Flooded(identity)))

    async def _report(self, flooded: wire.Flooded) -> None:
        agents = [identity for identity in self._room.remote_participants if agent_kind(self._room, identity)]
        await asyncio.gather(*(self._ask(identity, flooded) for identity in agents))

    async def _ask(self, identity: str, flooded: wire.Flooded) -> None:
        with contextlib.suppress(rtc.RpcError):
            await self._call(identity, wire.RPC_FLOODED, flooded.dumps(), ANSWER_WITHIN)
