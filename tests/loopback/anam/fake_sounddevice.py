"""A fake sounddevice for machines without speakers: writes the sound to ``heard.raw`` beside it, in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FRAMES = 480


class PortAudioError(Exception):
    pass


class RawOutputStream:
    def __init__(
        self, *, samplerate: int, channels: int, dtype: str, callback: Callable[[Any, int, Any, Any], None]
    ) -> None:
        assert (samplerate, channels, dtype) == (48_000, 2, "int16")
        self._callback = callback
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _play(self) -> None:
        due = time.monotonic()
        with Path(__file__).with_name("heard.raw").open("wb") as file:
            while not self._stopping.is_set():
                out = bytearray(FRAMES * 4)
                self._callback(memoryview(out), FRAMES, None, None)
                file.write(out)
                due += FRAMES / 48_000
                time.sleep(max(0.0, due - time.monotonic()))
