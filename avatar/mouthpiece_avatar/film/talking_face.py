"""A face that says a whole sound, picture by picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.face.animator import FPS, FaceAnimator
from mouthpiece_avatar.face.compositor import Compositor, Face
from mouthpiece_avatar.face.i420 import Bytes
from mouthpiece_avatar.film.sound import RATE
from mouthpiece_avatar.lips.mouth import AT_REST, Mouth, mouths


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One picture."""

    at: float
    """Seconds of the sound at which it is shown."""
    mouth: Mouth
    i420: Bytes
    """Drawn over by the next one."""


class TalkingFace:
    """Says one sound; the same sound and seed give the same pictures."""

    def __init__(self, face: Face, sound: Samples, *, seed: int = 1) -> None:
        """:param sound: mono at ``RATE``."""
        self._compositor = Compositor(face)
        self._seed = seed
        self._sound = sound
        self.width, self.height = self._compositor.width, self._compositor.height
        self.pictures = math.ceil(len(sound) * FPS / RATE)
        """How many there are: the last one may outlast the sound."""

    def show(self) -> Iterator[Shown]:
        """Yield the pictures, ``FPS`` a second."""
        animator = FaceAnimator(self._seed)
        said = mouths(self._sound, RATE, FPS)
        for number in range(self.pictures):
            mouth = said[number] if number < len(said) else AT_REST
            yield Shown(number / FPS, mouth, self._compositor.compose(animator.step(mouth)))
