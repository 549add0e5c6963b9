"""Which segments are being accepted, wait or play, and whether one more has a place. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mouthpiece.errors import KeyLimitReached, QueueFull, RoomsFull
from mouthpiece.segments import Mode
from mouthpiece_sender.target import SpeakRequest


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much may be there at a time; None: any number."""

    room_segments: int = 100
    """Segments that wait or play in one room."""
    rooms: int | None = None
    """Rooms that are spoken into or stayed in."""
    key_rooms: int | None = None
    """Rooms in which segments of one key wait or play."""
    key_segments: int | None = None
    """Segments of one key that wait or play."""
    key_seconds: float | None = None
    """Seconds of sound in them, as far as their lengths are known when they are accepted."""


@dataclass(frozen=True, slots=True)
class _Place:
    room: str
    holder: str | None
    """Of the key; None: of an earlier process, which did not store it."""
    seconds: float


class Places:
    """Of one gateway, by the id of the segment."""

    def __init__(self, quotas: Quotas) -> None:
        self.quotas = quotas
        self.arriving: Counter[str] = Counter()
        """Of each room, the segments that are being accepted."""
        self._places: dict[str, _Place] = {}

    def in_room(self, room: str) -> int:
        """How many segments are being accepted, wait or play in a room."""
        return sum(place.room == room for place in self._places.values())

    @contextmanager
    def taken(self, request: SpeakRequest, rooms: int | None) -> Iterator[None]:
        """Take a place; it is given back if the block fails, else by ``leave``.

        A segment with ``mode=ignore`` waits for nothing, so neither a queue nor a key's share holds it up.

        :param rooms: how many there are; None: the room of ``request`` is one of them.
        :raises QueueFull: too many segments wait or play in the room.
        :raises RoomsFull: there are too many rooms.
        :raises KeyLimitReached: the key has its share.
        """
        if rooms is not None:
            self._check_rooms(rooms)
        place = _Place(request.room, request.holder, request.sound.info.duration or 0.0)
        if request.mode is not Mode.IGNORE:
            self._check_queue(request.room)
            self._check_key(place)
        self._places[request.segment_id] = place
        self.arriving[request.room] += 1
        try:
            yield
        except BaseException:
            self.leave(request.segment_id)
            raise
        finally:
            self.arriving[request.room] -= 1
            self.arriving += Counter()  # without those that are 0 again

    def restore(self, segment: str, room: str) -> None:
        """A segment that an earlier process left takes its place, whatever the quotas say."""
        self._places[segment] = _Place(room, None, 0.0)

    def leave(self, segment: str) -> None:
        """The segment has ended."""
        self._places.pop(segment, None)

    def _check_rooms(self, rooms: int) -> None:
        limit = self.quotas.rooms
        if limit is not None and rooms >= limit:
            raise RoomsFull(
                f"This sender is in {rooms} rooms, as many as it may be (MOUTHPIECE_MAX_ROOMS); try again when it has "
                "left one, or ask another sender."
            )

    def _check_queue(self, room: str) -> None:
        waiting = self.in_room(room)
        if waiting >= self.quotas.room_segments:
            raise QueueFull(f"{waiting} segments wait in the room already; try again when some have been said.")

    def _check_key(self, new: _Place) -> None:
        quotas, own = self.quotas, [place for place in self._places.values() if place.holder == new.holder]
        rooms = {place.room for place in own}
        if quotas.key_rooms is not None and new.room not in rooms and len(rooms) >= quotas.key_rooms:
            raise KeyLimitReached(f"Segments of this key wait or play in {len(rooms)} rooms, as many as it may use.")
        if quotas.key_segments is not None and len(own) >= quotas.key_segments:
            raise KeyLimitReached(f"{len(own)} segments of this key wait or play, as many as it may have.")
        seconds = sum(place.seconds for place in own)
        if quotas.key_seconds is not None and own and seconds + new.seconds > quotas.key_seconds:
            raise KeyLimitReached(
                f"{seconds:.0f} s of this key wait or play, and it may have {quotas.key_seconds:g} s in all."
            )
