"""The gateway: the rooms that are spoken into, the segments that have not ended, and the journal behind them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Literal, Self

from mouthpiece.errors import DuplicateIdentity, MouthpieceError, QueueFull, RoomClosed
from mouthpiece.playback.commands import Utterance
from mouthpiece.segments import AttemptRecord, Event, Problem, Segment, State, Until, Viewers, utc_now
from mouthpiece_sender.storage.journal import Journal, Page
from mouthpiece_sender.target import AvatarActivity, Room, RoomReport, SpeakRequest, Target

logger = logging.getLogger(__name__)

STORE_RETRY = 1.0
"""Seconds from one try to store what happened to the next."""
INTERRUPT_TIMEOUT = 2.5
"""Seconds to wait for the end of an interrupted segment."""


@dataclass(frozen=True, slots=True)
class RoomActivity:
    """One room as the gateway sees it."""

    connected: bool
    avatars: Sequence[AvatarActivity]
    viewers: int | None


@dataclass
class _Active:
    """A segment that has not ended, or whose end is not stored yet."""

    segment: Segment
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Gateway:
    """``async with Gateway(…) as gateway:``; leaving interrupts what plays, closes every stream, leaves every room."""

    def __init__(
        self,
        target: Target,
        journal: Journal,
        *,
        max_queue: int = 100,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], datetime] = utc_now,
        drop_queued_on_exit: bool = False,
    ) -> None:
        """:param max_queue: segments that may wait or play in one room."""
        self._target = target
        self._journal = journal
        self._max_queue = max_queue
        self._clock = clock
        self._wall_clock = wall_clock
        self._drop_queued = drop_queued_on_exit
        self._rooms: dict[str, Room] = {}
        self._active: dict[str, _Active] = {}
        self._arriving: Counter[str] = Counter()
        """Of each room, the segments that are being accepted."""
        self._closing = asyncio.Event()
        self._records: asyncio.Queue[tuple[Segment, Event, AttemptRecord | None] | None] = asyncio.Queue()

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
            self._closing.set()
            self._records.put_nowait(None)
            await self._tasks.__aexit__(None, None, None)

    # Speaking

    async def speak(self, request: SpeakRequest) -> Segment:
        """Accept a segment. It is stored when this returns, and said in its turn.

        :raises QueueFull: ``max_queue`` segments wait or play in the room already.
        :raises DuplicateIdentity: another sender of our identity took our place in the room.
        :raises MouthpieceError: the target refuses the request (:meth:`Target.admit`).
        """
        session = self._rooms.get(request.room)
        if session is not None and session.duplicate:
            raise DuplicateIdentity(
                "Another sender joined the room under our identity; give one of them another MOUTHPIECE_INSTANCE."
            )
        waiting = self._arriving[request.room]
        waiting += sum(active.segment.room == request.room for active in self._active.values())
        if waiting >= self._max_queue:
            raise QueueFull(f"{waiting} segments wait in the room already; try again when some have been said.")
        self._arriving[request.room] += 1
        try:
            return await self._accept(request)
        finally:
            self._arriving[request.room] -= 1
            self._arriving += Counter()  # without those that are 0 again

    async def _accept(self, request: SpeakRequest) -> Segment:
        await self._target.admit(request, self._rooms, self._arriving)
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
            tag=request.tag,
            metadata=request.metadata,
        )
        await self._journal.accept(segment, request.key)
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

    async def cancel(self, segment_id: str) -> Segment:
        """Cancel a segment that waits, interrupt one that plays, and return it; one that has ended is returned as is.

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
        """Stop what plays in a room, of one avatar or of all. Returns the segments concerned, as they ended.

        A segment that is not interruptible plays on.
        """
        session = self._rooms.get(room)
        if session is None:
            return []
        concerned = session.interrupt(avatar, drop_queued=queued == "drop")
        return list(await asyncio.gather(*(self.wait(segment, "finished", INTERRUPT_TIMEOUT) for segment in concerned)))

    # Looking

    async def segment(self, segment_id: str) -> Segment:
        """A segment as it stands now.

        :raises SegmentNotFound: no such segment.
        """
        active = self._active.get(segment_id)
        return self._live(active.segment) if active else await self._journal.get(segment_id)

    async def segments(
        self,
        room: str,
        *,
        states: Collection[State] = (),
        tag: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page:
        """Segments of a room, newest first.

        :raises ValueError: ``after`` is no cursor of ours.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STORE_RETRY):
                await self._records.join()  # what has happened is written before it is read
        page = await self._journal.list(room, states=states, tag=tag, limit=limit, after=after)
        return Page([self._live(segment) for segment in page.segments], page.next)

    async def wait(self, segment_id: str, until: Until, timeout: float | None) -> Segment:
        """Wait until the segment reaches ``until``, at most ``timeout`` seconds; return its current value.

        :raises SegmentNotFound: no such segment.
        """
        try:
            async with asyncio.timeout(timeout):
                while (active := self._active.get(segment_id)) and not active.segment.reached(until):
                    active.changed.clear()
                    await active.changed.wait()
        except TimeoutError:
            pass
        return await self.segment(segment_id)

    def activity(self) -> Mapping[str, RoomActivity]:
        """The rooms that are spoken into, or were a moment ago."""
        return {name: RoomActivity(room.connected, room.avatars, room.viewers) for name, room in self._rooms.items()}

    def expect(self, room: str) -> None:
        """Something will be said in ``room`` soon: join it once its avatar is there."""
        self._session(room).expect()

    async def forget_room(self, room: str, reason: str) -> None:
        """The room was ended: fail its queued segments with ``reason``; the one that plays ends as unknown."""
        if session := self._rooms.get(room):
            session.give_up(Problem.of(RoomClosed(reason)))

    # Inside

    def _session(self, room: str) -> Room:
        if room not in self._rooms:
            session = self._target.room(room, self._on_report, self._retire)
            self._rooms[room] = session
            self._tasks.create_task(self._run(session), name="room")
        return self._rooms[room]

    async def _run(self, session: Room) -> None:
        try:
            await session.run()
        except* Exception:
            # A fault of ours in one room must not take the others down; what it held is reported, not lost.
            logger.exception("a room ended by a fault of ours")
            session.give_up(Problem.of(MouthpieceError("The sender failed in this room.")))
        finally:
            self._retire(session)

    def _retire(self, session: Room) -> None:
        """Forget the room: its next segment begins a new one."""
        if self._rooms.get(session.room) is session:
            del self._rooms[session.room]

    def _live(self, segment: Segment) -> Segment:
        """``segment`` with its position by the playout clock."""
        if active := self._active.get(segment.id):
            segment = active.segment
        session = self._rooms.get(segment.room)
        if segment.state is not State.PLAYING or session is None:
            return segment
        position = session.position(segment.id)
        return segment if position is None else replace(segment, position=position)

    def _on_report(self, update: RoomReport) -> None:
        report, at = update.report, self._wall_clock()
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
            audio=update.audio or before.audio,
        )
        if before.source.text is None and update.text and report.state.terminal:
            after = replace(after, source=replace(before.source, text=update.text))  # it was written as it was said
        if report.attempt is not None:
            after = replace(after, avatar=update.avatar or after.avatar, profile=update.profile or after.profile)
        if report.state is State.PLAYING and before.started_at is None:
            after = replace(after, started_at=at, viewers=Viewers(update.viewers, None))
        if report.state.terminal:
            started = after.started_at or (at if report.position > 0 else None)
            viewers = replace(after.viewers, end=update.viewers)
            after = replace(after, started_at=started, finished_at=at, viewers=viewers)
        active.segment = after
        active.changed.set()
        detail = report.problem.type if report.problem else None
        number = report.attempt.number if report.attempt else None
        event = Event(after.id, after.room, report.type, at, number, report.position, detail)
        attempt = None
        if (opened := report.attempt) is not None:
            attempt = AttemptRecord(
                number=opened.number, avatar=after.avatar, profile=after.profile, offset=opened.offset
            )
        self._records.put_nowait((after, event, attempt))

    async def _write_journal(self) -> None:
        """One writer, so that what is stored is in order. Bounded by what happens: a few records a segment."""
        while (record := await self._records.get()) is not None:
            segment, event, attempt = record
            await self._record(segment, event, attempt)
            self._records.task_done()
            if segment.state.terminal and (active := self._active.pop(segment.id, None)):
                active.changed.set()

    async def _record(self, segment: Segment, event: Event, attempt: AttemptRecord | None) -> None:
        """Try until the record is stored. Meanwhile the segment is read from memory; the store refuses new ones."""
        logged = False
        while True:
            try:
                await self._journal.record(segment, event, attempt)
            except (MouthpieceError, OSError):
                if not logged:
                    logger.exception("what became of a segment could not be stored; it is tried until it can")
                logged = True
            else:
                return
            if self._closing.is_set():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STORE_RETRY):
                    await self._closing.wait()
