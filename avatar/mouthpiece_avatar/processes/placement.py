"""Which process a session goes to. A decision without I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from mouthpiece_avatar.livekit_address import LiveKitAddress
from mouthpiece_avatar.token import Claims

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Place:
    """A participant of a room of a LiveKit server: of two sessions there the newer one stays."""

    server: LiveKitAddress
    claims: Claims


@dataclass(slots=True)
class Placed(Generic[P]):
    """A session that has not ended, and where it runs."""

    place: Place
    process: P | None = None
    """None: one is being looked for."""
    joined: bool = False


def replaced(sessions: Mapping[str, Placed[P]], place: Place) -> list[Placed[P]]:
    """Return those that end once another session has joined at ``place``."""
    return [placed for placed in sessions.values() if placed.joined and placed.place == place]


def choose(ready: Iterable[P], sessions: Mapping[str, Placed[P]], place: Place) -> P | None:
    """Return the process for a session at ``place``: the one that runs a session there already, which it can end when
    the new one has joined, or the one with the fewest; None if none is ready.
    """
    able = list(ready)
    there = [placed.process for placed in sessions.values() if placed.place == place and placed.process in able]
    if there:
        return there[0]
    load = Counter(id(placed.process) for placed in sessions.values())
    return min(able, key=lambda process: load[id(process)], default=None)


def wanted(processes: int, sessions: Mapping[str, Placed[P]]) -> int:
    """Return how many processes are to run, of ``processes`` that may: one more than have a session."""
    busy = {id(placed.process) for placed in sessions.values() if placed.process is not None}
    return min(processes, len(busy) + 1)
