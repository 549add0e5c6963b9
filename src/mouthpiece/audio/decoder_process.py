"""The parent's side of a decoder process: starts it, sends requests and reads answers one at a time, and ends it.

One request at a time: so it is known which request crashed or hung the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from mouthpiece import errors
from mouthpiece.errors import AudioError, DamagedAudio, MouthpieceError, NotAudio

logger = logging.getLogger(__name__)

START_TIMEOUT: Final = 20.0
"""Seconds."""
BEGIN_TIMEOUT: Final = 12.0
"""Seconds until the process has begun a request."""
ANSWER_TIMEOUT: Final = 12.0
"""Seconds; the decoder ends itself after 10 (``decoder.SECONDS_A_REQUEST``)."""
IDLE_TIMEOUT: Final = 30.0
"""Seconds without a request after which a process may end."""
INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""The environment variables that a decoder gets: none holds a secret."""


Role = Literal["probing", "playing", "slow"]


class ProcessLost(Exception):
    """The process ended before it began this request."""


class ProcessBusy(Exception):
    """Earlier requests kept the process busy for longer than this request would wait."""


@dataclass(slots=True)
class _Request:
    message: Mapping[str, Any]
    answer: asyncio.Future[tuple[dict[str, Any], bytes]] | None
    """None: no answer is awaited."""
    path: Path | None = None
    """The file that is sent along, open."""
    begun: bool = False
    """The process has said so."""


class DecoderProcess:
    """One decoder process. Its owner runs :meth:`run` in a task, which sends it one request at a time.

    :param may_end: called when it has been idle for ``IDLE_TIMEOUT``; True ends it.
    :param role: what it is asked to do.
    """

    def __init__(self, may_end: Callable[[DecoderProcess], bool], role: Role = "playing") -> None:
        self._may_end = may_end
        self._role: Role = role
        self._requests: asyncio.Queue[_Request | None] = asyncio.Queue()  # None: the process has ended
        self._current: _Request | None = None
        self.sounds: set[int] = set()
        """Ids of the sounds that are open in it."""
        self.alive = True
        """It takes requests: it starts or runs."""
        self.was_ready = False
        """It has started."""
        self._started_or_ended = asyncio.Event()

    def load(self) -> int:
        """The number of requests that it has not answered yet."""
        return self._requests.qsize() + (self._current is not None)

    async def ask(
        self, message: Mapping[str, Any], patience: float | None, path: Path | None = None
    ) -> tuple[dict[str, Any], bytes]:
        """Send ``message``; return the header and the payload of the answer.

        :param path: the file that is sent along.
        :param patience: seconds to wait for earlier requests; None: as long as they take. The start of a process does
            not count: another process would not be ready sooner.
        :raises AudioError: the decoder reported it, the file cannot be opened, or the process ended during this
            request.
        :raises ProcessLost: the process ended before it began this request.
        :raises ProcessBusy: it did not begin this request in time.
        """
        if not self.alive:
            raise ProcessLost
        request = _Request(message, asyncio.get_running_loop().create_future(), path)
        assert request.answer is not None
        self._requests.put_nowait(request)
        try:
            if patience is not None:
                await self._started_or_ended.wait()
                await asyncio.wait({request.answer}, timeout=patience)
                if not request.answer.done() and not request.begun:
                    raise ProcessBusy
            return await request.answer
        finally:
            request.answer.cancel()  # if the caller was cancelled; has no effect on an answer that arrived

    def close_sound(self, sound: int) -> None:
        """Close the sound with the id ``sound``, without waiting for that."""
        self.sounds.discard(sound)
        if self.alive:
            self._requests.put_nowait(_Request({"op": "close", "id": sound}, None))

    async def run(self) -> None:
        """Start the process, send it the requests, and end it. Cancelling this ends the process."""
        process: asyncio.subprocess.Process | None = None
        files, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        watch: asyncio.Task[None] | None = None
        try:
            with theirs:
                process = await _start(theirs, self._role)
            async with asyncio.timeout(START_TIMEOUT):
                header, _ = await _receive(process)
            _say_once(header["lacking"])
            self.was_ready = True
            self._started_or_ended.set()
            watch = asyncio.create_task(self._watch(process))
            while request := await self._next_request():
                if not await self._exchange(process, request, files):
                    break
        except (OSError, EOFError, TimeoutError):  # TimeoutError is an OSError; named because it is meant
            pass
        finally:
            self.alive = False
            self._started_or_ended.set()
            self._fail_requests()
            if watch is not None:
                watch.cancel()
            files.close()
            if process is not None:
                await _end(process)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Notice that an idle process has ended, so that the next request is not blamed for it."""
        await process.wait()
        self._requests.put_nowait(None)

    async def _next_request(self) -> _Request | None:
        """Wait for a request; None: the process has ended, or is idle and may end."""
        while True:
            try:
                async with asyncio.timeout(IDLE_TIMEOUT):
                    request = await self._requests.get()
            except TimeoutError:
                if self._may_end(self):
                    return None
                continue
            if request is None or request.answer is None or not request.answer.done():
                return request

    async def _exchange(self, process: asyncio.subprocess.Process, request: _Request, files: socket.socket) -> bool:
        """Send ``request`` and settle it; False: it was the process's last one."""
        self._current = request
        if request.path is not None:
            try:
                await asyncio.to_thread(_send_file, files, request.path)
            except (FileNotFoundError, IsADirectoryError) as error:
                _fail(request, NotAudio(f"It cannot be read: {error.strerror}."))
                return True
            except (BrokenPipeError, ConnectionResetError):
                return False  # the process has ended
            except OSError as error:
                _fail(request, MouthpieceError(f"The stored sound cannot be opened: {error.strerror}."))
                return True
        assert process.stdin is not None
        process.stdin.write(json.dumps(request.message).encode() + b"\n")
        async with asyncio.timeout(BEGIN_TIMEOUT):
            await _receive(process)
        request.begun = True
        async with asyncio.timeout(ANSWER_TIMEOUT):
            header, payload = await _receive(process)
        self._current = None
        if request.answer is not None and not request.answer.done():
            if "error" in header:
                request.answer.set_exception(_error_of(header))
            else:
                request.answer.set_result((header, payload))
        return not header.get("last", False)

    def _fail_requests(self) -> None:
        """Blame the request that the process had begun for its end; others may be sent to another process."""
        if (current := self._current) is not None and current.answer is not None and not current.answer.done():
            damaged = DamagedAudio(
                "The decoder crashed or got stuck over this sound: it is damaged, or made to do harm."
            )
            current.answer.set_exception(damaged if current.begun else ProcessLost())
        while not self._requests.empty():
            waiting = self._requests.get_nowait()
            if waiting is not None and waiting.answer is not None and not waiting.answer.done():
                waiting.answer.set_exception(ProcessLost())


