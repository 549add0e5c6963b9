"""Push and drain: sound in as it comes, pictures out at a steady rate, as bitHuman's SDKs do it.

Source of the shape: bitHuman, "Audio streaming" (the canonical loop, the audio and the frame format).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FPS = 25
"""Frames a second, where a runtime does not say otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """The sound that belongs to one frame; or, in a ``VideoControl``, sound to push."""

    data: npt.NDArray[np.int16]
    """Mono."""
    sample_rate: int
    """Hertz."""
    last_chunk: bool = True
    """Of sound to push: the turn ends with it."""

    @property
    def array(self) -> npt.NDArray[np.int16]:
        return self.data

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
    """What is seen and heard for ``1 / fps`` seconds."""

    bgr_image: npt.NDArray[np.uint8] | None
    """(height, width, 3)."""
    audio_chunk: AudioChunk
    """As long as the frame; silence in a filler."""
    end_of_speech: bool = False
    """The last frame of a turn, ended or interrupted."""
    frame_index: int | None = None
    """Of a frame of a turn, from 0; None in a filler."""
    source_message_id: Hashable | None = None
    """The ``message_id`` with which the first of its sound was pushed."""

    @property
    def rgb_image(self) -> npt.NDArray[np.uint8] | None:
        """(height, width, 3)."""
        return None if self.bgr_image is None else self.bgr_image[..., ::-1]

    @property
    def has_image(self) -> bool:
        """False for the fillers between turns."""
        return self.bgr_image is not None


class Runtime(Protocol):
    """Draws a face to the sound that is pushed. A turn is what is pushed up to a flush or a ``last_chunk``."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its pictures in pixels; a runtime may yet draw others."""

    @property
    def fps(self) -> int:
        """Frames a second."""

    async def push_audio(
        self, audio: bytes, sample_rate: int, last_chunk: bool = False, *, message_id: Hashable | None = None
    ) -> None:
        """Take int16 mono sound of any rate and size; never waits.

        :param message_id: comes back in the frames of this sound.
        :raises QueueFull: half an hour of sound waits already; nothing of ``audio`` was taken.
        :raises ValueError: ``sample_rate`` is not positive.
        """

    async def flush(self) -> None:
        """End the turn: what is left of it is padded with silence to a whole frame."""

    def interrupt(self) -> None:
        """Drop what was not drained yet, and end the turn."""

    def run(self) -> AsyncIterator[Frame]:
        """Yield ``fps`` frames a second until ``stop``, whatever the pushes do; the first one comes at once."""

    async def stop(self) -> None:
        """End ``run``, and release what the runtime holds; more than once does no harm."""
