"""Files of any supported format → blocks of :class:`Pcm`, decoded in processes of their own.

``Decoders`` keeps one process of ``mouthpiece.audio.decoder`` warm (a start costs 140–180 ms) and starts more, up to a
bound, when those it has are held up. A process serves many sounds in turn, one request at a time: so it is known which
request crashed or hung it. That one gets the blame, as a :class:`DamagedAudio`; other sounds that were open there go on
in another process from the frame where they were, and their readers see nothing of it. Blocks are decoded as they are
asked for: nothing is held but the one block on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from mouthpiece import errors
from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import AudioError, AudioTooLong, DamagedAudio, MouthpieceError
from mouthpiece.segments import AudioInfo

FIRST_BLOCK: Final = 0.25
"""Seconds: the first one is short, so that speaking can begin."""
BLOCK: Final = 1.0
"""Seconds."""
MAX_BLOCK: Final = 1 << 18
"""Samples, all channels together."""

_START_TIMEOUT: Final = 20.0
_ANSWER_TIMEOUT: Final = 12.0
"""Seconds; the decoder ends itself after 10 (``decoder.SECONDS_A_REQUEST``)."""
_PATIENCE: Final = 0.1
"""Seconds that a request waits for a process which another request holds up, before it goes to another process."""
_IDLE: Final = 30.0
"""Seconds without a request after which a process that is not the warm one, and has nothing open, is ended."""
_TRIES: Final = 4
"""How often one request may be moved to another process."""
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""What of the environment a decoder gets to see: no secrets."""


class _Lost(Exception):
    """The process ended before it came to this request."""


class _HeldUp(Exception):
    """Other requests have kept the process busy for longer than this one would wait."""


class Decoders:
    """The decoder processes of one service or command; ``async with`` starts and ends them.

    :param processes: how many there may be at a time.
    :param max_duration: seconds; a longer sound is refused by :meth:`probe`. None: any length.
    """

    def __init__(self, *, processes: int = 2, max_duration: float | None = None) -> None:
        self._limit = processes
        self._max_duration = max_duration
        self._processes: list[_Process] = []
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
        """Rate, channels and exact length (WebM keeps time in milliseconds: within 20 ms) of the file at ``path``.

        :raises AudioError: it is not a sound that can be played: ``NotAudio``, ``UnsupportedFormat``,
            ``TruncatedAudio``, ``DamagedAudio`` or ``AudioTooLong``.
        """
        avoid: set[_Process] = set()
        for _ in range(_TRIES):
            process, patience = self._choose(avoid)
            try:
                answer, _ = await process.ask({"op": "probe", "path": str(path)}, patience)
            except _HeldUp:
                avoid.add(process)
            except _Lost:
                pass
            else:
                info = AudioInfo(answer["rate"], answer["channels"], answer["frames"] / answer["rate"])
                check_duration(info, self._max_duration)
                return info
        raise _none_runs()

    @contextlib.asynccontextmanager
    async def open(self, path: Path, info: AudioInfo, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """Blocks of the file from ``offset`` seconds on; ``info`` is what :meth:`probe` said of it.

        :raises AudioError: (from the iterator) it cannot be decoded any further.
        """
        sound = _Sound(self._choose, self._ids, path, info, round(offset * info.sample_rate))
        try:
            yield sound.blocks()
        finally:
            sound.close()

    def _choose(self, avoid: set[_Process]) -> tuple[_Process, float | None]:
        """The process to ask, and how long to wait for it: None where there would be no other."""
        if not self._open:
            raise RuntimeError("the decoders are not open: use them inside their `async with`")
        running = [process for process in self._processes if process.alive]
        may_add = len(running) < self._limit
        fresh = [process for process in running if process not in avoid]
        if fresh:
            last = not may_add and len(fresh) == 1
            return min(fresh, key=_Process.load), None if last else _PATIENCE
        return (self._add() if may_add else min(running, key=_Process.load)), None

    def _add(self) -> _Process:
        process = _Process(self._may_end)
        self._processes.append(process)
        task = asyncio.create_task(process.run(), name="decoder process")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._ended(process))
        return process

    def _may_end(self, process: _Process) -> bool:
        return not process.sounds and any(other is not process and other.alive for other in self._processes)

    def _ended(self, process: _Process) -> None:
        self._processes.remove(process)
        if self._open and process.was_ready and not self._processes:
            self._add()  # one stays warm; one that never came up is not tried again before it is needed


