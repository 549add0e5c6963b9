"""The face on the pump: hears what goes into the audio source, shows what leaves it."""

from __future__ import annotations

from collections import deque

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.face.animator import Actor
from mouthpiece_avatar.face.lips import HOP, SILENT, Articulation, Lips, blend
from mouthpiece_avatar.face.paint import SIZE
from mouthpiece_avatar.face.painter import Painter
from mouthpiece_avatar.face.sprites import Sprites
from mouthpiece_avatar.renderer import Image, Mood

_SPAN = 2 * HOP
"""Samples to each side of the moment that is shown."""


class FacePerformer:
    """See :class:`mouthpiece_avatar.renderer.Performer`."""

    size = (SIZE, SIZE)

    def __init__(self, drawn: Sprites, *, seed: int = 1) -> None:
        self._painter = Painter(drawn)
        self._actor = Actor(seed)
        self._lips = Lips()
        self._heard: deque[tuple[int, Articulation]] = deque()
        """The middle of each hop, as a sample index, and what the mouth does there."""
        self._begin(0)

    def hear(self, index: int, samples: Samples) -> None:
        if index != self._end + self._rest:
            self._begin(index)
        self._rest += len(samples)
        for articulation in self._lips.push(samples):
            self._heard.append((self._end, articulation))  # its window reaches a hop to each side
            self._end += HOP
            self._rest -= HOP

    def forget(self, index: int) -> None:
        while self._heard and self._heard[-1][0] >= index:
            self._heard.pop()
        self._begin(index)

    def picture(self, index: int) -> Image:
        while self._heard and self._heard[0][0] < index - _SPAN:
            self._heard.popleft()
        shown = [articulation for at, articulation in self._heard if at <= index + _SPAN]
        return self._painter.paint(self._actor.step(blend(shown) if shown else SILENT))

    def attend(self, mood: Mood) -> None:
        self._actor.attend(mood)

    def _begin(self, index: int) -> None:
        self._lips.clear()
        self._end = index  # of the first sample whose hop is not complete
        self._rest = 0  # samples from there on
