"""Sends the states of the session to the avatar by RPC, as Avaluma's plugin does.

RPC ``user_state_changed`` (``speaking``, ``listening``, ``away``) and ``agent_state_changed`` (``initializing``,
``idle``, ``listening``, ``thinking``, ``speaking``) with the new state as payload. Unlike the plugin, which sends each
change by a task of its own, this keeps their order, and sends the current states to an avatar that has just joined.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, AgentStateChangedEvent, UserStateChangedEvent

from mouthpiece import wire

logger = logging.getLogger(__name__)

RPC_TIMEOUT = 5.0
"""Seconds for an answer."""


class StateRelay:
    """``start``, then ``aclose``. While the avatar does not answer, only the newest state of each kind waits."""

    def __init__(self, session: AgentSession[Any], room: rtc.Room, identity: str) -> None:
        """:param identity: the avatar's identity."""
        self._session = session
        self._room = room
        self._identity = identity
        self._unsent: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Subscribe to both states and send the current ones."""
        self._session.on("user_state_changed", self._on_user_state)
        self._session.on("agent_state_changed", self._on_agent_state)
        self._room.on("participant_active", self._on_participant_active)
        self._queue_current_states()
        self._task = asyncio.create_task(self._run(), name="avatar state relay")

    async def aclose(self) -> None:
        if self._task is None:
            return
        self._session.off("user_state_changed", self._on_user_state)
        self._session.off("agent_state_changed", self._on_agent_state)
        self._room.off("participant_active", self._on_participant_active)
        self._task.cancel()
        await asyncio.wait({self._task})
        self._task = None

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        self._queue(wire.RPC_USER_STATE, event.new_state)

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        self._queue(wire.RPC_AGENT_STATE, event.new_state)

    def _on_participant_active(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._identity:
            self._queue_current_states()

    def _queue_current_states(self) -> None:
        self._queue(wire.RPC_USER_STATE, self._session.user_state)
        self._queue(wire.RPC_AGENT_STATE, self._session.agent_state)

    def _queue(self, method: str, state: str) -> None:
        self._unsent.pop(method, None)  # the order is that of the newest changes
        self._unsent[method] = state
        self._changed.set()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._unsent and self._identity in self._room.remote_participants:
                method = next(iter(self._unsent))
                await self._send(method, self._unsent.pop(method))

    async def _send(self, method: str, state: str) -> None:
        try:
            await self._room.local_participant.perform_rpc(
                destination_identity=self._identity, method=method, payload=state, response_timeout=RPC_TIMEOUT
            )
        except rtc.RpcError as error:
            # an avatar need not register these methods, and may be leaving
            logger.debug("the avatar did not take %s: code %s", method, error.code)