class _Sound:
    """One open sound, in whichever process it is open."""

    def __init__(
        self,
        choose: Callable[[set[_Process]], tuple[_Process, float | None]],
        ids: itertools.count[int],
        path: Path,
        info: AudioInfo,
        frame: int,
    ) -> None:
        self._choose, self._ids = choose, ids
        self._path, self._info, self._frame = path, info, frame
        self._process: _Process | None = None
        self._id = 0

    async def blocks(self) -> AsyncIterator[Pcm]:
        seconds = FIRST_BLOCK
        while True:
            count = min(round(seconds * self._info.sample_rate), MAX_BLOCK // self._info.num_channels)
            frames, payload = await self._read(max(count, 1))
            if not frames:
                return
            self._frame += frames
            yield Pcm.from_bytes(payload, self._info.sample_rate, self._info.num_channels)
            seconds = BLOCK

    def close(self) -> None:
        if self._process is not None:
            self._process.close_sound(self._id)
            self._process = None

    async def _read(self, count: int) -> tuple[int, bytes]:
        avoid: set[_Process] = set()
        for _ in range(_TRIES):
            if self._process is None:
                self._process, patience = self._choose(avoid)
                self._id = next(self._ids)
                self._process.sounds.add(self._id)
                request = {"op": "open", "id": self._id, "path": str(self._path), "frame": self._frame, "count": count}
            else:
                patience = _PATIENCE
                request = {"op": "read", "id": self._id, "count": count}
            try:
                answer, payload = await self._process.ask(request, patience)
                return answer["frames"], payload
            except _HeldUp:
                avoid.add(self._process)
                self.close()
            except _Lost:
                self.close()
        raise _none_runs()


@dataclass(slots=True)
class _Request:
    message: Mapping[str, Any]
    answer: asyncio.Future[tuple[dict[str, Any], bytes]] | None
    """None: nobody waits for it."""
    begun: bool = False


class _Process:
    """One decoder process; :meth:`run` is the task that carries requests to it, one at a time."""

    def __init__(self, may_end: Callable[[_Process], bool]) -> None:
        self._may_end = may_end
        self._requests: asyncio.Queue[_Request | None] = asyncio.Queue()  # None: the process has ended
        self._current: _Request | None = None
        self.sounds: set[int] = set()
        """Ids of what is open in it."""
        self.alive = True
        self.was_ready = False
        self._up_or_over = asyncio.Event()

    def load(self) -> int:
        """Requests that it has to answer."""
        return self._requests.qsize() + (self._current is not None)

    async def ask(self, message: Mapping[str, Any], patience: float | None) -> tuple[dict[str, Any], bytes]:
        """The answer and its payload.

        :param patience: seconds to wait for the requests before this one; None: for as long as they take. A process
            that starts is waited for: another one would not be there sooner.
        :raises AudioError: the decoder says so, or ended over this request.
        :raises _Lost: it ended before it came to this request.
        :raises _HeldUp: it did not come to this request in time.
        """
        if not self.alive:
            raise _Lost
        request = _Request(message, asyncio.get_running_loop().create_future())
        assert request.answer is not None
        self._requests.put_nowait(request)
        try:
            if patience is not None:
                await self._up_or_over.wait()
                await asyncio.wait({request.answer}, timeout=patience)
                if not request.answer.done() and not request.begun:
                    raise _HeldUp
            return await request.answer
        finally:
            request.answer.cancel()  # where nobody waits any more; no effect on one that is there

    def close_sound(self, sound: int) -> None:
        self.sounds.discard(sound)
        if self.alive:
            self._requests.put_nowait(_Request({"op": "close", "id": sound}, None))

    async def run(self) -> None:
        process: asyncio.subprocess.Process | None = None
        watch: asyncio.Task[None] | None = None
        try:
            process = await _start()
            async with asyncio.timeout(_START_TIMEOUT):
                await _receive(process)
            self.was_ready = True
            self._up_or_over.set()
            watch = asyncio.create_task(self._watch(process))
            while request := await self._next_request():
                await self._exchange(process, request)
        except (OSError, EOFError, TimeoutError):  # TimeoutError is an OSError; named because it is meant
            pass
        finally:
            self.alive = False
            self._up_or_over.set()
            self._give_up()
            if watch is not None:
                watch.cancel()
            if process is not None:
                await _end(process)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Notices the end of a process that nothing is asked of: who asks next must not get the blame."""
        await process.wait()
        self._requests.put_nowait(None)

    async def _next_request(self) -> _Request | None:
        """None: the process has ended, or none came for a while and it is not the warm one."""
        while True:
            try:
                async with asyncio.timeout(_IDLE):
                    request = await self._requests.get()
            except TimeoutError:
                if self._may_end(self):
                    return None
                continue
            if request is None or request.answer is None or not request.answer.done():
                return request

    async def _exchange(self, process: asyncio.subprocess.Process, request: _Request) -> None:
        self._current, request.begun = request, True
        assert process.stdin is not None
        process.stdin.write(json.dumps(request.message).encode() + b"\n")
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            header, payload = await _receive(process)
        self._current = None
        if request.answer is not None and not request.answer.done():
            if "error" in header:
                request.answer.set_exception(_error(header))
            else:
                request.answer.set_result((header, payload))

    def _give_up(self) -> None:
        """The request at hand gets the blame for the end, those behind it may be asked elsewhere."""
        if (current := self._current) is not None and current.answer is not None and not current.answer.done():
            current.answer.set_exception(
                DamagedAudio("The decoder crashed or got stuck over this sound: it is damaged, or made to do harm.")
            )
        while not self._requests.empty():
            waiting = self._requests.get_nowait()
            if waiting is not None and waiting.answer is not None and not waiting.answer.done():
                waiting.answer.set_exception(_Lost())


def check_duration(info: AudioInfo, limit: float | None) -> None:
    """:raises AudioTooLong: it is longer than ``limit`` seconds."""
    if limit is not None and info.duration is not None and info.duration > limit:
        raise AudioTooLong(f"The sound is {info.duration:.0f} s long, at most {limit:.0f} s are taken.")


async def _start() -> asyncio.subprocess.Process:
    environment = {name: value for name in _PASSED_ON if (value := os.environ.get(name)) is not None}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "mouthpiece.audio.decoder"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # codecs complain there about every odd frame
        env=environment | {"OPENBLAS_NUM_THREADS": "1"},
        limit=1 << 20,
        start_new_session=True,  # a Ctrl-C at the terminal is for us, who close what is open first
    )


async def _receive(process: asyncio.subprocess.Process) -> tuple[dict[str, Any], bytes]:
    """:raises EOFError: it has ended."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    return header, await process.stdout.readexactly(header["bytes"]) if header["bytes"] else b""


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        process.kill()  # it keeps nothing
    await process.wait()


def _error(header: Mapping[str, Any]) -> AudioError:
    kind: type[AudioError] = getattr(errors, header["error"])
    return kind(header["detail"])


def _none_runs() -> MouthpieceError:
    return MouthpieceError("No decoder process stays up on this machine: sound cannot be read.")
