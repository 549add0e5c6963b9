"""Answers the calls of the other participants of a room."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from livekit import rtc

from mouthpiece import wire
from mouthpiece_avatar.conduct import Conduct
from mouthpiece_avatar.renderer import Mood

HEADERS_OVERTAKEN = 0.1
"""Seconds within which the SDK hands over a stream whose header came before a call: the call takes fewer steps inside
livekit 1.1.21, and overtakes the header in about one of a hundred cases."""
NOT_ALLOWED = 403
"""Code of the error that a call from somebody who is no agent gets."""


class RoomCalls:
    """``register`` it with a participant that is connected."""

    def __init__(
        self,
        conduct: Conduct,
        *,
        is_agent: Callable[[str], bool | None],
        clear: Callable[[str], None],
        status: Callable[[str], wire.Status],
        leave: Callable[[], None],
        set_mood: Callable[[Mood], None],
        uninvited: Callable[[str], None],
    ) -> None:
        """
        :param is_agent: for an identity: whether it is of agent kind; None while LiveKit has not announced it.
        :param clear: interrupts all streams of an identity.
        :param status: says what became of the streams of an identity.
        :param leave: begins to leave the room in peace.
        :param uninvited: called with the identity of each caller that is not known to be an agent.
        """
        self._conduct = conduct
        self._is_agent = is_agent
        self._clear = clear
        self._status = status
        self._leave = leave
        self._set_mood = set_mood
        self._uninvited = uninvited
        self._user_speaks = False
        self._agent_thinks = False

    def register(self, participant: rtc.LocalParticipant) -> None:
        methods: dict[str, Callable[[rtc.RpcInvocationData], Awaitable[str]]] = {
            wire.RPC_CLEAR_BUFFER: self._on_clear,
            wire.RPC_LEAVE: self._on_leave,
            wire.RPC_USER_STATE: self._on_user_state,
            wire.RPC_AGENT_STATE: self._on_agent_state,
        }
        if self._conduct.announces:
            methods[wire.RPC_STATUS] = self._on_status
        for method, handler in methods.items():
            participant.register_rpc_method(method, self._conducted(method, handler))

    def _conducted(
        self, method: str, handler: Callable[[rtc.RpcInvocationData], Awaitable[str]]
    ) -> Callable[[rtc.RpcInvocationData], Awaitable[str]]:
        async def answer(call: rtc.RpcInvocationData) -> str:
            if not self._is_agent(call.caller_identity):
                self._uninvited(call.caller_identity)
            return await self._conduct.answer(method, call.caller_identity, lambda: handler(call))

        return answer

    async def _on_clear(self, call: rtc.RpcInvocationData) -> str:
        self._clear(call.caller_identity)
        return wire.CLEAR_OK

    async def _on_status(self, call: rtc.RpcInvocationData) -> str:
        """:raises RpcError: the caller is no agent. One that is not announced yet gets its answer."""
        if self._is_agent(call.caller_identity) is False:
            raise rtc.RpcError(NOT_ALLOWED, "only agents speak here")
        await asyncio.sleep(HEADERS_OVERTAKEN)
        return self._status(call.caller_identity).dumps()

    async def _on_leave(self, call: rtc.RpcInvocationData) -> str:
        """:raises RpcError: the caller is not known to be an agent."""
        self._require_agent(call)
        self._leave()
        return wire.CLEAR_OK

    async def _on_user_state(self, call: rtc.RpcInvocationData) -> str:
        """:raises RpcError: the caller is not known to be an agent."""
        self._require_agent(call)
        self._user_speaks = call.payload == "speaking"
        self._update_mood()
        return "ok"

    async def _on_agent_state(self, call: rtc.RpcInvocationData) -> str:
        """:raises RpcError: the caller is not known to be an agent."""
        self._require_agent(call)
        self._agent_thinks = call.payload == "thinking"
        self._update_mood()
        return "ok"

    def _require_agent(self, call: rtc.RpcInvocationData) -> None:
        if not self._is_agent(call.caller_identity):
            raise rtc.RpcError(NOT_ALLOWED, "only agents may call this")

    def _update_mood(self) -> None:
        self._set_mood(Mood.ATTENTIVE if self._user_speaks else Mood.THINKING if self._agent_thinks else Mood.IDLE)
