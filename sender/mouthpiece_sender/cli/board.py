"""What ``mouthpiece watch`` shows: rooms, segments that have not ended, and the last ones that have. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mouthpiece.client.values import ENDED, Event, Segment

LAST: Final = 12
"""Segments that are still shown once they have ended."""
_ORDER: Final = {"playing": 0, "paused": 1, "queued": 2}
"""Of segments that have not ended."""


@dataclass(slots=True)
class RoomLine:
    """One room."""

    name: str
    avatars: list[str] = field(default_factory=list)
    """Identities."""
    viewers: int | None = None
    """People in it; None: not known."""
    paused: bool = False


class Board:
    """Takes snapshots and events, in any order: a segment that has ended stays ended."""

    def __init__(self) -> None:
        self._rooms: dict[str, RoomLine] = {}
        self._segments: dict[str, Segment] = {}

    def take_event(self, event: Event) -> None:
        """Something happened. A gap changes nothing: the next snapshot fills it."""
        segment, room = event.get("segment"), event.get("room")
        if segment is not None:
            self.take_segment(segment)
        elif room is not None:
            self._take_room(event["type"], self._room(room), event.get("avatar"))

    def take_segment(self, segment: Segment) -> None:
        """``segment`` as it stands."""
        known = self._segments.get(segment["id"])
        if known is not None and known["state"] in ENDED and segment["state"] not in ENDED:
            return
        self._segments[segment["id"]] = segment
        self._room(segment["room"])
        for old in self._ended()[LAST:]:
            del self._segments[old["id"]]

    def take_rooms(self, rooms: Iterable[Mapping[str, Any]], active: Iterable[Segment]) -> list[str]:
        """The rooms of the service, and their segments that have not ended.

        :returns: ids of segments that have not ended here, and are not among ``active``: look them up.
        """
        self._rooms = {}
        for room in rooms:
            line = self._room(room["room"])
            line.avatars = [avatar["identity"] for avatar in room["avatars"]]
            line.viewers, line.paused = room["viewers"], room["paused"]
        missing = {id for id, segment in self._segments.items() if segment["state"] not in ENDED}
        for segment in active:
            self.take_segment(segment)
            missing.discard(segment["id"])
        return sorted(missing)

    def forget(self, segment_id: str) -> None:
        """The service does not know the segment any more."""
        self._segments.pop(segment_id, None)

    @property
    def rooms(self) -> Sequence[RoomLine]:
        """By name."""
        return [self._rooms[name] for name in sorted(self._rooms)]

    @property
    def active(self) -> Sequence[Segment]:
        """Segments that have not ended: those that play first, then in the order in which they were accepted."""
        active = (segment for segment in self._segments.values() if segment["state"] not in ENDED)
        return sorted(active, key=lambda segment: (_ORDER.get(segment["state"], 0), segment["id"]))

    @property
    def ended(self) -> Sequence[Segment]:
        """The last ones that have ended, the latest first."""
        return self._ended()[:LAST]

    def _ended(self) -> list[Segment]:
        ended = (segment for segment in self._segments.values() if segment["state"] in ENDED)
        return sorted(ended, key=lambda segment: (segment["finished_at"] or "", segment["id"]), reverse=True)

    def _room(self, name: str) -> RoomLine:
        return self._rooms.setdefault(name, RoomLine(name))

    def _take_room(self, type: str, line: RoomLine, avatar: str | None) -> None:
        match type:
            case "room.avatar_joined" if avatar is not None and avatar not in line.avatars:
                line.avatars.append(avatar)
            case "room.avatar_left" if avatar in line.avatars:
                line.avatars.remove(avatar)
            case "room.closed":
                self._rooms.pop(line.name, None)
