"""The contract between the gateway and a target: avatars in LiveKit rooms, or Anam's engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from mouthpiece.playback.commands import Report, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.playback.restored import Restored
from mouthpiece.segments import Attempt, AudioInfo, EndedBy, Mode, OnLoss, Problem, Source
from mouthpiece_sender.sounds.cues import HasCues
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.storage.journal import IdempotencyKey


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
    tag: str | None = None
    """The caller's own reference."""
    metadata: dict[str, Any] | None = None
    """What the caller attached."""
    callback: str | None = None
    """A URL that is sent its events."""
    key: IdempotencyKey | None = None
    holder: str = ""
    """Of the API key that it came with."""


@dataclass(frozen=True, slots=True)
class ReportContext:
    """What a room knows of a segment at the moment of a ledger's report."""

    avatar: str | None = None
    profile: str | None = None
    session: str = ""
    """Of that avatar."""
    viewers: int | None = None
    audio: AudioInfo | None = None
    """What is known of its sound by now."""
    text: str | None = None
    """Its words as far as they are known; None where the sound has no words."""

    @classmethod
    def of(
        cls, sound: Sound, *, avatar: str | None, profile: str | None, session: str = "", viewers: int | None
    ) -> Self:
        text = " ".join(cue.text for cue in sound.cues) if isinstance(sound, HasCues) else None
        return cls(avatar, profile, session, viewers, sound.info, text)


ReportListener = Callable[[Report, ReportContext], None]
"""Receives every report of a room, in order."""


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
    paused: bool
    """Nothing plays until it is resumed."""
    lag: float
    """Seconds that its last stream was behind its pace, at most."""

    @classmethod
    def of(cls, identity: str | None, profile: str | None, ready: bool, ledger: Ledger, lag: float) -> Self:
        playing = next(iter(ledger.in_flight), None)
        return cls(identity, profile, ready, len(ledger.queued), playing, ledger.paused, lag)


@dataclass(frozen=True, slots=True)
class RoomActivity:
    """What one room does now."""

    connected: bool
    avatars: Sequence[AvatarActivity]
    viewers: int | None
    paused: bool
    """Some of it is held until it is resumed."""


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

    def restore(self, restored: Restored, sound: Sound, avatar: str | None, *, addressed: bool) -> None:
        """Take over a segment that an earlier process left, in the order in which they were accepted.

        :param avatar: the identity of the one that said a part of it, or was asked to.
        :param addressed: no other avatar may say it.
        """
        ...

    def cancel(self, segment: str) -> None: ...

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        """Stop what plays, of one avatar or of all; returns the ids of the segments that this ends."""
        ...

    def pause(self, avatar: str | None) -> list[str]:
        """Hold one avatar or all until ``resume``; returns the ids of the segments that played."""
        ...

    def resume(self, avatar: str | None) -> None: ...

    def expect(self) -> None:
        """Something will be said here soon."""
        ...

    def give_up(self, problem: Problem, by: EndedBy) -> None:
        """End every segment that waits, with ``problem``."""
        ...

    async def prepare_deletion(self, problem: Problem) -> None:
        """The room is about to be deleted: end every segment with ``problem``, and return once the avatars that can
        leave in peace have left, or were given time to.

        :raises MouthpieceError: it is not known who is there; nothing was ended.
        """
        ...

    async def run(self) -> None:
        """Until ``close``, or until nothing was left to say for long enough."""
        ...

    async def close(self, *, drop_queued: bool) -> None:
        """Interrupt what plays, wait a moment for its end, and let ``run`` end. What waits is not begun."""
        ...

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, let play what ends within ``seconds``, and cut the rest. Where positions are exact it is
        left to the next process, as what waits is."""
        ...

    def stop(self) -> None:
        """Let ``run`` end, without waiting for anything."""
        ...


class Target(Protocol):
    """Rooms of one kind."""

    def room(
        self,
        name: str,
        listener: ReportListener,
        dormant: Callable[[Room], None],
        recorded: Callable[[Attempt], Awaitable[None]],
        holder: str = "",
    ) -> Room:
        """
        :param listener: receives every report, in order.
        :param dormant: called when the room takes no more inputs.
        :param recorded: returns once it is stored that an attempt was begun.
        :param holder: of the API key that the room is spoken into with first; empty: of none.
        """
        ...

    async def admit(self, request: SpeakRequest, rooms: Mapping[str, Room], arriving: Collection[str]) -> None:
        """Return if ``request`` can be said, before anything of it is accepted.

        :param rooms: those that exist.
        :param arriving: names of those for which a segment is being accepted, the request's own among them.
        :raises MouthpieceError: it cannot be said; the error gives the reason.
        """
        ...
