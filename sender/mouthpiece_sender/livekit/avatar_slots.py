"""The slots of one room: which avatar each ledger serves, and where segments go when avatars come and leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from mouthpiece.errors import AvatarAmbiguous, AvatarLeft
from mouthpiece.segments import Problem
from mouthpiece_sender.livekit.avatar_slot import AvatarSlot
from mouthpiece_sender.livekit.server_api import ParticipantFacts

AVATAR_LEFT: Final = Problem.of(AvatarLeft("The avatar left the room."))
AMBIGUOUS: Final = Problem.of(AvatarAmbiguous("Several avatars are in the room: name one with avatar=<identity>."))


@dataclass
class AvatarSlots:
    """One slot an avatar, and one under None for segments that wait for any avatar while none is there."""

    new_slot: Callable[[str | None], AvatarSlot]
    clock: Callable[[], float]
    _slots: dict[str | None, AvatarSlot] = field(default_factory=dict)

    def __iter__(self) -> Iterator[AvatarSlot]:
        return iter(list(self._slots.values()))

    def of(self, identity: str | None) -> AvatarSlot:
        """The slot of an avatar, made if need be."""
        if identity not in self._slots:
            self._slots[identity] = self.new_slot(identity)
        return self._slots[identity]

    @property
    def idle(self) -> bool:
        """Nothing is queued and nothing awaits its end, in any slot."""
        return all(slot.idle for slot in self)

    @property
    def only_avatar(self) -> str | None:
        """The avatar that is in the room, if there is exactly one."""
        there = [slot.identity for slot in self if slot.sid is not None]
        return there[0] if len(there) == 1 else None

    def holder(self, segment: str) -> AvatarSlot | None:
        """The slot in which a segment is queued or in flight."""
        return next((slot for slot in self if slot.driver.holds(segment)), None)

    def that_reports(self, caller: str, segment: str | None) -> AvatarSlot | None:
        """The slot that a receipt is for. Receipts count only from the avatar that was spoken to, and by the segment's
        id only where the avatar's profile has ids."""
        slot = self._slots.get(caller)
        if slot is None or slot.profile is None or slot.profile.segment_ids != (segment is not None):
            return None
        return slot

    def set_absence(self, problem: Problem) -> None:
        """Note the problem with which segments fail for which no avatar comes in time."""
        for slot in self:
            slot.driver.ledger.absence = problem

    def prune(self) -> None:
        """Drop the slots of avatars that are neither in the room nor spoken to."""
        self._slots = {key: slot for key, slot in self._slots.items() if slot.sid is not None or not slot.idle}

    # Avatars come and leave

    def missing(self, present: Sequence[ParticipantFacts]) -> bool:
        """Whether an avatar that was in the room is not among ``present``."""
        there = {facts.sid for facts in present}
        return any(slot.sid is not None and slot.sid not in there for slot in self)

    def sync(self, present: Sequence[ParticipantFacts]) -> None:
        """Make the slots agree with the room's participants."""
        likely_agent = next((facts.identity for facts in present if facts.is_room_agent), None)
        avatars = {facts.identity: facts for facts in present if facts.profile is not None}
        for slot in self:
            if slot.sid is not None and (slot.identity not in avatars or avatars[slot.identity].sid != slot.sid):
                self.left(slot, AVATAR_LEFT)
        for identity, facts in avatars.items():
            slot = self.of(identity)
            if slot.sid is None:
                slot.arrive(facts)
            elif slot.readiness is not None and slot.readiness.profile != facts.profile:
                slot.profile = facts.profile
                slot.upgrade(self.clock())
        for slot in self:
            slot.likely_agent = likely_agent
            slot.driver.viewers(sum(facts.is_viewer for facts in present))
        self._assign(list(avatars))

    def left(self, slot: AvatarSlot, problem: Problem) -> None:
        """An avatar left. Another one may say what is addressed to no avatar in particular."""
        slot.leave(problem)
        self._move(slot, self.of(None), slot.driver.free)

    def all_left(self, problem: Problem) -> None:
        for slot in self:
            if slot.sid is not None:
                self.left(slot, problem)

    def _assign(self, avatars: Sequence[str]) -> None:
        """Give the avatar that is there the segments that wait for any avatar."""
        waiting = self._slots.get(None)
        if waiting is None or waiting.idle or not avatars:
            return
        if len(avatars) == 1:
            self._move(waiting, self.of(avatars[0]), waiting.driver.ledger.queued)
        else:
            waiting.driver.give_up(AMBIGUOUS)

    def _move(self, source: AvatarSlot, target: AvatarSlot, segments: Sequence[str]) -> None:
        if source is target:
            return
        for segment in segments:
            source.captions.forget(segment)
            if (handover := source.driver.withdraw(segment)) is not None:
                target.driver.admit(handover)
