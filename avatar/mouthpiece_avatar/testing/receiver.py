"""A receiver of LiveKit rooms that does what its script says: a stand-in for the avatar of any vendor."""

from __future__ import annotations

import asyncio
import enum
import uuid
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from livekit import api, rtc

from mouthpiece import wire
from mouthpiece_avatar.receipts import Receipts
from mouthpiece_avatar.session import Session
from mouthpiece_avatar.testing.fault import Fault, Inbound
from mouthpiece_avatar.testing.scripted import Scripted
from mouthpiece_avatar.testing.still_picture import StillPicture
from mouthpiece_avatar.token import Claims

AGENT: Final = "agent-scripted"
"""In whose name it publishes, as avatars of vendors do; nobody of that identity has to be there."""
JOIN_WITHIN: Final = 30.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of a LiveKit server."""

    url: str
    api_key: str
    api_secret: str


class Presented(enum.Enum):
    """As what it appears to a sender: the profiles of ``docs/wire.md``."""

    STOCK = "stock"
    """The avatar of a LiveKit plugin: ``lk.publish_on_behalf``, LiveKit's own receipts."""
    AVALUMA = "avaluma"
    """The identity ``avatar-…``, LiveKit's own receipts."""
    MOUTHPIECE = "mouthpiece"
    """Our own: its attribute, receipts by segment, ``mouthpiece.status``."""

    @property
    def identity(self) -> str:
        return "scripted-avatar-agent" if self is Presented.STOCK else wire.avatar_identity("scripted")


class ScriptedReceiver:
    """``async with`` joins and leaves; with a fault that joins late, entering does not wait for it.

    It plays what it is sent onto an audio track, at 48 kHz, and publishes a small still picture. What has left it
    counts as played, whether LiveKit took it or not, as with the avatars that it stands in for.
    """

    def __init__(
        self,
        credentials: Credentials,
        room: str,
        fault: Fault | None = None,
        *,
        presented: Presented = Presented.STOCK,
        identity: str | None = None,
        on_behalf_of: str = AGENT,
    ) -> None:
        """
        :param fault: None: it does all as it should.
        :param identity: its own; None: one that fits what it is presented as.
        :param on_behalf_of: the identity of the agent whose avatar it is.
        """
        self._credentials = credentials
        self._room = room
        self._fault = Fault() if fault is None else fault
        self._on_behalf_of = on_behalf_of
        self.identity = identity or presented.identity
        self.presented = presented
        self._conduct = Scripted(
            self._fault,
            announces=presented is Presented.MOUTHPIECE,
            acknowledged=False,
            others=lambda identity: self._others[identity],
        )
        self._others: dict[str, Receipts] = {}
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for identity in self._fault.participants:
                self._others[identity] = await stack.enter_async_context(
                    Bystander(self._credentials, self._room, identity)
                )
            session_id = f"ses_{uuid.uuid4().hex[:16]}"
            request = wire.StartAvatar(self._credentials.url, self._token(), "", "scripted")
            claims = Claims(self.identity, self._room)
            self._session = Session(session_id, request, claims, StillPicture(), conduct=self._conduct)
            self._task = asyncio.create_task(self._session.run(), name="scripted receiver")
            stack.push_async_callback(self._leave, self._session, self._task)
            if not self._fault.joins_after:
                await self.joined()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def inbound(self) -> Sequence[Inbound]:
        """The streams that came, in order; those that it does not hear too."""
        return self._conduct.inbound

    @property
    def present(self) -> bool:
        """Whether it is in the room, or on its way."""
        return self._task is not None and not self._task.done()

    async def joined(self) -> None:
        """Wait until it is in the room and listens.

        :raises RoomError: LiveKit did not let it in.
        :raises TimeoutError: it was not within ``JOIN_WITHIN``.
        """
        assert self._session is not None, "enter it first"
        assert self._task is not None
        joined = asyncio.create_task(self._session.joined.wait(), name="joined")
        try:
            async with asyncio.timeout(JOIN_WITHIN):
                await asyncio.wait((joined, self._task), return_when=asyncio.FIRST_COMPLETED)
        finally:
            joined.cancel()
        if not self._session.joined.is_set():
            await self._task  # raises why

    async def left(self) -> None:
        """Wait until it is gone, as one that dies is."""
        assert self._task is not None, "enter it first"
        await asyncio.wait({self._task})

    async def _leave(self, session: Session, task: asyncio.Task[None]) -> None:
        session.end("its test is over")
        await asyncio.wait({task})

    def _token(self) -> str:
        announces = self.presented is Presented.MOUTHPIECE
        grants = api.VideoGrants(room_join=True, room=self._room, can_update_own_metadata=announces or None)
        return agent_token(self._credentials, self.identity, grants, {wire.ATTR_PUBLISH_ON_BEHALF: self._on_behalf_of})


class Bystander:
    """Another participant of the room, of agent kind; ``async with`` gives its receipts."""

    def __init__(self, credentials: Credentials, room: str, identity: str) -> None:
        self._credentials = credentials
        self._identity = identity
        self._name = room
        self._room = rtc.Room()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Receipts:
        grants = api.VideoGrants(room_join=True, room=self._name)
        attributes = {wire.ATTR_PUBLISH_ON_BEHALF: self._identity}
        token = agent_token(self._credentials, self._identity, grants, attributes)
        self._room.register_byte_stream_handler(wire.SESSION_TOPIC, lambda reader, _: reader.close())
        await self._room.connect(self._credentials.url, token, rtc.RoomOptions(auto_subscribe=False))
        return Receipts(
            self._room.local_participant.perform_rpc,
            spawn=self._spawn,
            present=lambda identity: identity in self._room.remote_participants,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def agent_token(credentials: Credentials, identity: str, grants: api.VideoGrants, attributes: dict[str, str]) -> str:
    made = api.AccessToken(credentials.api_key, credentials.api_secret).with_kind("agent").with_identity(identity)
    return made.with_name(identity).with_grants(grants).with_attributes(attributes).to_jwt()
