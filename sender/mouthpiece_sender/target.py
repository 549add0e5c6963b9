"""What the gateway speaks through, whoever is behind it: avatars in LiveKit rooms, or Anam's engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mouthpiece.playback.commands import Report, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.segments import AudioInfo, Mode, OnLoss, Problem, Source
from mouthpiece_sender.playout.captions import Worded
from mouthpiece_sender.sounds.sound import Sound


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """What somebody wants said."""

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
class Told:
    """A report of the ledger, with what the room knows beside it."""

    report: Report
    avatar: str | None
    profile: str | None
    viewers: int | None
    audio: AudioInfo | None
    """What is known of its sound by now."""
    text: str | None = None
    """The words of it that have come out so far, where it has words."""

    @classmethod
    def of(
        cls, report: Report, sound: Sound | None, *, avatar: str | None, profile: str | None, viewers: int | None
    ) -> Told:
        """With what its sound knows by now."""
        text = " ".join(cue.text for cue in sound.cues) if isinstance(sound, Worded) else None
        return cls(report, avatar, profile, viewers, sound.info if sound else None, text)


class Room(Protocol):
    """One room. ``run`` is its life; the other methods are inputs, and none of them waits."""

    @property
    def room(self) -> str: ...

    @property
    def connected(self) -> bool: ...

    @property
    def barred(self) -> bool:
        """Thrown out for good: it says nothing any more."""
        ...

    @property
    def viewers(self) -> int | None:
        """People in the room; None while that is not known."""
        ...

    @property
    def seats(self) -> Sequence[tuple[str | None, str | None, bool, Ledger]]:
        """For each avatar: identity, profile's name, whether it listens, its ledger."""
        ...

    def position(self, segment: str) -> float | None:
        """Seconds of a segment that have been played by now; None if it is not on its way."""
        ...

    def submit(self, utterance: Utterance, sound: Sound, avatar: str | None, mode: Mode) -> None: ...

    def cancel(self, segment: str) -> None: ...

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        """Stops what plays, of one avatar or of all; ids of the segments that this ends."""
        ...

    def expect(self) -> None:
        """Something will be said here soon."""
        ...

    def give_up(self, problem: Problem) -> None:
        """Nothing of what waits will be said."""
        ...

    async def run(self) -> None:
        """Until ``close``, or until there is nothing left to say for long enough."""
        ...

    async def close(self, *, drop_queued: bool) -> None:
        """Interrupts what plays, waits a little for its end, and lets ``run`` end."""
        ...

    def stop(self) -> None:
        """Lets ``run`` end, without waiting for anything."""
        ...


class Target(Protocol):
    """Rooms of one kind."""

    def room(self, name: str, listener: Callable[[Told], None], dormant: Callable[[Room], None]) -> Room:
        """``listener`` hears every report, in order; ``dormant`` is called when the room takes no more inputs."""
        ...

    async def admit(self, request: SpeakRequest, rooms: Mapping[str, Room], arriving: Collection[str]) -> None:
        """Refuses what cannot be said, before anything is accepted.

        :param rooms: those that there are.
        :param arriving: names of those for which something is being accepted, this request's own among them.
        :raises MouthpieceError: it cannot; it says why.
        """
        ...
