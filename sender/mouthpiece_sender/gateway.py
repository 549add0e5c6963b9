"""The gateway: every room that something is said in, every segment that has not ended, and the journal behind them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Literal, Self

from mouthpiece import profiles
from mouthpiece.errors import AvatarAmbiguous, DuplicateIdentity, MouthpieceError, QueueFull
from mouthpiece.playback import Utterance
from mouthpiece.segments import Attempt, Event, Mode, OnLoss, Problem, Segment, Source, State, Viewers, utc_now
from mouthpiece.wire import SENDER_IDENTITY_PREFIX, SENDER_NAME
from mouthpiece_sender.journal import Journal, Page
from mouthpiece_sender.livekit_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.room_session import RoomSession, Told
from mouthpiece_sender.sound import Sound

logger = logging.getLogger(__name__)

INTERRUPT_TIMEOUT = 2.5
"""Seconds that the end of what was interrupted is waited for."""

Until = Literal["queued", "playing", "finished"]


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """How rooms are treated. Times are seconds."""

    instance: str = "1"
    """Part of our identity in each room: one for each sender that runs beside others, the same after a restart."""
    identity: str | None = None
    """Overrides the identity, for a receiver that is bound to a fixed one; use it in one room only."""
    name: str = SENDER_NAME
    avatar_timeout: float = 30.0
    warm: float = 60.0
    max_queue: int = 100
    """Segments that may wait or play in one room."""


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
class AvatarActivity:
    """One avatar as the gateway sees it."""

    identity: str | None
    """None: whichever avatar comes."""
    profile: str | None
    ready: bool
    queue: int
    """Segments that wait."""
    playing: str | None
    """The segment that plays."""


@dataclass(frozen=True, slots=True)
class RoomActivity:
    """One room as the gateway sees it."""

    connected: bool
    avatars: list[AvatarActivity]
    viewers: int | None


@dataclass
class _Active:
    """A segment that has not ended, or whose end is not written yet."""

    segment: Segment
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Gateway:
    """``async with Gateway(…) as gateway:``; leaving interrupts what plays, closes every stream, leaves every room."""

    def __init__(
        self,
        access: LiveKitAccess,
        api: LiveKitApi,
        journal: Journal,
        *,
        options: GatewayOptions = GatewayOptions(),
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], datetime] = utc_now,
        drop_queued_on_exit: bool = False,
    ) -> None:
        self._access = access
        self._api = api
        self._journal = journal
        self._options = options
        self._clock = clock
        self._wall_clock = wall_clock
        self._drop_queued = drop_queued_on_exit
        self._rooms: dict[str, RoomSession] = {}
        self._active: dict[str, _Active] = {}
        self._records: asyncio.Queue[tuple[Segment, Event, Attempt | None] | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._writer = self._tasks.create_task(self._write_journal(), name="journal")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            closing = [session.close(drop_queued=self._drop_queued) for session in self._rooms.values()]
            await asyncio.gather(*closing)
        finally:
            for session in self._rooms.values():
                session.stop()
            self._records.put_nowait(None)
            await self._tasks.__aexit__(None, None, None)

    # Speaking

    async def speak(self, request: SpeakRequest) -> Segment:
        """Accepts a segment: stored when this returns, and said in its turn.

        :raises AvatarAmbiguous: several avatars in the room, and the request names none.
        :raises QueueFull: too much waits in the room already.
        :raises DuplicateIdentity: we were thrown out of the room by another sender of our identity.
        :raises LiveKitUnavailable: the server cannot be reached.
        :raises LiveKitRefused: it does not accept our key and secret.
        """
        session = self._rooms.get(request.room)
        if session is not None and session.barred:
            raise DuplicateIdentity(
                "Another sender joined the room under our identity; give one of them another MOUTHPIECE_INSTANCE."
            )
        waiting = sum(active.segment.room == request.room for active in self._active.values())
        if waiting >= self._options.max_queue:
            raise QueueFull(f"{waiting} segments wait in the room already; try again when some have been said.")
        if request.avatar is None:
            await self._check_one_avatar(session, request.room)
        now, at = self._clock(), self._wall_clock()
        segment = Segment(
            id=request.segment_id,
            room=request.room,
            source=request.source,
            audio=request.sound.info,
            created_at=at,
            avatar=request.avatar,
            expires_at=None if request.expires_in is None else at + timedelta(seconds=request.expires_in),
            mode=request.mode,
            on_loss=request.on_loss,
            interruptible=request.interruptible,
            wait_for_viewer=request.wait_for_viewer,
        )
        await self._journal.accept(segment)
        self._active[segment.id] = _Active(segment)
        utterance = Utterance(
            segment.id,
            now,
            request.interruptible,
            request.on_loss,
            request.wait_for_viewer,
            None if request.expires_in is None else now + request.expires_in,
        )
        self._session(request.room).submit(utterance, request.sound, request.avatar, request.mode)
        return self._active[segment.id].segment

    async def _check_one_avatar(self, session: RoomSession | None, room: str) -> None:
        """Several avatars and none named is refused before anything is accepted."""
        if session is not None and session.connected:
            identities = [identity for identity, profile, _, _ in session.seats if profile is not None]
        else:
            identities = [
                facts.identity
                for facts in await self._api.participants(room) or ()
                if profiles.recognise(facts.identity, facts.attributes, facts.is_agent)
            ]
        if len(identities) > 1:
            names = ", ".join(sorted(str(identity) for identity in identities))
            raise AvatarAmbiguous(f"Several avatars are in the room ({names}): name one with avatar=<identity>.")

    async def cancel(self, segment_id: str) -> Segment:
        """Cancels a segment that waits, interrupts one that plays; one that has ended is returned as it is.

        :raises SegmentNotFound: no such segment.
        """
        active = self._active.get(segment_id)
        if active is None:
            return await self._journal.get(segment_id)
        if session := self._rooms.get(active.segment.room):
            session.cancel(segment_id)
        return await self.wait(segment_id, "finished", INTERRUPT_TIMEOUT)

    async def interrupt(
        self, room: str, *, avatar: str | None = None, queued: Literal["keep", "drop"] = "keep"
    ) -> list[Segment]:
        """Stops what plays in a room, of one avatar or of all; the segments concerned, as they ended.

        A segment that is not interruptible plays on.
        """
        session = self._rooms.get(room)
        if session is None:
            return []
        concerned = session.interrupt(avatar, drop_queued=queued == "drop")
        waits = [
            self.wait(segment, "finished", INTERRUPT_TIMEOUT)
            for segment in concerned
            if segment not in self._active or self._active[segment].segment.interruptible
        ]
        return list(await asyncio.gather(*waits))

    # Looking

    async def segment(self, segment_id: str) -> Segment:
        """A segment as it stands now.

        :raises SegmentNotFound: no such segment.
        """
        active = self._active.get(segment_id)
        return self._live(active.segment) if active else await self._journal.get(segment_id)

    async def segments(
        self, room: str, *, states: Collection[State] = (), limit: int = 50, after: str | None = None
    ) -> Page:
        """Segments of a room, newest first.

        :raises ValueError: ``after`` is no cursor of ours.
        """
        await self._records.join()  # what has happened is written before it is read
        page = await self._journal.list(room, states=states, limit=limit, after=after)
        return Page([self._live(segment) for segment in page.segments], page.next)

    async def wait(self, segment_id: str, until: Until, timeout: float | None) -> Segment:
        """The segment once it has come so far, or as it stands when ``timeout`` seconds have passed.

        :raises SegmentNotFound: no such segment.
        """
        try:
            async with asyncio.timeout(timeout):
                while (active := self._active.get(segment_id)) and not _reached(active.segment, until):
                    active.changed.clear()
                    await active.changed.wait()
        except TimeoutError:
            pass
        return await self.segment(segment_id)

    def activity(self) -> Mapping[str, RoomActivity]:
        """The rooms in which something of ours is, or was a moment ago."""
        return {room: _activity(session) for room, session in self._rooms.items()}

    def expect(self, room: str) -> None:
        """Something will be said in this room soon: be there once its avatar is."""
        self._session(room).expect()

    async def forget_room(self, room: str, reason: str) -> None:
        """The room was ended: what waits there has failed with ``reason``, what played is unknown."""
        if session := self._rooms.get(room):
            session.give_up(Problem("room-closed", reason))

    # Inside

    def _session(self, room: str) -> RoomSession:
        if room not in self._rooms:
            session = RoomSession(
                room,
                self._access,
                self._api,
                self._options.identity or self._identity(room),
                self._options.name,
                self._told,
                self._retire,
                self._clock,
                self._options.avatar_timeout,
                self._options.warm,
            )
            self._rooms[room] = session
            self._tasks.create_task(self._run(session), name="room")
        return self._rooms[room]

    async def _run(self, session: RoomSession) -> None:
        try:
            await session.run()
        except* Exception:
            # A fault of ours in one room must not take the others down; what it held is told, not lost.
            logger.exception("a room ended by a fault of ours")
            session.give_up(Problem("internal", "The sender failed in this room."))
        finally:
            self._retire(session)

    def _retire(self, session: RoomSession) -> None:
        """The next segment for its room begins a new one."""
        if self._rooms.get(session.room) is session:
            del self._rooms[session.room]

    def _identity(self, room: str) -> str:
        """One a room: with the same identity in two rooms a stock receiver clears the wrong one (wire.md, 9)."""
        digest = hashlib.sha256(room.encode()).hexdigest()[:8]
        return f"{SENDER_IDENTITY_PREFIX}-{self._options.instance}-{digest}"

    def _live(self, segment: Segment) -> Segment:
        """With the position that the playout clock gives by now."""
        if active := self._active.get(segment.id):
            segment = active.segment
        session = self._rooms.get(segment.room)
        if segment.state is not State.PLAYING or session is None:
            return segment
        position = session.position(segment.id)
        return segment if position is None else replace(segment, position=position)

    def _told(self, told: Told) -> None:
        report, at = told.report, self._wall_clock()
        active = self._active.get(report.segment)
        if active is None:
            return
        before = active.segment
        after = replace(
            before,
            state=report.state,
            receipt=report.receipt,
            position=report.position,
            interrupted=report.interrupted,
            error=report.problem,
            audio=told.audio or before.audio,
        )
        if report.attempt is not None:
            after = replace(after, avatar=told.avatar or after.avatar, profile=told.profile or after.profile)
        if report.state is State.PLAYING and before.started_at is None:
            after = replace(after, started_at=at, viewers=Viewers(told.viewers, None))
        if report.state.terminal:
            started = after.started_at or (at if report.position > 0 else None)
            after = replace(after, started_at=started, finished_at=at, viewers=replace(after.viewers, end=told.viewers))
        active.segment = after
        active.changed.set()
        detail = report.problem.type if report.problem else None
        number = report.attempt.number if report.attempt else None
        event = Event(after.id, after.room, report.type, at, number, report.position, detail)
        self._records.put_nowait((after, event, report.attempt))

    async def _write_journal(self) -> None:
        """One writer, so that what is stored is in order. Bounded by what happens: a few records a segment."""
        while (record := await self._records.get()) is not None:
            segment, event, attempt = record
            try:
                await self._journal.record(segment, event, attempt)
            except (MouthpieceError, OSError):
                logger.exception("what became of a segment could not be stored")
            finally:
                self._records.task_done()
            if segment.state.terminal and (active := self._active.pop(segment.id, None)):
                active.changed.set()


def _reached(segment: Segment, until: Until) -> bool:
    match until:
        case "queued":
            return True
        case "playing":
            return segment.state is not State.QUEUED
        case "finished":
            return segment.state.terminal


def _activity(session: RoomSession) -> RoomActivity:
    avatars = [
        AvatarActivity(identity, profile, ready, len(ledger.queued), ledger.in_flight[0] if ledger.in_flight else None)
        for identity, profile, ready, ledger in session.seats
    ]
    return RoomActivity(session.connected, avatars, session.viewers)
