"""The face on the publisher: hears what goes into the audio source, shows what leaves it."""

from __future__ import annotations

from collections import deque

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.face.animator import FaceAnimator
from mouthpiece_avatar.face.compositor import Compositor
from mouthpiece_avatar.face.drawing import SIZE
from mouthpiece_avatar.face.lipsync import HOP, SILENT, Articulation, LipSync, blend
from mouthpiece_avatar.face.sprites import Sprites
from mouthpiece_avatar.renderer import Image, Mood

_SPAN = 2 * HOP
"""Samples to each side of the moment that is shown."""


class FaceRenderer:
    """See :class:`mouthpiece_avatar.renderer.Renderer`."""

    size = (SIZE, SIZE)

    def __init__(self, drawn: Sprites, *, seed: int = 1) -> None:
        self._compositor = Compositor(drawn)
        self._animator = FaceAnimator(seed)
        self._lipsync = LipSync()
        self._heard: deque[tuple[int, Articulation]] = deque()
        """The middle of each hop, as a sample index, and what the mouth does there."""
        self._begin(0)

    def audio_queued(self, index: int, samples: Samples) -> None:
        if index != self._end + self._rest:
            self._begin(index)
        self._rest += len(samples)
        for articulation in self._lipsync.push(samples):
            self._heard.append((self._end, articulation))  # its window reaches a hop to each side
            self._end += HOP
            self._rest -= HOP

    def audio_cut(self, index: int) -> None:
        while self._heard and self._heard[-1][0] >= index:
            self._heard.pop()
        self._begin(index)

    def frame(self, index: int) -> Image:
        while self._heard and self._heard[0][0] < index - _SPAN:
            self._heard.popleft()
        shown = [articulation for at, articulation in self._heard if at <= index + _SPAN]
        return self._compositor.compose(self._animator.step(blend(shown) if shown else SILENT))

    def set_mood(self, mood: Mood) -> None:
        self._animator.set_mood(mood)

    def _begin(self, index: int) -> None:
        self._lipsync.clear()
        self._end = index  # of the first sample whose hop is not complete
        self._rest = 0  # samples from there on
