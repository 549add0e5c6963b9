"""Segments said through Anam: the same small interface as a room's.

Anam sends no receipts. What it was given has ``finished`` when the playout clock says so, and that is ``estimated``;
a session that ends while a segment plays leaves it ``unknown``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from mouthpiece.decode import Decoders
from mouthpiece.errors import AvatarLeft, MouthpieceError
from mouthpiece.segments import Mode, Problem, Receipt, Segment, Source, State, new_segment_id, utc_now
from mouthpiece_sender.anam.frames import FrameSink
from mouthpiece_sender.anam.passthrough import Playout, sent_rate, transforms
from mouthpiece_sender.anam.session import AnamSession, PassthroughStream
from mouthpiece_sender.anam.settings import AnamSettings
from mouthpiece_sender.file_sound import FileSound
from mouthpiece_sender.segment_json import segment_json
from mouthpiece_sender.sound import Sound

if TYPE_CHECKING:
    from mouthpiece_sender.cli.target import How

logger = logging.getLogger(__name__)

ROOM: Final = "anam"
"""What stands for the room in a segment: there is none."""
PROFILE: Final = "anam"
STOP_TIMEOUT: Final = 3.0
"""Seconds that ending a turn and interrupting it may take."""


@dataclass
class AnamHandle:
    """A segment that was handed over."""

    _segment: Segment
    _clock: Callable[[], float]
    _playout: Playout = field(default_factory=Playout)
    _task: asyncio.Task[None] | None = None

    async def now(self) -> dict[str, Any]:
        """Its JSON as it stands."""
        return segment_json(self.segment)

    async def finished(self) -> dict[str, Any]:
        """Its JSON as it ended. Nothing is raised for a bad end."""
        if self._task is not None:
            await asyncio.wait([self._task])
        return await self.now()

    @property
    def segment(self) -> Segment:
        if self._segment.state.terminal:
            return self._segment
        return replace(self._segment, position=self._playout.position(self._clock()))

    def _end(self, state: State, receipt: Receipt = Receipt.NONE, error: MouthpieceError | None = None) -> None:
        problem = None if error is None else Problem(error.slug, str(error), error.retryable)
        self._segment = replace(
            self.segment,
            state=state,
            receipt=receipt,
            interrupted=state is State.INTERRUPTED,
            error=problem,
            finished_at=utc_now(),
        )


class AnamTarget:
    """``async with AnamTarget(settings) as target:``. The session is opened with the first segment, once its sound is
    known to be good; leaving in peace keeps it for ``linger`` seconds after the last one, leaving by an exception or
    a cancellation interrupts the avatar. Segments are said one after the other."""

    def __init__(
        self,
        settings: AnamSettings,
        *,
        sinks: Sequence[FrameSink] = (),
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._sinks = sinks
        self._clock = clock
        self._wall_clock = wall_clock
        self._turn = asyncio.Lock()
        self._handles: list[AnamHandle] = []
        self._dismissed = asyncio.Event()
        self._session: AnamSession | None = None
        self._session_stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._decoders = await stack.enter_async_context(Decoders(processes=1))
            for sink in self._sinks:
                await stack.enter_async_context(sink)
            stack.push_async_callback(self._close_session)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self._linger()
        finally:
            try:
                await self.interrupt()
            finally:
                await self._stack.aclose()

    async def play(self, path: Path, how: How) -> AnamHandle:
        """Says a file.

        :raises AudioError: it is not a sound that can be played.
        """
        sound = await FileSound.probe(path, self._decoders)
        return await self.play_sound(sound, Source("file", path.name), mode=how.mode, expires_in=how.expires_in)

    async def play_sound(
        self, sound: Sound, source: Source, *, mode: Mode = Mode.APPEND, expires_in: float | None = None
    ) -> AnamHandle:
        """Says any sound, also one that is still being made.

        :param mode: ``interrupt`` drops whatever plays or waits; ``ignore`` gives up while anything does.
        :param expires_in: seconds that it may wait for those before it.
        """
        now = self._wall_clock()
        segment = Segment(
            id=new_segment_id(),
            room=ROOM,
            source=source,
            audio=sound.info,
            created_at=now,
            avatar=self._settings.avatar_id,
            profile=PROFILE,
            mode=mode,
        )
        handle = AnamHandle(segment, self._clock)
        busy = any(not other.segment.state.terminal for other in self._handles)
        self._handles = [other for other in self._handles if not other.segment.state.terminal]
        if busy and mode is Mode.IGNORE:
            handle._end(State.IGNORED)
            return handle
        if mode is Mode.INTERRUPT:
            await self.interrupt()
        handle._task = asyncio.create_task(self._say(handle, sound, expires_in), name="anam-segment")
        self._handles.append(handle)
        return handle

    async def interrupt(self) -> None:
        """Ends everything that plays or waits."""
        tasks = [handle._task for handle in self._handles if handle._task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def dismiss(self) -> None:
        """Whoever watches has seen enough: what plays is interrupted, and leaving does not linger."""
        self._dismissed.set()
        for handle in self._handles:
            if handle._task is not None:
                handle._task.cancel()

    async def _say(self, handle: AnamHandle, sound: Sound, expires_in: float | None) -> None:
        """Owns the segment: its only writer, to its end."""
        try:
            try:
                async with asyncio.timeout(expires_in):
                    await self._turn.acquire()
            except TimeoutError:
                handle._end(State.EXPIRED)
                return
            try:
                session = await self._ready_session()
                await self._pass_through(session, handle, sound)
            finally:
                self._turn.release()
        except asyncio.CancelledError:
            handle._end(State.INTERRUPTED if handle.segment.started_at else State.CANCELLED)
        except AvatarLeft as error:
            begun = handle.segment.started_at is not None
            handle._end(
                State.UNKNOWN if begun else State.FAILED, Receipt.UNKNOWN if begun else Receipt.NONE, error=error
            )
        except MouthpieceError as error:
            handle._end(State.FAILED, error=error)
        except Exception:
            logger.exception("saying a segment through Anam failed")
            handle._end(State.FAILED, error=MouthpieceError("An error of Mouthpiece's own; the log has it."))

    async def _pass_through(self, session: AnamSession, handle: AnamHandle, sound: Sound) -> None:
        rate = sent_rate(sound.info.sample_rate)
        chain = transforms(rate)
        stream = session.stream(rate)
        whole = False
        try:
            async with sound.open() as blocks:
                async for block in blocks:
                    for chunk in chain.push(block):
                        await self._push(stream, handle, chunk.to_bytes(), chunk.duration)
            for chunk in chain.flush():
                await self._push(stream, handle, chunk.to_bytes(), chunk.duration)
            whole = True
        finally:
            if handle.segment.started_at is not None:
                await self._end_turn(session, stream, dropped=not whole)
        try:
            left = (handle._playout.ends or 0.0) - self._clock()
            if await session.lost_within(max(0.0, left)):
                raise AvatarLeft("Anam's session ended while the avatar spoke.")
        except asyncio.CancelledError:
            await session.interrupt()
            raise
        handle._end(State.FINISHED, Receipt.ESTIMATED)

    async def _push(self, stream: PassthroughStream, handle: AnamHandle, data: bytes, seconds: float) -> None:
        if handle.segment.started_at is None:
            handle._segment = replace(handle.segment, state=State.PLAYING, started_at=self._wall_clock())
        handle._playout.pushed(self._clock(), seconds)
        await stream.push(data)

    async def _end_turn(self, session: AnamSession, stream: PassthroughStream, *, dropped: bool) -> None:
        """``dropped``: it ended early, and what the engine still holds of it is not to be said."""
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await stream.end()
                if dropped and not session.lost:
                    await session.interrupt()
        except TimeoutError:
            logger.warning("Anam did not take the end of a turn")

    async def _ready_session(self) -> AnamSession:
        if self._session is not None and self._session.lost:
            await self._close_session()
        if self._session is None:
            async with AsyncExitStack() as stack:
                self._session = await stack.enter_async_context(AnamSession(self._settings, self._sinks))
                self._session_stack = stack.pop_all()
        return self._session

    async def _close_session(self) -> None:
        self._session = None
        await self._session_stack.aclose()

    async def _linger(self) -> None:
        """Until everything has been said, and a while longer."""
        tasks = [handle._task for handle in self._handles if handle._task is not None]
        if tasks:
            await asyncio.wait(tasks)
        finished = [handle for handle in self._handles if handle.segment.state is State.FINISHED]
        if not finished or self._session is None or self._dismissed.is_set():
            return
        losing = asyncio.ensure_future(self._session.lost_within(self._settings.linger))
        dismissed = asyncio.ensure_future(self._dismissed.wait())
        try:
            await asyncio.wait([losing, dismissed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            losing.cancel()
            dismissed.cancel()
