"""Who is looked at: the contract between the publisher and whatever draws."""

from __future__ import annotations

import enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mouthpiece.audio.pcm import Samples

Image = npt.NDArray[np.uint8]
"""BGRA, (height, width, 4), contiguous."""


class Mood(enum.Enum):
    """What the others in the room are doing, as far as the worker tells."""

    IDLE = "idle"
    ATTENTIVE = "attentive"
    """Somebody speaks to us."""
    THINKING = "thinking"
    """An answer is being made."""


class Renderer(Protocol):
    """Sample indices count everything that was put into the audio source, mono at 48 kHz."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its pictures."""

    def audio_queued(self, index: int, samples: Samples) -> None:
        """These samples were put into the source; ``index`` is that of the first."""

    def audio_cut(self, index: int) -> None:
        """What was put into the source from ``index`` on has been cut."""

    def frame(self, index: int) -> Image:
        """The next picture, for the moment at which sample ``index`` leaves the source."""

    def set_mood(self, mood: Mood) -> None:
        """What the face shows while it does not speak."""
