"""A fake of LiveKit's server API: rooms and participants in memory. No avatar can join, so segments wait."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from mouthpiece import wire
from mouthpiece.errors import LiveKitUnavailable
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi, ParticipantFacts, RoomFacts


class FakeLiveKitApi(LiveKitApi):
    """``away`` makes every call fail; ``rooms_there`` and ``people`` may be changed by a test."""

    def __init__(self, access: LiveKitAccess) -> None:
        super().__init__(access)
        self.away = False
        self.rooms_there: dict[str, RoomFacts] = {}
        self.people: dict[str, list[ParticipantFacts]] = {}
        self.dispatched: list[tuple[str, str, str]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def check(self) -> None:
        self._answer()

    async def answers(self) -> bool:
        try:
            self._answer()
        except LiveKitUnavailable:
            return False
        return True

    async def participants(self, room: str, *, exists: bool = False) -> list[ParticipantFacts] | None:
        self._answer()
        return self.people.get(room, []) if room in self.rooms_there else None

    async def rooms(self, names: Sequence[str] = ()) -> list[RoomFacts]:
        self._answer()
        return [facts for name, facts in self.rooms_there.items() if not names or name in names]

    async def create_room(self, name: str, *, empty_timeout: int, departure_timeout: int) -> RoomFacts:
        self._answer()
        facts = RoomFacts(name, f"RM_{name}", int(time.time()), empty_timeout, departure_timeout)
        return self.rooms_there.setdefault(name, facts)

    async def delete_room(self, name: str) -> bool:
        self._answer()
        return self.rooms_there.pop(name, None) is not None

    async def dispatch(self, room: str, agent_name: str, metadata: str) -> bool:
        self._answer()
        self.dispatched.append((room, agent_name, metadata))
        return True

    def _answer(self) -> None:
        if self.away:
            raise LiveKitUnavailable("LiveKit cannot be reached.")


def avatar(name: str) -> ParticipantFacts:
    """An avatar of ours, as the server lists it."""
    identity = wire.avatar_identity(name)
    attributes = {wire.ATTR_AVATAR: wire.AvatarInfo(avatar=name).dumps(), wire.ATTR_PUBLISH_ON_BEHALF: "agent-x"}
    return ParticipantFacts(identity, f"PA_{name}", True, attributes, False, identity)


def viewer(name: str) -> ParticipantFacts:
    return ParticipantFacts(name, f"PA_{name}", False, {}, True, name)
