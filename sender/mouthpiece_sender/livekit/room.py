"""One LiveKit room: joins and leaves it, knows its avatars, and passes on what the avatars' ledgers report.

The decisions are made elsewhere (ledger, readiness, presence) and carried out here, on the event loop, as inputs come.
A room has one slot an avatar, and one for segments that are addressed to no avatar in particular while none is there.
Its task group owns every task: looks, joins, leaves; probes and captions in the slots, streams and clears in drivers.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field

from mouthpiece.errors import LiveKitUnavailable, MayNotPublish, MouthpieceError
from mouthpiece.playback.commands import Report, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.playback.restored import Restored
from mouthpiece.segments import EndedBy, Mode, Problem, State
from mouthpiece_sender.livekit.attendance import Attendance
from mouthpiece_sender.livekit.avatar_slot import AVATAR_LEFT, AvatarSlot, Marking, unmarked
from mouthpiece_sender.livekit.avatar_slots import AvatarSlots
from mouthpiece_sender.livekit.connection import (
    CONNECTION_LOST,
    Connection,
    ConnectionBack,
    ConnectionFactory,
    ConnectionLost,
    Disconnected,
    Flooded,
    ParticipantsChanged,
    ReceiptArrived,
    RoomEvent,
)
from mouthpiece_sender.livekit.current_connection import CurrentConnection
from mouthpiece_sender.livekit.graceful_leave import GracefulLeave
from mouthpiece_sender.livekit.joins import RoomTurns
from mouthpiece_sender.livekit.liveness import Liveness
from mouthpiece_sender.livekit.presence import Act, Membership, Presence
from mouthpiece_sender.livekit.reconnection import Reconnection
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from mouthpiece_sender.livekit.shared_look import SharedLook
from mouthpiece_sender.livekit.stall_watch import StallWatch
from mouthpiece_sender.livekit.tokens import sender_token
from mouthpiece_sender.livekit.track_checks import TrackChecks
from mouthpiece_sender.playout.driver import PlayoutItem, Recorded, at_once
from mouthpiece_sender.playout.waking import changed_within
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.target import AvatarActivity, ReportContext, ReportListener

logger = logging.getLogger(__name__)

SETTLE = 0.25
"""Seconds until an avatar's leaving or a broken stream counts: of a closed room the reason comes after that."""
CLOSE_TIMEOUT = 1.5
"""Seconds that the receipt of an interrupted segment may take when the room is closed."""


