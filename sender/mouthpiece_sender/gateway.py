"""The gateway: the rooms that are spoken into, the segments that have not ended, and the journal behind them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Literal, Self

from mouthpiece.errors import DuplicateIdentity, MouthpieceError, RoomClosed, SenderStopping
from mouthpiece.playback.commands import Report, Utterance
from mouthpiece.segments import EndedBy, Problem, Segment, State, Until, utc_now
from mouthpiece_sender.places import Places, Quotas
from mouthpiece_sender.playout.pauses import Pauses
from mouthpiece_sender.reported import applied, event_of
from mouthpiece_sender.sounds.levelled import levelled
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.storage.journal import Journal, Page
from mouthpiece_sender.storage.journal_writer import RETRY, JournalWriter
from mouthpiece_sender.takeover import Left, left_behind
from mouthpiece_sender.target import ReportContext, Room, RoomActivity, SpeakRequest, Target

logger = logging.getLogger(__name__)

INTERRUPT_TIMEOUT = 2.5
"""Seconds to wait for the end of an interrupted segment, or for a paused one to be silent."""
BEGINNING = timedelta(seconds=0.5)
"""From the acceptance of a segment; one that waits for nothing is heard by then."""


@dataclass
class _Active:
    """A segment that has not ended, or whose end is not stored yet."""

    segment: Segment
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Gateway:
    """``async with Gateway(…) as gateway:``; leaving stops what plays, closes every stream, leaves every room."""

    def __init__(
        self,
        target: Target,
        journal: Journal,
        *,
        quotas: Quotas | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], datetime] = utc_now,
        drop_queued_on_exit: bool = False,
        loudness: float | None = None,
    ) -> None:
        """
        :param loudness: LUFS that every sound is brought to; None: each is as loud as it is.
        :param quotas: how many rooms and segments there may be.
        :param drop_queued_on_exit: leaving interrupts what plays and drops what waits; else ``stop`` is called.
        """
        self._target = target
        self._journal = journal
        self._clock = clock
        self._wall_clock = wall_clock
        self._drop_queued = drop_queued_on_exit
        self._loudness = loudness
        self._rooms: dict[str, Room] = {}
        self._running: set[asyncio.Task[None]] = set()
        """Of the rooms."""
        self._active: dict[str, _Active] = {}
        self._places = Places(quotas or Quotas())
        self._pauses: defaultdict[str, Pauses] = defaultdict(Pauses)
        self._stopping = False
        self._writer = JournalWriter(journal, self._stored)

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._tasks.create_task(self._writer.run(), name="journal")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._drop_queued:
                await asyncio.gather(*(session.close(drop_queued=True) for session in self._rooms.values()))
            else:
                await self.stop()
        finally:
            for session in self._rooms.values():
                session.stop()
            if self._running:
                await asyncio.wait(self._running)
            self._writer.close()
            await self._tasks.__aexit__(None, None, None)

    # Its beginning and its end

    async def take_over(self, sound: Callable[[Segment], Awaitable[Sound]]) -> int:
        """Go on with the segments that an earlier process left; call it before anything else.

        :param sound: makes the sound of a stored segment; raises ``MouthpieceError`` where it cannot.
        :returns: how many they are.
        :raises StoreError: the journal cannot be read.
        """
        for room in await self._journal.paused_rooms():
            self._pauses[room].pause(None)
        now = self._clock()
        found = await left_behind(self._journal, sound, now, self._wall_clock())
        for left in found:
            self._active[left.segment.id] = _Active(left.segment)
            self._places.restore(left.segment.id, left.segment.room)
        for left in found:
            self._go_on_with(left)
        return len(found)

    def _go_on_with(self, left: Left) -> None:
        if left.end is not None:
            self._on_report(left.end, ReportContext())
        else:
            segment = left.segment
            room = self._session(segment.room)
            room.restore(
                left.restored, levelled(left.sound, self._loudness), segment.avatar, addressed=segment.addressed
            )

    async def stop(self, drain: float = 0.0) -> None:
        """Accept and begin nothing more, and return once nothing plays: what ends within ``drain`` seconds is played,
        the rest is cut. What waits, and the rest of what was cut where its position is exact, is left to the process
        that comes after this one."""
        if self._stopping:
            return
        self._stopping = True
        await asyncio.gather(*(session.drain(drain) for session in self._rooms.values()))

    @property
    def speech_begins(self) -> bool:
        """A segment is being accepted, or was accepted within the last ``BEGINNING`` and is not heard yet."""
        since = self._wall_clock() - BEGINNING
        waiting = (one.segment for one in self._active.values() if one.segment.state is State.QUEUED)
        return bool(self._places.arriving) or any(segment.created_at > since for segment in waiting)

    # Speaking

    async def speak(self, request: SpeakRequest) -> Segment:
        """Accept a segment. It is stored when this returns, and said in its turn.

        :raises QueueFull: too many segments wait or play in the room already.
        :raises RoomsFull: there are too many rooms.
        :raises KeyLimitReached: the holder of its key has as much as one may have.
        :raises DuplicateIdentity: another sender of our identity took our place in the room.
        :raises SenderStopping: ``stop`` was called.
        :raises MouthpieceError: the target refuses the request (:meth:`Target.admit`).
        """
        self._check_stopping()
        session = self._rooms.get(request.room)
        if session is not None and session.duplicate:
            raise DuplicateIdentity(
                "Another sender joined the room under our identity; give one of them another MOUTHPIECE_INSTANCE."
            )
        rooms = self._rooms.keys() | self._places.arriving.keys()
        with self._places.taken(request, None if request.room in rooms else len(rooms)):
            return await self._accept(request)

    async def _accept(self, request: SpeakRequest) -> Segment:
        request = replace(request, sound=levelled(request.sound, self._loudness))
        await self._target.admit(request, self._rooms, self._places.arriving)
        self._check_stopping()
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
            addressed=request.avatar is not None,
            tag=request.tag,
            metadata=request.metadata,
            callback=request.callback,
        )
        await self._journal.accept(segment, request.key)
        self._active[segment.id] = _Active(segment)
        if self._stopping:
            return segment  # it is stored: the next process says it
        utterance = Utterance(
            segment.id,
            now,
            request.interruptible,
            request.on_loss,
            request.wait_for_viewer,
            None if request.expires_in is None else now + request.expires_in,
        )
        self._session(request.room, request.holder).submit(utterance, request.sound, request.avatar, request.mode)
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

    async def pause(self, room: str, *, avatar: str | None = None) -> list[Segment]:
        """Hold a room, or one avatar of it, until ``resume``, over restarts too (then the whole room). Returns the
        segments that played, once they are silent.

        :raises StoreError: it cannot be stored.
        """
        await self._journal.set_paused(room, True)
        self._pauses[room].pause(avatar)
        session = self._rooms.get(room)
        concerned = [] if session is None else session.pause(avatar)
        return list(await asyncio.gather(*(self._until(one, _is_silent, INTERRUPT_TIMEOUT) for one in concerned)))

    async def resume(self, room: str, *, avatar: str | None = None) -> None:
        """Go on with what was paused, and with what waits.

        :raises StoreError: it cannot be stored.
        """
        session, pauses = self._rooms.get(room), self._pauses[room]
        pauses.resume(avatar, [] if session is None else [one.identity for one in session.avatars])
        if not pauses:
            del self._pauses[room]
            await self._journal.set_paused(room, False)
        if (session := self._rooms.get(room)) is not None:
            session.resume(avatar)

    def is_paused(self, room: str) -> bool:
        """Whether some of a room is held until it is resumed."""
        return room in self._pauses

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
        await self._writer.written(RETRY)  # what has happened is written before it is read
        page = await self._journal.list(room, states=states, tag=tag, limit=limit, after=after)
        return Page([self._live(segment) for segment in page.segments], page.next)

    async def wait(self, segment_id: str, until: Until, timeout: float | None) -> Segment:
        """Wait until the segment reaches ``until``, at most ``timeout`` seconds; return its current value.

        :raises SegmentNotFound: no such segment.
        """
        return await self._until(segment_id, lambda segment: segment.reached(until), timeout)

    async def _until(self, segment_id: str, reached: Callable[[Segment], bool], timeout: float | None) -> Segment:
        try:
            async with asyncio.timeout(timeout):
                while (active := self._active.get(segment_id)) and not reached(active.segment):
                    active.changed.clear()
                    await active.changed.wait()
        except TimeoutError:
            pass
        return await self.segment(segment_id)

    def speaks_in(self, room: str) -> bool:
        """Whether a segment is being accepted, waits or plays in a room."""
        active = (one.segment for one in self._active.values() if one.segment.room == room)
        return bool(self._places.arriving[room]) or any(not segment.state.terminal for segment in active)

    def activity(self) -> Mapping[str, RoomActivity]:
        """The rooms that are spoken into, or were a moment ago."""
        return {
            name: RoomActivity(room.connected, room.avatars, room.viewers, self.is_paused(name))
            for name, room in self._rooms.items()
        }

    def expect(self, room: str, holder: str = "") -> None:
        """Something will be said in ``room`` soon: join it once its avatar is there.

        :param holder: of the API key that it will be said with.
        """
        if not self._stopping:
            self._session(room, holder).expect()

    async def end_room(self, room: str, reason: str) -> None:
        """The room is about to be deleted: fail its queued segments with ``reason``, end the one that plays as unknown,
        and give its avatars time to leave in peace.

        :raises MouthpieceError: it is not known who is there; nothing was ended.
        """
        if session := self._rooms.get(room) if self._stopping else self._session(room):
            await session.prepare_deletion(Problem.of(RoomClosed(reason)))

    # Inside

    def _session(self, room: str, holder: str = "") -> Room:
        if room not in self._rooms:
            session = self._target.room(room, self._on_report, self._retire, self._writer.recorded, holder)
            self._rooms[room] = session
            for avatar in self._pauses.get(room, ()):
                session.pause(avatar)
            running = self._tasks.create_task(self._run(session), name="room", context=Context())
            self._running.add(running)
            running.add_done_callback(self._running.discard)
        return self._rooms[room]

    async def _run(self, session: Room) -> None:
        try:
            await session.run()
        except* Exception:
            # A fault of ours in one room must not take the others down; what it held is reported, not lost.
            logger.exception("a room ended by a fault of ours")
            session.give_up(Problem.of(MouthpieceError("The sender failed in this room.")), EndedBy.RESTART)
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

    def _on_report(self, report: Report, context: ReportContext) -> None:
        active = self._active.get(report.segment)
        if active is None:
            return
        at = self._wall_clock()
        active.segment, attempt = applied(active.segment, report, context, at)
        active.changed.set()
        self._writer.put(active.segment, event_of(active.segment, report, at), attempt)

    def _stored(self, segment: Segment) -> None:
        if segment.state.terminal and (active := self._active.pop(segment.id, None)):
            active.changed.set()
            self._places.leave(segment.id)

    def _check_stopping(self) -> None:
        if self._stopping:
            raise SenderStopping("The service is stopping: send it again in a moment.")


def _is_silent(segment: Segment) -> bool:
    return segment.state is not State.PLAYING
