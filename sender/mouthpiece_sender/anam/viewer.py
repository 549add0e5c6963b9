"""Shows the avatar in a window and plays its sound, in a process of its own that is fed through a pipe.

The window needs a main thread (macOS requires it), and this process's runs the session. And Qt, which draws OpenCV's
windows, aborts its process if it finds no display.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import struct
import sys
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from mouthpiece.extras import needs

HEADER: Final = struct.Struct("<cHHI")
"""Kind (``V``, ``A``), width, height, bytes that follow: BGR of 8 bits, or s16le, stereo, 48 kHz."""
MAX_SOUND: Final = 100
"""Blocks of 20 ms that may wait for the pipe; then the oldest are dropped. Of pictures only the newest waits."""
END_TIMEOUT: Final = 2.0
PASSED_ON: Final = re.compile(
    "PATH|HOME|LANG|LC_.*|TERM|TMPDIR|TEMP|TMP|SYSTEMROOT|LD_LIBRARY_PATH|PYTHON.*|VIRTUAL_ENV"
    "|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_.*|DBUS_SESSION_BUS_ADDRESS|(PULSE|ALSA|SDL|QT|OPENCV)_.*"
)
"""The environment variables that the window's process gets: those that a window and speakers need, and no key."""

MESSAGES: Final = {
    "no-opencv": f"no window: OpenCV is not installed. {needs('The window', 'view')} Going on without it.",
    "no-libraries": "no window: OpenCV lacks libraries of the system (Debian, Ubuntu: apt install libgl1 libglib2.0-0 "
    "libsm6 libxext6); going on without it.",
    "no-display": "no window: there is no display here (DISPLAY is not set); going on without it.",
    "no-window": "no window: OpenCV cannot draw one, perhaps because its headless build is installed too "
    "(pip uninstall opencv-python-headless; pip install --force-reinstall opencv-python); going on without it.",
    "no-sounddevice": f"no sound: sounddevice is not installed. {needs('The sound', 'view')} Going on without it.",
    "no-speakers": "no sound: there is no sound device here, or PortAudio is missing; going on without it.",
}
"""The sentence for each word that the window's process can print."""
ENDED: Final = "the window ended: it could not be drawn on this display; going on without it."


class Viewer:
    """A ``FrameSink``. ``on_quit`` is called once when the user presses q or closes the window."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """:param report: called with a sentence about each thing that the machine lacks; none of them is an error."""
        self.on_quit: Callable[[], None] = lambda: None
        self._report = report
        self._picture: Any = None
        self._sound: deque[Any] = deque(maxlen=MAX_SOUND)
        self._news = asyncio.Event()
        self._leaving = False

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mouthpiece_sender.anam.window",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # messages of Qt and ALSA that the user cannot act on
            env={name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)},
            start_new_session=True,  # a Ctrl-C does not reach it: it ends when its input ends
        )
        self._tasks = [asyncio.create_task(self._feed()), asyncio.create_task(self._listen())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        for task in self._tasks:
            task.cancel()
        assert self._process.stdin is not None
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._process.stdin.close()
            async with asyncio.timeout(END_TIMEOUT):
                await self._process.wait()
        except TimeoutError:
            pass  # it hangs, and is killed below
        finally:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()

    def begin(self) -> None:
        pass  # every frame is shown when it arrives, whatever its clock

    def video(self, frame: Any, arrived: float) -> None:
        self._picture = frame
        self._news.set()

    def audio(self, frame: Any, arrived: float) -> None:
        self._sound.append(frame)
        self._news.set()

    async def _feed(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._sound:
                    samples = self._sound.popleft().to_ndarray().tobytes()
                    pipe.write(HEADER.pack(b"A", 0, 0, len(samples)) + samples)
                picture, self._picture = self._picture, None
                if picture is not None:
                    pixels = await asyncio.to_thread(_bgr, picture)
                    pipe.write(HEADER.pack(b"V", picture.width, picture.height, len(pixels)))
                    pipe.write(pixels)
                await pipe.drain()
        except ConnectionError:
            pass  # the process has ended; `_listen` reports why

    async def _listen(self) -> None:
        output = self._process.stdout
        assert output is not None
        while line := (await output.readline()).decode().strip():
            if line == "quit":
                self.on_quit()
                return
            if message := MESSAGES.get(line):
                self._report(message)
        if await self._process.wait() < 0 and not self._leaving:
            self._report(ENDED)


def _bgr(frame: Any) -> bytes:
    pixels: bytes = frame.to_ndarray(format="bgr24").tobytes()
    return pixels