@dataclass
class RoomSession:
    """``run`` is its life; the other methods are inputs. ``listener`` receives every report, in order."""

    room: str
    access: LiveKitAccess
    look: SharedLook
    identity: str
    name: str
    listener: ReportListener
    dormant: Callable[[RoomSession], None]
    """Called when we have left and nothing is left to say: it takes no more inputs then, and ``run`` ends."""
    clock: Callable[[], float]
    avatar_timeout: float
    """Seconds that a segment waits for an avatar."""
    warm: float
    """Seconds to stay in the room once nothing is queued or plays."""
    connect: ConnectionFactory
    waits_for_livekit: bool
    """The time in which LiveKit cannot be reached does not count as time without an avatar."""
    turns: RoomTurns
    forbid_data: Callable[[str, str], Coroutine[None, None, None]]
    """Called with the room and a participant that floods it."""
    recorded: Recorded = at_once
    attendance: Attendance = field(default_factory=Attendance)
    checks: TrackChecks | None = None
    marking: Marking = unmarked
    left_open_at: float | None = None  # see Presence
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    """Of segments, in order of acceptance."""
    _slots: AvatarSlots = field(init=False)
    _current: CurrentConnection = field(init=False)
    _graceful_leave: GracefulLeave = field(init=False)
    _stalls: StallWatch = field(init=False)
    _viewers: int | None = None
    _reconnection: Reconnection = field(init=False)
    _liveness: Liveness = field(default_factory=Liveness)
    _gone: set[str] = field(default_factory=set)
    """SIDs of participants that left by themselves, since the last look at who is there."""
    _sync_at: float | None = None
    _presence: Presence = field(init=False)
    _tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False

    def __post_init__(self) -> None:
        self._presence = Presence(self.warm, self.left_open_at)
        self._slots = AvatarSlots(self._new_slot, self.clock, self.attendance)
        self._current = CurrentConnection(self._connect, self._on_event, self.turns, self._slots.lose_connection)
        self._graceful_leave = GracefulLeave(
            self._slots, self._current, self.turns, lambda: self.look(self.room), self.expect
        )
        self._reconnection = Reconnection(
            self._current,
            lambda: self._slots.lose_connection(CONNECTION_LOST),
            self._join_anew,
            lambda: self._slots.may_be_deafened,
        )
        self._stalls = StallWatch(self._slots, self._current, self.look.answers, self._on_back, self.clock, self._tasks)

    # Queries

    @property
    def connected(self) -> bool:
        return self._current.connection is not None

    @property
    def duplicate(self) -> bool:
        return self._presence.state is Membership.DUPLICATE

    @property
    def livekit_is_away(self) -> bool:
        return self._slots.livekit_is_away

    @property
    def viewers(self) -> int | None:
        return self._viewers if self.connected else None

    @property
    def avatars(self) -> Sequence[AvatarActivity]:
        return [slot.activity for slot in self._slots if slot.sid is not None or not slot.idle]

    def position(self, segment: str) -> float | None:
        return self._slots.position(segment)

    # Inputs

    def submit(self, utterance: Utterance, sound: Sound, avatar: str | None, mode: Mode) -> None:
        slot = self._slots.of(avatar if avatar is not None else self._slots.addressee)
        slot.ask_again()
        slot.driver.enqueue(PlayoutItem(utterance, sound, avatar), mode)

    def restore(self, restored: Restored, sound: Sound, avatar: str | None, *, addressed: bool) -> None:
        item = PlayoutItem(restored.utterance, sound, avatar if addressed else None)
        self._slots.of(avatar).driver.restore(item, restored)

    def cancel(self, segment: str) -> None:
        self._slots.cancel(segment)

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        return [id for slot in self._slots.named(avatar) for id in slot.driver.interrupt(drop_queued=drop_queued)]

    def pause(self, avatar: str | None) -> list[str]:
        return self._slots.pause(avatar)

    def resume(self, avatar: str | None) -> None:
        self._slots.resume(avatar)

    def expect(self) -> None:
        self._presence.expect(self.clock())
        self._changed.set()

    def give_up(self, problem: Problem, by: EndedBy) -> None:
        self._slots.give_up(problem, by)

    async def prepare_deletion(self, problem: Problem) -> None:
        await self._graceful_leave.prepare(lambda: self.give_up(problem, EndedBy.ROOM))
        self._presence.unexpect()
        self._changed.set()

    # Life

    async def run(self) -> None:
        """Until ``close``, or until the room is dormant. Every task ends with it, and every stream is closed."""
        try:
            async with self._tasks:
                while not self._closing:
                    now = self.clock()
                    self._changed.clear()
                    self._tick(now)
                    if self._slots.idle and self._presence.dormant(now) and not self._graceful_leave.under_way:
                        self.dormant(self)
                        break
                    wakeup = self._next_wakeup(now)
                    await changed_within(self._changed, None if wakeup is None else wakeup - self.clock())
                self._stalls.stop()
                for slot in self._slots:
                    await slot.close()
        finally:
            for slot in self._slots:
                slot.detach()
            await self._current.drop().aclose()  # at once, whoever else leaves: a stop has to end

    async def close(self, *, drop_queued: bool) -> None:
        closing = [one.driver.close(AVATAR_LEFT, timeout=CLOSE_TIMEOUT, drop_queued=drop_queued) for one in self._slots]
        await asyncio.gather(*closing)
        self.stop()

    async def drain(self, seconds: float) -> None:
        await asyncio.gather(*(slot.driver.drain(seconds) for slot in self._slots))

    def stop(self) -> None:
        self._closing = True
        self._changed.set()

    def _tick(self, now: float) -> None:
        self._reconnection.tick(now)
        if self._sync_at is not None and now >= self._sync_at:
            self._sync()
        self._stalls.tick()
        self._slots.prune()
        if self._current.open is not None:
            self._slots.distribute()
        for slot in self._slots:
            slot.tick(now)
            if self._current.lost_at is None and (probe := slot.next_probe) is not None and now >= probe:
                slot.probe()
        match self._presence.decide(self._slots.busy, now):
            case Act.LOOK:
                self._tasks.create_task(self._look(), name="look")
            case Act.JOIN:
                self._tasks.create_task(self._join(), name="join")
            case Act.LEAVE:
                self._tasks.create_task(self._leave(), name="leave")

    def _next_wakeup(self, now: float) -> float | None:
        times = [self._presence.next_wakeup(self._slots.busy, now), self._reconnection.next_wakeup]
        for slot in self._slots:
            times += [slot.next_wakeup, slot.next_probe if self._current.lost_at is None else None]
        if self._sync_at is not None and self._current.open is not None:
            times.append(self._sync_at)
        return min((time for time in times if time is not None), default=None)

    # Presence

    async def _look(self) -> None:
        try:
            found = await self.look(self.room)
        except MouthpieceError as error:
            if isinstance(error, LiveKitUnavailable) and self.waits_for_livekit:
                self._slots.lose_connection(Problem.of(error))
            self._slots.set_absence(Problem.of(error))
            self._presence.failed(self.clock())
        else:
            self._slots.regain_connection()
            self._presence.looked(self._slots.looked(found), self.clock())
        self._changed.set()

    def _connect(self, listener: Callable[[RoomEvent], None]) -> Connection:
        return self.connect(self.access, sender_token(self.access, self.room, self.identity, self.name), listener)

    async def _join(self) -> None:
        try:
            there = await self._current.join()
        except MouthpieceError as error:
            there = False
            self._slots.set_absence(Problem.of(error))
            if isinstance(error, MayNotPublish):
                self._slots.give_up(Problem.of(error), EndedBy.CONNECTION)
        if there:
            self._presence.joined()
            self._slots.regain_connection()
            self._sync()
        else:
            self._presence.failed(self.clock())
        self._changed.set()

    async def _leave(self) -> None:
        self._slots.all_left(AVATAR_LEFT)  # segments that are submitted meanwhile wait for the next join
        await self._current.leave()
        self._presence.left(self.clock())
        self._changed.set()

    def _join_anew(self) -> None:
        """Leave, and join with another connection as soon as LiveKit answers."""
        logger.info("the connection to a room is made anew")
        self._slots.lose_connection(CONNECTION_LOST)
        self._drop_connection()

    def _drop_connection(self, *, duplicate: bool = False) -> None:
        self._reconnection.ended()
        self._presence.left(self.clock(), duplicate=duplicate)
        self._tasks.create_task(self._current.abandon(self.clock()).aclose(), name="disconnect")

    # Events of the connection

    def _on_event(self, event: RoomEvent) -> None:
        match event:
            case ParticipantsChanged(gone):
                self._gone |= {gone} if gone else set()
                if (connection := self._current.connection) and self._slots.missing(connection.participants()):
                    self._sync_at = self.clock() + SETTLE
                else:
                    self._sync()
            case ConnectionLost() if self._current.lost_at is None:
                self._current.lost_at = self.clock()
                self._slots.lose_connection(CONNECTION_LOST, all=False)
            case ConnectionBack():
                self._current.lost_at = None
                self._reconnection.ended()
                self._on_back()
            case Disconnected():
                self._on_disconnected(event)
            case ReceiptArrived(caller, receipt):
                if slot := self._slots.that_reports(caller, receipt.segment):
                    slot.driver.reported(receipt)
            case Flooded(identity):
                self._tasks.create_task(self.forbid_data(self.room, identity), name="forbid data")
        self._changed.set()

    def _on_disconnected(self, event: Disconnected) -> None:
        if event.reason == "CLIENT_INITIATED":
            return
        duplicate = event.reason == "DUPLICATE_IDENTITY"
        if duplicate and self._current.may_be_its_own_duplicate(self.clock()):
            duplicate = not self._liveness.thrown_out()
        if duplicate or event.reason == "MAY_NOT_PUBLISH":
            self._slots.all_left(event.problem, EndedBy.CONNECTION)
            self._slots.give_up(event.problem, EndedBy.CONNECTION)
        elif event.ends_room:
            self._slots.all_left(event.problem, EndedBy.ROOM)
        else:
            self._slots.lose_connection(event.problem)
        self._slots.set_absence(event.problem)
        self._drop_connection(duplicate=duplicate)

    def _on_back(self) -> None:
        """LiveKit is there again, without a join of ours."""
        if self._current.open is not None:
            self._slots.regain_connection()
            self._sync()
            self._changed.set()

    def _on_broken(self, slot: AvatarSlot, problem: Problem) -> None:
        self._tasks.create_task(self._settle(slot, slot.sid, problem), name="broken-stream")

    async def _settle(self, slot: AvatarSlot, sid: str | None, problem: Problem) -> None:
        """After a stream broke: if nothing else explains it in a moment, the avatar counts as gone, or, where it can be
        asked what it played, the connection does."""
        await asyncio.sleep(SETTLE)
        if sid is None or slot.sid != sid:
            return
        if slot.answers_status and self._liveness.broke():
            self._join_anew()
        else:
            self._slots.left(slot, problem, EndedBy.CONNECTION)
            self._sync()

    def _on_call(self, answered: bool) -> None:
        if answered:
            self._liveness.answered()
        elif self._current.open is not None and self._liveness.unanswered():
            self._join_anew()

    # Avatars

    def _new_slot(self, identity: str | None) -> AvatarSlot:
        return AvatarSlot(
            identity,
            Ledger(self.avatar_timeout, self.checks is not None, number=self._numbers.__next__),
            connection=lambda: self._current.connection,
            listener=self._on_report,
            on_broken=self._on_broken,
            on_call=self._on_call,
            leaving=lambda: self._closing or not self.connected,
            clock=self.clock,
            changed=self._changed,
            tasks=self._tasks,
            recorded=self.recorded,
            checks=self.checks,
            marking=self.marking,
        )

    def _sync(self) -> None:
        """Take over who is in the room now."""
        if (connection := self._current.open) is None:
            return
        self._sync_at = None
        present = connection.participants()
        self._viewers = sum(facts.is_viewer for facts in present)
        self._slots.sync(present, self._gone)
        self._gone.clear()
        self._graceful_leave.looked()

    def _on_report(self, slot: AvatarSlot, report: Report, item: PlayoutItem) -> None:
        if report.state is State.FINISHED:
            self._liveness.heard_whole()
        context = ReportContext.of(
            item.sound, avatar=slot.identity, profile=slot.profile_name, session=slot.session, viewers=self.viewers
        )
        self.listener(report, context)
