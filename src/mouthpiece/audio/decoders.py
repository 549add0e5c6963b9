"""Files of any supported format → blocks of :class:`Pcm`, decoded in separate processes.

``Decoders`` has three pools of processes of ``mouthpiece.audio.decoder``: one probes, one plays, and one plays the
files that take long to read, so that what plays waits behind no stranger's probe and no stranger's file. A pool starts
processes, up to a bound, when those that it has are busy; the first two keep one running (a start costs 140–180 ms). A
process serves many sounds in turn, one request at a time. The request that crashes or hangs it fails with
:class:`DamagedAudio`; other sounds that were open there continue in another process from the frame where they were,
unnoticed by their readers. A block is decoded when it is asked for: only one is held at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from mouthpiece.audio.decoder_process import DecoderProcess, ProcessBusy, ProcessLost, Role
from mouthpiece.audio.limits import check_duration
from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import DecodersBusy
from mouthpiece.process.spans import span
from mouthpiece.segments import AudioInfo

FIRST_BLOCK: Final = 0.3
"""Seconds; the first block is short, so that playing can begin: a quarter, and what a resampler holds of it."""
BLOCK: Final = 1.0
"""Seconds of each further block."""
MAX_BLOCK: Final = 1 << 18
"""Samples of a block at most, all channels together."""

SLOW: Final = 0.2
"""Seconds of processor time for one request from which on a file counts as slow to read."""
MOST_WAITING: Final = 100
"""Probes of one caller that wait for their turn."""
TURN_WITHIN: Final = 30.0
"""Seconds that a probe waits for its turn."""
_REMEMBERED: Final = 10_000
"""Files of which it is known how long they take to read."""
_PATIENCE: Final = 0.1
"""Seconds that a request waits for a process that is busy, before it goes to another process."""
_TRIES: Final = 4
"""Processes that may end before they begin a request."""


class Decoders:
    """The decoder processes of one service or command; ``async with`` starts and ends them.

    :param processes: the most that run in a pool.
    :param max_duration: seconds; :meth:`probe` refuses a longer sound. None: any length.
    """

    def __init__(self, *, processes: int = 2, max_duration: float | None = None) -> None:
        self._max_duration = max_duration
        self._probing = _Pool("probing", processes, keep=True)
        self._playing = _Pool("playing", processes, keep=True)
        self._slow = _Pool("slow", processes, keep=False)
        self._turns: dict[str, _Turns] = {}
        self._quick: OrderedDict[Path, bool] = OrderedDict()
        """Whether a file is read quickly, by what its last probe took."""
        self._ids = itertools.count(1)

    async def __aenter__(self) -> Self:
        for pool in (self._probing, self._playing, self._slow):
            pool.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(pool.stop() for pool in (self._probing, self._playing, self._slow)))

    async def probe(self, path: Path, holder: str = "") -> AudioInfo:
        """Return the sample rate, channels and duration of the file at ``path``. The duration is exact, but within
        20 ms for WebM, which keeps time in milliseconds.

        :param holder: the caller; each has one probe at a time, so that nobody keeps the others waiting.
        :raises AudioError: it is not a sound that can be played: ``NotAudio``, ``UnsupportedFormat``,
            ``TruncatedAudio``, ``DamagedAudio`` or ``AudioTooLong``.
        :raises DecodersBusy: too many probes of the caller wait, or no decoder process can be run.
        """
        turns = self._turns.setdefault(holder, _Turns())
        try:
            async with turns.turn():
                with span("probe"):
                    answer = await self._probe(path)
        finally:
            if not turns.taken:
                self._turns.pop(holder, None)
        info = AudioInfo(answer["rate"], answer["channels"], answer["frames"] / answer["rate"])
        check_duration(info, self._max_duration)
        self._note(path, answer["seconds"])
        return info

    async def _probe(self, path: Path) -> dict[str, Any]:
        avoid: set[DecoderProcess] = set()
        lost = 0
        while lost < _TRIES:
            process, patience = self._probing.choose(avoid)
            try:
                answer, _ = await process.ask({"op": "probe"}, patience, path)
            except ProcessBusy:
                avoid.add(process)
            except ProcessLost:
                lost += 1
            else:
                return answer
        raise _no_process()

    @contextlib.asynccontextmanager
    async def open(self, path: Path, info: AudioInfo, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """Open the file at ``path`` and iterate over its blocks: mono, in its own rate.

        :param info: the result of :meth:`probe` for ``path``.
        :param offset: seconds; the position of the first block.
        :raises AudioError: (from the iterator) it cannot be decoded any further.
        :raises DecodersBusy: (from the iterator) no decoder process can be run.
        """
        sound = _Sound(self._pool_for, self._note, self._ids, path, info, round(offset * info.sample_rate))
        try:
            with span("decode"):
                yield sound.blocks()
        finally:
            sound.close()

    def _pool_for(self, path: Path) -> _Pool:
        """A file that was not probed in this process may be slow."""
        return self._playing if self._quick.get(path, False) else self._slow

    def _note(self, path: Path, seconds: float) -> None:
        """Remember how much processor time a request for ``path`` took."""
        quick = seconds < SLOW
        if path in self._quick:
            quick &= self._quick.pop(path)
        self._quick[path] = quick
        if len(self._quick) > _REMEMBERED:
            self._quick.popitem(last=False)


class _Turns:
    """The probes of one caller: one at a time."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self.taken = 0
        """Probes that run or wait."""

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """:raises DecodersBusy: too many wait, or it waited for too long."""
        if self.taken > MOST_WAITING:
            raise DecodersBusy("Too many sounds of yours are being looked at: send this one again in a moment.")
        self.taken += 1
        try:
            try:
                async with asyncio.timeout(TURN_WITHIN):
                    await self._lock.acquire()
            except TimeoutError:
                raise DecodersBusy("Sounds of yours take long to look at: send this one again in a moment.") from None
            try:
                yield
            finally:
                self._lock.release()
        finally:
            self.taken -= 1


