"""The avatar counts what a participant sends, and asks the senders to stop one that floods the room."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, cast

from livekit import rtc

from mouthpiece import wire
from mouthpiece.data_rate import BURST, DEFAULT_LIMIT
from mouthpiece_avatar.data_floods import DataFloods

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
ROOM = {
    "viewer": SimpleNamespace(identity="viewer", kind=rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD),
    "sender": SimpleNamespace(identity="sender", kind=AGENT),
    "agent": SimpleNamespace(identity="agent", kind=AGENT),
}


class Calls:
    """Remembers the calls; the worker has no such method."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str, str]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.floods = DataFloods(
            cast(Any, SimpleNamespace(remote_participants=ROOM)), self.call, spawn=self.spawn, clock=lambda: 0.0
        )

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.create_task(work))

    async def call(self, identity: str, method: str, payload: str, timeout: float) -> str:
        self.made.append((identity, method, payload))
        if identity == "agent":
            raise rtc.RpcError(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, "no such method")
        return "ok"

    def came(self, identity: str | None, size: int) -> None:
        participant = None if identity is None else ROOM[identity]
        self.floods.came(cast(rtc.DataPacket, SimpleNamespace(participant=participant, data=bytes(size))))


async def test_each_agent_is_asked_once_and_one_without_such_a_method_is_no_error() -> None:
    calls = Calls()
    for _ in range(int(BURST * DEFAULT_LIMIT / 10_000) + 1):
        calls.came("viewer", 10_000)
    await asyncio.gather(*calls.tasks)
    payload = wire.Flooded("viewer").dumps()
    assert calls.made == [("sender", wire.RPC_FLOODED, payload), ("agent", wire.RPC_FLOODED, payload)]


async def test_calls_and_streams_that_only_an_agent_may_send_count() -> None:
    calls = Calls()
    for _ in range(7):
        calls.floods.uninvited("viewer")
    await asyncio.gather(*calls.tasks)
    assert [identity for identity, _, _ in calls.made] == ["sender", "agent"]


async def test_agents_and_strangers_and_the_server_may_send_what_they_like() -> None:
    calls = Calls()
    for _ in range(1_000):
        calls.came("sender", 10_000)
        calls.came(None, 10_000)
        calls.floods.uninvited("nobody yet")
    assert calls.tasks == []
