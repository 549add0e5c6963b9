"""A renderer that costs next to nothing: a small picture of one colour, lighter while speech was queued."""

from __future__ import annotations

import numpy as np

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.renderer import BITS_PER_PIXEL, Image, Mood

SIDE = 64
"""Pixels."""


class StillPicture:
    """A :class:`mouthpiece_avatar.renderer.Renderer`."""

    def __init__(self) -> None:
        self._picture: Image = np.full((SIDE, SIDE, 4), 96, np.uint8)

    @property
    def size(self) -> tuple[int, int]:
        return SIDE, SIDE

    @property
    def bits_per_pixel(self) -> float:
        return BITS_PER_PIXEL

    @property
    def fps(self) -> int:
        return 10

    def audio_queued(self, index: int, samples: Samples, *, speech: bool) -> None:
        self._picture[:, :, :3] = 160 if speech else 96

    def audio_cut(self, index: int) -> None:
        pass

    def frame(self, index: int) -> Image:
        return self._picture

    def set_mood(self, mood: Mood) -> None:
        pass

    async def run(self) -> None:
        pass

    async def aclose(self) -> None:
        pass