class _Pool:
    """Processes that take one kind of request.

    :param role: shown in the list of processes; those that play go before the others in processor time.
    :param keep: one stays running.
    """

    def __init__(self, role: Role, limit: int, *, keep: bool) -> None:
        self._role: Role = role
        self._limit = limit
        self._keep = keep
        self._processes: list[DecoderProcess] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False

    def start(self) -> None:
        self._open = True
        if self._keep:
            self._add()

    async def stop(self) -> None:
        self._open = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def choose(self, avoid: set[DecoderProcess]) -> tuple[DecoderProcess, float | None]:
        """Choose a process that is not in ``avoid``, and the seconds to wait for it; None: as long as it takes, since
        there is no other."""
        if not self._open:
            raise RuntimeError("the decoders are not open: use them inside their `async with`")
        running = [process for process in self._processes if process.alive]
        may_add = len(running) < self._limit
        ready = [process for process in running if process.was_ready]
        fresh = [process for process in ready or running if process not in avoid]
        if fresh:
            last = not may_add and len(fresh) == 1 and len(running) == len(ready or running)
            return min(fresh, key=DecoderProcess.load), None if last else _PATIENCE
        if may_add:
            running.append(self._add())
        if ready:  # one that starts takes long on a busy machine: the others are asked again until it is there
            starts = len(running) > len(ready)
            return min(ready, key=DecoderProcess.load), _PATIENCE if starts else None
        return min(running, key=DecoderProcess.load), None

    def _add(self) -> DecoderProcess:
        process = DecoderProcess(self._may_end, self._role)
        self._processes.append(process)
        task = asyncio.create_task(process.run(), name="decoder process")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._ended(process))
        return process

    def _may_end(self, process: DecoderProcess) -> bool:
        others = any(other is not process and other.alive for other in self._processes)
        return not process.sounds and (others or not self._keep)

    def _ended(self, process: DecoderProcess) -> None:
        self._processes.remove(process)
        if self._open and self._keep and process.was_ready and not self._processes:
            self._add()  # keep one running; after a failed start the next request tries again


class _Sound:
    """One open sound; it moves to another process if its own ends or is busy."""

    def __init__(
        self,
        pool_for: Callable[[Path], _Pool],
        note: Callable[[Path, float], None],
        ids: itertools.count[int],
        path: Path,
        info: AudioInfo,
        frame: int,
    ) -> None:
        self._pool_for, self._note, self._ids = pool_for, note, ids
        self._path, self._info, self._frame = path, info, frame
        self._process: DecoderProcess | None = None
        self._pool: _Pool | None = None
        self._id = 0

    async def blocks(self) -> AsyncIterator[Pcm]:
        seconds = FIRST_BLOCK
        while True:
            count = min(round(seconds * self._info.sample_rate), MAX_BLOCK // self._info.num_channels)
            frames, payload = await self._read(max(count, 1))
            if not frames:
                return
            self._frame += frames
            yield Pcm.from_bytes(payload, self._info.sample_rate)
            seconds = BLOCK

    def close(self) -> None:
        if self._process is not None:
            self._process.close_sound(self._id)
            self._process = None

    async def _read(self, count: int) -> tuple[int, bytes]:
        avoid: set[DecoderProcess] = set()
        lost = 0
        while lost < _TRIES:
            path = None
            if self._process is None:
                path = self._path
                self._pool = self._pool_for(self._path)
                self._process, patience = self._pool.choose(avoid)
                self._id = next(self._ids)
                self._process.sounds.add(self._id)
                request = {"op": "open", "id": self._id, "frame": self._frame, "count": count}
            else:
                patience = _PATIENCE
                request = {"op": "read", "id": self._id, "count": count}
            try:
                answer, payload = await self._process.ask(request, patience, path)
                self._note(self._path, answer["seconds"])
                if self._pool_for(self._path) is not self._pool:
                    self.close()  # it goes on where it keeps nobody waiting
                return answer["frames"], payload
            except ProcessBusy:
                avoid.add(self._process)
                self.close()
            except ProcessLost:
                lost += 1
                self.close()
        raise _no_process()


def _no_process() -> DecodersBusy:
    return DecodersBusy("No decoder process is free or stays up on this machine: try again in a moment.")
