"""One LiveKit room: joins and leaves it, knows its avatars, and passes on what the avatars' ledgers report.

The decisions are made elsewhere (ledger, readiness, presence) and carried out here, on the event loop, as inputs come.
A room has one slot an avatar, and one for segments that are addressed to no avatar in particular while none is there.
Its task group owns every task: looks, joins and leaves here, probes and captions in the slots, streams and clears in
the drivers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from mouthpiece.errors import AvatarTimeout, MouthpieceError
from mouthpiece.playback.commands import Report, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.segments import Mode, Problem
from mouthpiece_sender.livekit.avatar_slot import AvatarSlot
from mouthpiece_sender.livekit.avatar_slots import AVATAR_LEFT, AvatarSlots
from mouthpiece_sender.livekit.connection import (
    CONNECTION_LOST,
    Connection,
    ConnectionBack,
    ConnectionFactory,
    ConnectionLost,
    Disconnected,
    ParticipantsChanged,
    ReceiptFinished,
    ReceiptStarted,
    RoomEvent,
)
from mouthpiece_sender.livekit.presence import Act, Membership, Presence
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.livekit.tokens import sender_token
from mouthpiece_sender.playout.driver import PlayoutItem
from mouthpiece_sender.playout.waking import changed_within
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.target import AvatarActivity, RoomReport

logger = logging.getLogger(__name__)

LOST_GRACE = 1.0
"""Seconds that a connection may be lost before what was playing counts as unknown."""
SETTLE = 0.25
"""Seconds from an avatar's leaving, or a broken stream, until it counts: a room that is closed disconnects its avatar
first, and sends us the reason after."""
CLOSE_TIMEOUT = 1.5
"""Seconds that the receipt of an interrupted segment may take when the room is closed."""

NO_ROOM = Problem.of(AvatarTimeout("There is no such room on the LiveKit server."))
NO_AVATAR = Problem.of(AvatarTimeout("No avatar came into the room in time."))


@dataclass
class RoomSession:
    """``run`` is its life; the other methods are inputs. ``listener`` receives every report, in order."""

    room: str
    access: LiveKitAccess
    api: LiveKitApi
    identity: str
    name: str
    listener: Callable[[RoomReport], None]
    dormant: Callable[[RoomSession], None]
    """Called when we have left and nothing is left to say: it takes no more inputs then, and ``run`` ends."""
    clock: Callable[[], float]
    avatar_timeout: float
    """Seconds that a segment waits for an avatar."""
    warm: float
    """Seconds to stay in the room once nothing is queued or plays."""
    connect: ConnectionFactory
    _slots: AvatarSlots = field(init=False)
    _viewers: int | None = None
    _connection: Connection | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _lost_at: float | None = None
    """When the connection was lost, while the SDK reconnects."""
    _loss_reported: bool = False
    """What played when the connection was lost has been ended."""
    _sync_at: float | None = None
    _presence: Presence = field(init=False)
    _tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False

    def __post_init__(self) -> None:
        self._presence = Presence(self.warm)
        self._slots = AvatarSlots(self._new_slot, self.clock)

    # Queries

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def duplicate(self) -> bool:
        return self._presence.state is Membership.DUPLICATE

    @property
    def viewers(self) -> int | None:
        return self._viewers if self.connected else None

    @property
    def avatars(self) -> Sequence[AvatarActivity]:
        return [slot.activity for slot in self._slots if slot.sid is not None or not slot.idle]

    def position(self, segment: str) -> float | None:
        slot = self._slots.holder(segment)
        return None if slot is None else slot.driver.position(segment)

    # Inputs

    def submit(self, utterance: Utterance, sound: Sound, avatar: str | None, mode: Mode) -> None:
        slot = self._slots.of(avatar if avatar is not None else self._slots.only_avatar)
        slot.ask_again()
        slot.driver.enqueue(PlayoutItem(utterance, sound, avatar), mode)

    def cancel(self, segment: str) -> None:
        if slot := self._slots.holder(segment):
            slot.driver.cancel(segment)

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        concerned = []
        for slot in self._slots:
            if avatar is None or slot.identity == avatar:
                concerned += slot.driver.interrupt(drop_queued=drop_queued)
        return concerned

    def expect(self) -> None:
        self._presence.expect(self.clock())
        self._changed.set()

    def give_up(self, problem: Problem) -> None:
        for slot in self._slots:
            slot.driver.give_up(problem)

    # Life

    async def run(self) -> None:
        """Until ``close``, or until the room is dormant. Every task ends with it, and every stream is closed."""
        try:
            async with self._tasks:
                while not self._closing:
                    now = self.clock()
                    self._changed.clear()
                    self._tick(now)
                    if self._slots.idle and self._presence.dormant(now):
                        self.dormant(self)
                        break
                    wakeup = self._next_wakeup(now)
                    await changed_within(self._changed, None if wakeup is None else wakeup - self.clock())
                for slot in self._slots:
                    await slot.driver.close_stream()
        finally:
            for slot in self._slots:
                slot.detach()
            await self._disconnect()

    async def close(self, *, drop_queued: bool) -> None:
        drivers = [slot.driver for slot in self._slots]
        closing = [driver.close(AVATAR_LEFT, timeout=CLOSE_TIMEOUT, drop_queued=drop_queued) for driver in drivers]
        await asyncio.gather(*closing)
        self.stop()

    def stop(self) -> None:
        self._closing = True
        self._changed.set()

    def _tick(self, now: float) -> None:
        if self._lost_at is not None and not self._loss_reported and now >= self._lost_at + LOST_GRACE:
            self._loss_reported = True
            self._slots.all_left(CONNECTION_LOST)
        if self._sync_at is not None and now >= self._sync_at:
            self._sync()
        self._slots.prune()
        for slot in self._slots:
            slot.driver.tick(now)
            slot.upgrade(now)
            slot.captions.tick(now)
            if self._lost_at is None and (probe := slot.next_probe) is not None and now >= probe:
                slot.probe()
        match self._presence.decide(not self._slots.idle, now):
            case Act.LOOK:
                self._tasks.create_task(self._look(), name="look")
            case Act.JOIN:
                self._tasks.create_task(self._join(), name="join")
            case Act.LEAVE:
                self._tasks.create_task(self._leave(), name="leave")

    def _next_wakeup(self, now: float) -> float | None:
        times = [self._presence.next_wakeup(not self._slots.idle, now)]
        for slot in self._slots:
            times += [slot.driver.next_wakeup, slot.captions.next_wakeup(now)]
            times.append(slot.next_probe if self._lost_at is None else None)
        if self._lost_at is not None:
            times.append(None if self._loss_reported else self._lost_at + LOST_GRACE)
        elif self._sync_at is not None and self.connected:
            times.append(self._sync_at)
        return min((time for time in times if time is not None), default=None)

    # Presence

    async def _look(self) -> None:
        try:
            found = await self.api.participants(self.room)
        except MouthpieceError as error:
            self._slots.set_absence(Problem.of(error))
            self._presence.failed(self.clock())
        else:
            viewers = sum(facts.is_viewer for facts in found or ())
            for slot in self._slots:
                slot.driver.viewers(viewers)
            avatar = any(facts.profile is not None for facts in found or ())
            if not avatar:
                self._slots.set_absence(NO_ROOM if found is None else NO_AVATAR)
            self._presence.looked(avatar, self.clock())
        self._changed.set()

    async def _join(self) -> None:
        token = sender_token(self.access, self.room, self.identity, self.name)
        connection = self.connect(self.access, token, self._on_event)
        try:
            await self._stack.enter_async_context(connection)
        except MouthpieceError as error:
            self._slots.set_absence(Problem.of(error))
            self._presence.failed(self.clock())
        else:
            if connection.connected:
                self._connection = connection
                self._presence.joined()
                self._sync()
            else:  # disconnected again before it was ours
                await self._stack.aclose()
                self._presence.failed(self.clock())
        self._changed.set()

    async def _leave(self) -> None:
        self._slots.all_left(AVATAR_LEFT)  # segments that are submitted meanwhile wait for the next join
        await self._disconnect()
        self._presence.left(self.clock())
        self._changed.set()

    async def _disconnect(self) -> None:
        self._connection = None
        for slot in self._slots:
            slot.forget_avatar()
        await self._stack.aclose()

    # Events of the connection

    def _on_event(self, event: RoomEvent) -> None:
        match event:
            case ParticipantsChanged() if self._avatar_missing():
                self._sync_at = self.clock() + SETTLE
            case ParticipantsChanged():
                self._sync()
            case ConnectionLost():
                self._lost_at = self._lost_at or self.clock()
            case ConnectionBack():
                self._lost_at, self._loss_reported = None, False
                self._sync()
            case Disconnected():
                self._on_disconnected(event)
            case ReceiptStarted(caller, segment):
                if slot := self._slots.that_reports(caller, segment):
                    slot.driver.started(segment)
            case ReceiptFinished(caller, segment, position, interrupted):
                if slot := self._slots.that_reports(caller, segment):
                    slot.driver.finished(segment, position, interrupted)
        self._changed.set()

    def _on_disconnected(self, event: Disconnected) -> None:
        if self._connection is None or event.reason == "CLIENT_INITIATED":
            return
        duplicate = event.reason == "DUPLICATE_IDENTITY"
        self._connection = None
        self._lost_at, self._loss_reported = None, False
        self._presence.left(self.clock(), duplicate=duplicate)
        self._slots.all_left(event.problem)
        self._slots.set_absence(event.problem)
        if duplicate:
            self.give_up(event.problem)
        self._tasks.create_task(self._disconnect(), name="disconnect")

    def _on_broken(self, slot: AvatarSlot, problem: Problem) -> None:
        self._tasks.create_task(self._settle(slot, slot.sid, problem), name="broken-stream")

    async def _settle(self, slot: AvatarSlot, sid: str | None, problem: Problem) -> None:
        """After a stream broke: if nothing else explains it in a moment, the avatar counts as gone."""
        await asyncio.sleep(SETTLE)
        if sid is not None and slot.sid == sid:
            self._slots.left(slot, problem)
            self._sync()

    # Avatars

    def _new_slot(self, identity: str | None) -> AvatarSlot:
        return AvatarSlot(
            identity,
            Ledger(avatar_timeout=self.avatar_timeout),
            connection=lambda: self._connection,
            listener=self._on_report,
            on_broken=self._on_broken,
            leaving=lambda: self._closing or self._connection is None,
            clock=self.clock,
            changed=self._changed,
            tasks=self._tasks,
        )

    def _avatar_missing(self) -> bool:
        return self._connection is not None and self._slots.missing(self._connection.participants())

    def _sync(self) -> None:
        """Take over who is in the room now."""
        if self._connection is None or self._lost_at is not None:
            return
        self._sync_at = None
        present = self._connection.participants()
        self._viewers = sum(facts.is_viewer for facts in present)
        self._slots.sync(present)

    def _on_report(self, slot: AvatarSlot, report: Report, item: PlayoutItem) -> None:
        self.listener(
            RoomReport.of(report, item.sound, avatar=slot.identity, profile=slot.profile_name, viewers=self.viewers)
        )
