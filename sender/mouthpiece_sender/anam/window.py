"""``python -m mouthpiece_sender.anam.window``: shows and plays the frames on standard input (``viewer.HEADER``).

Prints one word per line on standard output: a key of ``viewer.MESSAGES`` for each thing that the machine lacks, and
``quit`` when the user has pressed q or closed the window. Ends when its input ends.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections import deque
from typing import Any, BinaryIO, Final

import numpy as np

from mouthpiece_sender.anam.viewer import HEADER

TITLE: Final = "Anam"
SAMPLE_RATE: Final = 48_000
BUFFER: Final = 4_800
"""Audio frames that are collected before playback starts: 100 ms, to absorb the network's jitter."""
MAX_BUFFER: Final = 24_000
"""Audio frames that may wait; beyond that the oldest are dropped."""
POLL: Final = 15
"""Milliseconds between checks for a key and for a new picture."""


class Input:
    """Reads standard input in a thread; holds the newest picture and the sound that waits."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.picture: Any = None
        self.sound: deque[bytes] = deque()
        self.waiting = 0
        self.ended = threading.Event()
        self.lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while len(header := self._source.read(HEADER.size)) == HEADER.size:
            kind, width, height, size = HEADER.unpack(header)
            body = self._source.read(size)
            if len(body) < size:
                break
            if kind == b"V":
                self.picture = np.frombuffer(body, np.uint8).reshape(height, width, 3)
            else:
                self._keep(body)
        self.ended.set()

    def _keep(self, block: bytes) -> None:
        with self.lock:
            self.sound.append(block)
            self.waiting += len(block) // 4
            while self.waiting > MAX_BUFFER:
                self.waiting -= len(self.sound.popleft()) // 4


class Speakers:
    """The callback of a sounddevice stream: plays the sound that waits, and silence if there is none."""

    def __init__(self, source: Input) -> None:
        self._source = source
        self._rest = b""
        self._primed = False

    def fill(self, out: Any, frames: int, _time: Any, _status: Any) -> None:
        need = frames * 4
        with self._source.lock:
            self._primed = self._primed or self._source.waiting >= BUFFER
            while self._primed and len(self._rest) < need and self._source.sound:
                block = self._source.sound.popleft()
                self._source.waiting -= len(block) // 4
                self._rest += block
        data, self._rest = self._rest[:need], self._rest[need:]
        self._primed = self._primed and len(data) == need
        out[:] = data + bytes(need - len(data))


def speakers(source: Input) -> Any:
    """Start a stream that plays and return it; print why and return None if there is no way to play."""
    try:
        sounddevice = importlib.import_module("sounddevice")
    except ModuleNotFoundError:
        report("no-sounddevice")
        return None
    except OSError:  # its library is missing
        report("no-speakers")
        return None
    try:
        stream = sounddevice.RawOutputStream(
            samplerate=SAMPLE_RATE, channels=2, dtype="int16", callback=Speakers(source).fill
        )
        stream.start()
    except sounddevice.PortAudioError:
        report("no-speakers")
        return None
    return stream


def opencv() -> Any:
    """Import and return OpenCV; print why and return None if it cannot draw a window."""
    try:
        cv2 = importlib.import_module("cv2")
    except ModuleNotFoundError:
        report("no-opencv")
        return None
    except ImportError:
        report("no-libraries")
        return None
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        report("no-display")  # Qt would abort the process
        return None
    return cv2


def report(word: str) -> None:
    """Print a line for the parent process."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main() -> None:
    """Show and play frames until standard input ends."""
    source = Input(sys.stdin.buffer)
    source.start()
    stream = speakers(source)
    cv2 = opencv()
    if cv2 is None:
        source.ended.wait()
    else:
        try:
            ended = show(cv2, source)
        except cv2.error:
            report("no-window")
            source.ended.wait()
        else:
            if not ended:
                report("quit")
    if stream is not None:
        stream.stop()


def show(cv2: Any, source: Input) -> bool:
    """Show pictures; return True when the input has ended, False when the user has closed the window or pressed q."""
    opened = False
    while not source.ended.is_set():
        picture, source.picture = source.picture, None
        if picture is not None:
            if not opened:
                cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
                opened = True
            cv2.imshow(TITLE, picture)
        if not opened:
            source.ended.wait(POLL / 1000)
            continue
        if cv2.waitKey(POLL) & 0xFF == ord("q"):
            return False
        if cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            return False
    return True


if __name__ == "__main__":
    main()
