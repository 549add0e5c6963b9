"""The built-in face as a renderer: analyses what goes into the audio source, shows what leaves it."""

from __future__ import annotations

from collections import deque

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.face.animator import FPS, FaceAnimator
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
    fps = FPS

    def __init__(self, sprites: Sprites, *, seed: int = 1) -> None:
        self._compositor = Compositor(sprites)
        self._animator = FaceAnimator(seed)
        self._lipsync = LipSync()
        self._articulations: deque[tuple[int, Articulation]] = deque()
        """The middle of each hop, as a sample index, and what the mouth does there."""
        self._begin(0)

    def audio_queued(self, index: int, samples: Samples, *, speech: bool) -> None:
        if index != self._end + self._incomplete:
            self._begin(index)
        self._incomplete += len(samples)
        for articulation in self._lipsync.push(samples):
            self._articulations.append((self._end, articulation))  # its window reaches a hop to each side
            self._end += HOP
            self._incomplete -= HOP

    def audio_cut(self, index: int) -> None:
        while self._articulations and self._articulations[-1][0] >= index:
            self._articulations.pop()
        self._begin(index)

    def frame(self, index: int) -> Image:
        while self._articulations and self._articulations[0][0] < index - _SPAN:
            self._articulations.popleft()
        near = [articulation for at, articulation in self._articulations if at <= index + _SPAN]
        return self._compositor.compose(self._animator.step(blend(near) if near else SILENT))

    def set_mood(self, mood: Mood) -> None:
        self._animator.set_mood(mood)

    async def run(self) -> None:
        """Everything is drawn in :meth:`frame`."""

    async def aclose(self) -> None:
        """Sprites are shared by the process."""

    def _begin(self, index: int) -> None:
        self._lipsync.clear()
        self._end = index  # of the first sample whose hop is not complete
        self._incomplete = 0  # samples from there on
