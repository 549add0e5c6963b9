"""Push and drain: sound in as it comes, pictures out at 25 frames a second, as bitHuman's SDKs do it.

Source of the shape: bitHuman, "Audio streaming" (the canonical loop, the audio and the frame format).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FPS = 25


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """The sound that belongs to one frame."""

    array: npt.NDArray[np.int16]
    """Mono."""
    sample_rate: int
    """Hertz."""

    @property
    def bytes(self) -> bytes:
        """s16le."""
        return self.array.astype("<i2", copy=False).tobytes()

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.array) / self.sample_rate


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One twenty-fifth of a second."""

    bgr_image: npt.NDArray[np.uint8] | None
    """(height, width, 3)."""
    audio_chunk: AudioChunk
    """40 ms; silence in a filler."""
    end_of_speech: bool = False
    """The last frame of a turn, ended or interrupted."""

    @property
    def has_image(self) -> bool:
        """False for the fillers between turns."""
        return self.bgr_image is not None


class Runtime(Protocol):
    """What draws and speaks. A turn is what is pushed up to a flush or a ``last_chunk``."""

    async def push_audio(self, audio: bytes, sample_rate: int, last_chunk: bool = False) -> None:
        """Takes int16 mono sound of any rate and size; never waits.

        :raises QueueFull: half an hour of sound waits already; nothing of this was taken.
        :raises ValueError: a sample rate that is none.
        """

    async def flush(self) -> None:
        """Ends the turn: what is left of it is padded with silence to a whole frame."""

    def interrupt(self) -> None:
        """Drops what was not drained yet, and ends the turn."""

    def run(self) -> AsyncIterator[Frame]:
        """Frames at 25 a second, for ever, whatever the pushes do; the first one comes as soon as it is asked for."""

    async def stop(self) -> None:
        """Ends ``run``."""
