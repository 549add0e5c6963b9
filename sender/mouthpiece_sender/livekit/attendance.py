"""Which avatars came into a room and left it, as entries of the event log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mouthpiece_sender.livekit.server_api import ParticipantFacts

Note = Callable[[str, str, str | None], None]
"""Notes an event of a room: the room, the event's type, and the avatar that it names."""


def not_noted(room: str, type: str, avatar: str | None) -> None:
    """Nobody keeps a log of rooms."""


class Attendance:
    """Of one room, while we are in it: what happens before and after is not known."""

    def __init__(self, room: str = "", note: Note = not_noted) -> None:
        self._room = room
        self._note = note
        self._there: set[str] = set()

    def sync(self, present: Sequence[ParticipantFacts]) -> None:
        """``present`` are the participants now."""
        there = {facts.identity for facts in present if facts.profile is not None}
        for avatar in sorted(self._there - there):
            self._note(self._room, "room.avatar_left", avatar)
        for avatar in sorted(there - self._there):
            self._note(self._room, "room.avatar_joined", avatar)
        self._there = there

    def closed(self) -> None:
        """LiveKit closed the room, and with it everybody left."""
        self._there.clear()
        self._note(self._room, "room.closed", None)