def _fail(request: _Request, error: MouthpieceError) -> None:
    if request.answer is not None and not request.answer.done():
        request.answer.set_exception(error)


def _send_file(files: socket.socket, path: Path) -> None:
    """Blocks: run it in a thread."""
    with path.open("rb", buffering=0) as file:
        socket.send_fds(files, [b"f"], [file.fileno()])


_said: set[str] = set()


def _say_once(lacking: list[str]) -> None:
    """Log the means of confinement that this kernel lacks."""
    if new := [one for one in lacking if one not in _said]:
        _said.update(new)
        logger.warning("this kernel lacks %s: decoders are confined less tightly", " and ".join(new))


async def _start(files: socket.socket, role: Role) -> asyncio.subprocess.Process:
    environment = {name: value for name in INHERITED if (value := os.environ.get(name)) is not None}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "mouthpiece.audio.decoder", str(files.fileno()), role),
        pass_fds=(files.fileno(),),
        cwd="/",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # codecs report every odd frame there
        env=environment | {"OPENBLAS_NUM_THREADS": "1"},
        limit=1 << 20,
        start_new_session=True,  # Ctrl-C goes to this process alone, which ends the decoder
    )


async def _receive(process: asyncio.subprocess.Process) -> tuple[dict[str, Any], bytes]:
    """Read one answer: its header and payload.

    :raises EOFError: the process has ended.
    """
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    return header, await process.stdout.readexactly(header["bytes"]) if header["bytes"] else b""


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill ``process`` and wait until it and its pipes have ended, even if this is cancelled meanwhile: a transport
    that is left open is reported once its loop has gone."""
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        process.kill()  # it has no state to save
    ending = asyncio.create_task(process.communicate(), name="end of a decoder process")
    cancelled = False
    while not ending.done():
        try:
            await asyncio.wait({ending})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


def _error_of(header: Mapping[str, Any]) -> AudioError:
    kind: type[AudioError] = getattr(errors, header["error"])
    return kind(header["detail"])
