"""Files of any supported format → blocks of :class:`Pcm`, decoded in separate processes.

``Decoders`` keeps one process of ``mouthpiece.audio.decoder`` running (a start costs 140–180 ms) and starts more, up to
a bound, when those are busy. A process serves many sounds in turn, one request at a time. The request that crashes or
hangs it fails with :class:`DamagedAudio`; other sounds that were open there continue in another process from the frame
where they were, unnoticed by their readers. A block is decoded when it is asked for: only one is held at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mouthpiece.audio.decoder_process import DecoderProcess, ProcessBusy, ProcessLost
from mouthpiece.audio.limits import check_duration
from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import MouthpieceError
from mouthpiece.segments import AudioInfo

FIRST_BLOCK: Final = 0.25
"""Seconds; the first block is short, so that playing can begin."""
BLOCK: Final = 1.0
"""Seconds of each further block."""
MAX_BLOCK: Final = 1 << 18
"""Samples of a block at most, all channels together."""

_PATIENCE: Final = 0.1
"""Seconds that a request waits for a process that is busy, before it goes to another process."""
_TRIES: Final = 4
"""Processes that a request is sent to at most."""


class Decoders:
    """The decoder processes of one service or command; ``async with`` starts and ends them.

    :param processes: the most that run at a time.
    :param max_duration: seconds; :meth:`probe` refuses a longer sound. None: any length.
    """

    def __init__(self, *, processes: int = 2, max_duration: float | None = None) -> None:
        self._limit = processes
        self._max_duration = max_duration
        self._processes: list[DecoderProcess] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids = itertools.count(1)
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        self._add()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def probe(self, path: Path) -> AudioInfo:
        """Return the sample rate, channels and duration of the file at ``path``. The duration is exact, but within
        20 ms for WebM, which keeps time in milliseconds.

        :raises AudioError: it is not a sound that can be played: ``NotAudio``, ``UnsupportedFormat``,
            ``TruncatedAudio``, ``DamagedAudio`` or ``AudioTooLong``.
        :raises MouthpieceError: no decoder process can be run.
        """
        avoid: set[DecoderProcess] = set()
        for _ in range(_TRIES):
            process, patience = self._choose(avoid)
            try:
                answer, _ = await process.ask({"op": "probe"}, patience, path)
            except ProcessBusy:
                avoid.add(process)
            except ProcessLost:
                pass
            else:
                info = AudioInfo(answer["rate"], answer["channels"], answer["frames"] / answer["rate"])
                check_duration(info, self._max_duration)
                return info
        raise _no_process()

    @contextlib.asynccontextmanager
    async def open(self, path: Path, info: AudioInfo, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """Open the file at ``path`` and iterate over its blocks: mono, in its own rate.

        :param info: the result of :meth:`probe` for ``path``.
        :param offset: seconds; the position of the first block.
        :raises AudioError: (from the iterator) it cannot be decoded any further.
        :raises MouthpieceError: (from the iterator) no decoder process can be run.
        """
        sound = _Sound(self._choose, self._ids, path, info, round(offset * info.sample_rate))
        try:
            yield sound.blocks()
        finally:
            sound.close()

    def _choose(self, avoid: set[DecoderProcess]) -> tuple[DecoderProcess, float | None]:
        """Choose a process that is not in ``avoid``, and the seconds to wait for it; None: as long as it takes, since
        there is no other."""
        if not self._open:
            raise RuntimeError("the decoders are not open: use them inside their `async with`")
        running = [process for process in self._processes if process.alive]
        may_add = len(running) < self._limit
        fresh = [process for process in running if process not in avoid]
        if fresh:
            last = not may_add and len(fresh) == 1
            return min(fresh, key=DecoderProcess.load), None if last else _PATIENCE
        return (self._add() if may_add else min(running, key=DecoderProcess.load)), None

    def _add(self) -> DecoderProcess:
        process = DecoderProcess(self._may_end)
        self._processes.append(process)
        task = asyncio.create_task(process.run(), name="decoder process")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._ended(process))
        return process

    def _may_end(self, process: DecoderProcess) -> bool:
        return not process.sounds and any(other is not process and other.alive for other in self._processes)

    def _ended(self, process: DecoderProcess) -> None:
        self._processes.remove(process)
        if self._open and process.was_ready and not self._processes:
            self._add()  # keep one running; after a failed start the next request tries again


class _Sound:
    """One open sound; it moves to another process if its own ends or is busy."""

    def __init__(
        self,
        choose: Callable[[set[DecoderProcess]], tuple[DecoderProcess, float | None]],
        ids: itertools.count[int],
        path: Path,
        info: AudioInfo,
        frame: int,
    ) -> None:
        self._choose, self._ids = choose, ids
        self._path, self._info, self._frame = path, info, frame
        self._process: DecoderProcess | None = None
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
        for _ in range(_TRIES):
            path = None
            if self._process is None:
                path = self._path
                self._process, patience = self._choose(avoid)
                self._id = next(self._ids)
                self._process.sounds.add(self._id)
                request = {"op": "open", "id": self._id, "frame": self._frame, "count": count}
            else:
                patience = _PATIENCE
                request = {"op": "read", "id": self._id, "count": count}
            try:
                answer, payload = await self._process.ask(request, patience, path)
                return answer["frames"], payload
            except ProcessBusy:
                avoid.add(self._process)
                self.close()
            except ProcessLost:
                self.close()
        raise _no_process()


def _no_process() -> MouthpieceError:
    return MouthpieceError("No decoder process stays up on this machine: sound cannot be read.")
