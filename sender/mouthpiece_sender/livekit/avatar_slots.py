"""The slots of one room: which avatar each ledger serves, and where segments go when avatars come and leave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from mouthpiece.errors import AvatarAmbiguous, AvatarTimeout
from mouthpiece.profiles import Profile
from mouthpiece.segments import EndedBy, Problem
from mouthpiece_sender.livekit.attendance import Attendance
from mouthpiece_sender.livekit.avatar_slot import AVATAR_LEFT, AvatarSlot, session_of
from mouthpiece_sender.livekit.server_api import ParticipantFacts
from mouthpiece_sender.playout.pauses import Pauses

NO_ROOM: Final = Problem.of(AvatarTimeout("There is no such room on the LiveKit server."))
NO_AVATAR: Final = Problem.of(AvatarTimeout("No avatar came into the room in time."))
AMBIGUOUS: Final = Problem.of(AvatarAmbiguous("Several avatars are in the room: name one with avatar=<identity>."))


@dataclass
class AvatarSlots:
    """One slot an avatar, and one under None for segments that wait for any avatar while none is there."""

    new_slot: Callable[[str | None], AvatarSlot]
    clock: Callable[[], float]
    attendance: Attendance
    _slots: dict[str | None, AvatarSlot] = field(default_factory=dict)
    _pauses: Pauses = field(default_factory=Pauses)
    _away: Problem | None = None
    """While LiveKit is away."""

    def __iter__(self) -> Iterator[AvatarSlot]:
        return iter(list(self._slots.values()))

    def of(self, identity: str | None) -> AvatarSlot:
        """The slot of an avatar, made if need be."""
        if identity not in self._slots:
            slot = self._slots[identity] = self.new_slot(identity)
            if self._pauses.holds(identity):
                slot.driver.pause()
            if self._away is not None:
                slot.driver.connection_lost(self._away)
        return self._slots[identity]

    def named(self, avatar: str | None) -> list[AvatarSlot]:
        """The slots of one avatar, or all; none is made."""
        return [slot for slot in self if avatar in (None, slot.identity)]

    @property
    def idle(self) -> bool:
        """Nothing is queued and nothing awaits its end, in any slot."""
        return all(slot.idle for slot in self)

    @property
    def livekit_is_away(self) -> bool:
        return self._away is not None

    @property
    def may_be_deafened(self) -> bool:
        """LiveKit went away while something was at an avatar that goes deaf if its sender leaves meanwhile."""
        return any(slot.driver.ledger.may_be_deafened for slot in self)

    @property
    def busy(self) -> bool:
        """Something is to be said, or was sent and has to be settled."""
        return any(not slot.quiet or not (slot.idle or slot.driver.ledger.paused) for slot in self)

    @property
    def addressee(self) -> str | None:
        """The avatar that says what is addressed to none in particular: the only one that is in the room, or, while
        none is there, the only one that has something of ours."""
        there = [slot.identity for slot in self if slot.sid is not None]
        known = there or [slot.identity for slot in self if slot.identity is not None and not slot.idle]
        return known[0] if len(known) == 1 else None

    def position(self, segment: str) -> float | None:
        """Seconds of a segment that have been played by now; None if it is not on its way."""
        return next((at for slot in self if (at := slot.position(segment)) is not None), None)

    def cancel(self, segment: str) -> None:
        if slot := self._holder(segment):
            slot.driver.cancel(segment)

    def _holder(self, segment: str) -> AvatarSlot | None:
        return next((slot for slot in self if slot.driver.holds(segment)), None)

    def that_reports(self, caller: str, segment: str | None) -> AvatarSlot | None:
        """The slot that a receipt is for. Receipts count only from the avatar that was spoken to, and by the segment's
        id only where the avatar's profile has ids."""
        slot = self._slots.get(caller)
        if slot is None or slot.profile is None or slot.profile.segment_ids != (segment is not None):
            return None
        return slot

    def pause(self, avatar: str | None) -> list[str]:
        """Hold one avatar or all, those that come later included; returns the ids of the segments that played."""
        self._pauses.pause(avatar)
        return [id for slot in self.named(avatar) for id in slot.driver.pause()]

    def resume(self, avatar: str | None) -> None:
        self._pauses.resume(avatar, self._slots)
        for slot in self.named(avatar):
            slot.driver.resume()

    def give_up(self, problem: Problem, by: EndedBy) -> None:
        """End everything, with ``problem``."""
        for slot in self:
            slot.driver.give_up(problem, by)

    def looked(self, found: Collection[ParticipantFacts] | None) -> list[Profile]:
        """Note who is in the room by LiveKit's answer, before we join it; None: there is no such room. Returns the
        profiles of its avatars."""
        self.viewers(sum(facts.is_viewer for facts in found or ()))
        profiles = [facts.profile for facts in found or () if facts.profile is not None]
        if not profiles:
            self.set_absence(NO_ROOM if found is None else NO_AVATAR)
        return profiles

    def viewers(self, count: int) -> None:
        """``count`` people are in the room."""
        for slot in self:
            slot.driver.viewers(count)

    def set_absence(self, problem: Problem) -> None:
        """Note the problem with which segments fail for which no avatar comes in time."""
        for slot in self:
            slot.driver.ledger.absence = problem

    def prune(self) -> None:
        """Drop the slots of avatars that are neither in the room nor spoken to, unless what is known of one still
        matters when it is back."""
        self._slots = {key: slot for key, slot in self._slots.items() if slot.matters}

    # Avatars come and leave

    def missing(self, present: Sequence[ParticipantFacts]) -> bool:
        """Whether an avatar that was in the room is not among ``present``."""
        there = {facts.sid for facts in present}
        return any(slot.sid is not None and slot.sid not in there for slot in self)

    def sync(self, present: Sequence[ParticipantFacts], gone: Collection[str] = ()) -> None:
        """Make the slots agree with the room's participants.

        :param gone: SIDs of participants that left by themselves.
        """
        self.attendance.sync(present)
        likely_agent = next((facts.identity for facts in present if facts.is_room_agent), None)
        avatars = {facts.identity: facts for facts in present if facts.profile is not None}
        for slot in self:
            facts = None if slot.identity is None else avatars.get(slot.identity)
            if slot.sid is not None and (facts is None or facts.sid != slot.sid):
                self._missed(slot, facts, gone)
        for identity, facts in avatars.items():
            slot = self.of(identity)
            if slot.sid is None:
                slot.arrive(facts)
            else:
                slot.change(facts)
        self.viewers(sum(facts.is_viewer for facts in present))
        for slot in self:
            slot.likely_agent = likely_agent
            if slot.sid is None:
                slot.miss()
        self.distribute()

    def _missed(self, slot: AvatarSlot, facts: ParticipantFacts | None, gone: Collection[str]) -> None:
        """An avatar is not in the room any more, or as another participant, by ``facts``."""
        may_return = slot.sid not in gone if facts is None else session_of(facts) == slot.session
        if slot.answers_status and may_return:
            slot.vanish(AVATAR_LEFT)
        else:
            slot.leave(AVATAR_LEFT)

    def left(self, slot: AvatarSlot, problem: Problem, by: EndedBy = EndedBy.AVATAR) -> None:
        """An avatar left. Another one may say what is addressed to no avatar in particular."""
        slot.leave(problem, by)
        self._move(slot, self.of(None), slot.driver.free)

    def all_left(self, problem: Problem, by: EndedBy = EndedBy.AVATAR) -> None:
        if by is EndedBy.ROOM:
            self.attendance.closed()
        for slot in self:
            self.left(slot, problem, by)

    # LiveKit goes away and comes back

    def lose_connection(self, problem: Problem, *, all: bool = True) -> None:
        """LiveKit is away.

        :param all: else only those are concerned whose avatar can be asked later what it played.
        """
        self._away = problem
        for slot in self:
            if all or slot.readiness is None or slot.answers_status:
                slot.lose_connection(problem)

    def regain_connection(self) -> None:
        """LiveKit is there; nothing if it was."""
        if self._away is not None:
            self._away = None
            for slot in self:
                slot.driver.connection_back()

    def distribute(self) -> None:
        """Give the avatar that is there the segments that wait for any avatar, those of an avatar that is not there
        any more among them. Call it while it is known who is in the room."""
        for slot in self:
            if slot.sid is None and slot.identity is not None and (free := slot.driver.free):
                self._move(slot, self.of(None), free)
        waiting = self._slots.get(None)
        avatars = [slot.identity for slot in self if slot.sid is not None]
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
