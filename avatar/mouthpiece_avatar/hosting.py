"""What the HTTP side needs of whoever runs the sessions: this process, or several others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

from mouthpiece.wire import StartAvatar
from mouthpiece_avatar.token import Claims


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as ``GET /v1/sessions`` answers it."""

    session_id: str
    room: str
    identity: str
    avatar: str
    state: str
    speaking: bool
    drawn: bool
    """Pictures are drawn: somebody is subscribed to them, or the avatar has just joined."""
    backlog: float
    """Seconds of sound that came and were not spoken yet."""
    age: float
    """Seconds since it was asked for."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all sessions since the start, by label."""

    ended: Counter[str] = field(default_factory=Counter)
    """Sessions, by reason."""
    streams: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    pictures: Counter[str] = field(default_factory=Counter)
    delivery: Counter[str] = field(default_factory=Counter)

    def update(self, other: Totals) -> None:
        """Add the sums of ``other``."""
        for each in fields(self):
            getattr(self, each.name).update(getattr(other, each.name))


@dataclass(frozen=True, slots=True)
class Figures:
    """All sessions at one moment, and the sums over all that have been."""

    sessions: Sequence[SessionInfo] = ()
    totals: Totals = field(default_factory=Totals)
    processes: int = 1
    """That run sessions now."""

    def as_json(self) -> dict[str, Any]:
        sums = {each.name: dict(getattr(self.totals, each.name)) for each in fields(self.totals)}
        return {"sessions": [asdict(info) for info in self.sessions], "totals": sums, "processes": self.processes}

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Figures:
        totals = Totals(**{name: Counter(counts) for name, counts in value["totals"].items()})
        return cls([SessionInfo(**session) for session in value["sessions"]], totals, value["processes"])


class StartedSession(Protocol):
    @property
    def id(self) -> str: ...


class SessionHost(Protocol):
    @property
    def running(self) -> int:
        """Sessions that have not ended."""

    async def start(self, request: StartAvatar, claims: Claims) -> StartedSession:
        """Return once the avatar has joined. An older one of the same identity in the same room ends.

        :raises QueueFull: as many sessions run as may.
        :raises RoomError: LiveKit did not let the avatar in, or the process that runs it died.
        :raises AvatarStartFailed: its renderer cannot be made.
        """

    async def end(self, session_id: str) -> bool:
        """End a session and wait until its avatar has left; return whether there was one."""

    async def figures(self) -> Figures: ...

    def stop(self) -> None:
        """End every session, also that of an avatar which has not joined yet, so that nobody waits for it."""
