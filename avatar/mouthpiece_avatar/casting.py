"""Who plays an avatar."""

from __future__ import annotations

import numpy as np

from mouthpiece.pcm import Samples
from mouthpiece_avatar.pump import Image, Performer


class Casting:
    def __init__(self, face: str) -> None:
        self._face = face

    def warm(self) -> None:
        pass

    def __call__(self, avatar: str) -> Performer:
        return _Placeholder()


class _Placeholder:
    size = (512, 512)

    def __init__(self) -> None:
        self._canvas = np.full((512, 512, 4), 200, np.uint8)

    def hear(self, index: int, samples: Samples) -> None:
        pass

    def forget(self, index: int) -> None:
        pass

    def picture(self, index: int, speaking: bool) -> Image:
        self._canvas[300:400, 200:300] = 40 if speaking else 220
        return self._canvas
