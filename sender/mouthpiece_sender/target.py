"""The contract between the gateway and a target: avatars in LiveKit rooms, or Anam's engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from mouthpiece.playback.commands import Report, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.segments import AudioInfo, Mode, OnLoss, Problem, Source
from mouthpiece_sender.sounds.cues import HasCues
from mouthpiece_sender.sounds.sound import Sound


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """A request to say something."""

    room: str
    sound: Sound
    source: Source
    segment_id: str
    avatar: str | None = None
    mode: Mode = Mode.APPEND
    on_loss: OnLoss = OnLoss.DROP
    interruptible: bool = True
    wait_for_viewer: bool = False
    expires_in: float | None = None
    """Seconds that it may wait."""


@dataclass(frozen=True, slots=True)
class RoomReport:
    """A report of a ledger, with what the room knows of the segment besides."""

    report: Report
    avatar: str | None
    profile: str | None
    viewers: int | None
    audio: AudioInfo | None
    """What is known of its sound by now."""
    text: str | None = None
    """Its words as far as they are known; None where the sound has no words."""

    @classmethod
    def of(
        cls, report: Report, sound: Sound, *, avatar: str | None, profile: str | None, viewers: int | None
    ) -> RoomReport:
        text = " ".join(cue.text for cue in sound.cues) if isinstance(sound, HasCues) else None
        return cls(report, avatar, profile, viewers, sound.info, text)


@dataclass(frozen=True, slots=True)
class AvatarActivity:
    """What one avatar does now."""

    identity: str | None
    """None: the segments that wait for any avatar."""
    profile: str | None
    """The profile's name; None while the avatar is not in the room."""
    ready: bool
    """It takes sound from us."""
    queue: int
    """Segments that wait."""
    playing: str | None
    """The segment that plays."""

    @classmethod
    def of(cls, identity: str | None, profile: str | None, ready: bool, ledger: Ledger) -> Self:
        return cls(identity, profile, ready, len(ledger.queued), next(iter(ledger.in_flight), None))


class Room(Protocol):
    """One room. ``run`` is its life; the other methods are queries and inputs, and none of them waits."""

    @property
    def room(self) -> str: ...

    @property
    def connected(self) -> bool: ...

    @property
    def duplicate(self) -> bool:
        """Another sender of our identity took our place in the room: nothing is said in it any more."""
        ...

    @property
    def viewers(self) -> int | None:
        """People in the room; None while that is not known."""
        ...

    @property
    def avatars(self) -> Sequence[AvatarActivity]:
        """The avatars that are in the room or that something waits for."""
        ...

    def position(self, segment: str) -> float | None:
        """Seconds of a segment that have been played by now; None if it is not on its way."""
        ...

    def submit(self, utterance: Utterance, sound: Sound, avatar: str | None, mode: Mode) -> None:
        """Take a new segment. ``avatar``: an identity; None: the only avatar that is or will be there."""
        ...

    def cancel(self, segment: str) -> None: ...

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        """Stop what plays, of one avatar or of all; returns the ids of the segments that this ends."""
        ...

    def expect(self) -> None:
        """Something will be said here soon."""
        ...

    def give_up(self, problem: Problem) -> None:
        """End every segment that waits, with ``problem``."""
        ...

    async def run(self) -> None:
        """Until ``close``, or until nothing was left to say for long enough."""
        ...

    async def close(self, *, drop_queued: bool) -> None:
        """Interrupt what plays, wait a moment for its end, and let ``run`` end. What waits is not begun."""
        ...

    def stop(self) -> None:
        """Let ``run`` end, without waiting for anything."""
        ...


class Target(Protocol):
    """Rooms of one kind."""

    def room(self, name: str, listener: Callable[[RoomReport], None], dormant: Callable[[Room], None]) -> Room:
        """
        :param listener: receives every report, in order.
        :param dormant: called when the room takes no more inputs.
        """
        ...

    async def admit(self, request: SpeakRequest, rooms: Mapping[str, Room], arriving: Collection[str]) -> None:
        """Return if ``request`` can be said, before anything of it is accepted.

        :param rooms: those that exist.
        :param arriving: names of those for which a segment is being accepted, the request's own among them.
        :raises MouthpieceError: it cannot be said; the error gives the reason.
        """
        ...
