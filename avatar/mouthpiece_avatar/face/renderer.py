"""The built-in face as a renderer: hears what goes into the audio source, shows what leaves it."""

from __future__ import annotations

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.face.animator import FPS, FaceAnimator
from mouthpiece_avatar.face.compositor import Compositor, Face
from mouthpiece_avatar.lips.features import HOP
from mouthpiece_avatar.lips.model import LipModel, load
from mouthpiece_avatar.lips.mouth import MouthTrack
from mouthpiece_avatar.playout_stream import RATE
from mouthpiece_avatar.renderer import DRAWN_BITS_PER_PIXEL, Image, Mood

_WEIGHTS = load(look_ahead=True)  # at import: the event loop waits for no disk
_SILENCE = round(0.2 * RATE)
"""Samples of silence after speech that are listened to: more than the model hears ahead."""


class FaceRenderer:
    """See :class:`mouthpiece_avatar.renderer.Renderer`.

    The audio source holds more speech than the model hears ahead, except where speech comes in real time: a picture
    then uses what is there.
    """

    fps = FPS
    bits_per_pixel = DRAWN_BITS_PER_PIXEL

    def __init__(self, face: Face, *, seed: int = 1) -> None:
        self._compositor = Compositor(face)
        self._animator = FaceAnimator(seed)
        self._model = LipModel(RATE, weights=_WEIGHTS)
        self._track = MouthTrack()
        self._begin(0)
        self._silent = _SILENCE

    @property
    def size(self) -> tuple[int, int]:
        return self._compositor.width, self._compositor.height

    def audio_queued(self, index: int, samples: Samples, *, speech: bool) -> None:
        if index != self._end:
            self._begin(index)
        self._end += len(samples)
        self._silent = 0 if speech else self._silent + len(samples)
        if self._silent - len(samples) >= _SILENCE:
            self._begin(self._end)  # what was said is judged by now, and silence needs no judge
            self._silent = _SILENCE
            return
        for hop in self._model.push(samples):
            self._track.add(self._start + (self._hops + 0.5) * HOP, hop)
            self._hops += 1

    def audio_cut(self, index: int) -> None:
        self._track.clear()
        self._begin(index)

    def frame(self, index: int) -> Image:
        composed = self._compositor.compose(self._animator.step(self._track.mouth(index / RATE)))
        return composed.reshape(-1, self._compositor.width)

    def set_mood(self, mood: Mood) -> None:
        self._animator.set_mood(mood)

    async def run(self) -> None:
        """Everything is drawn in :meth:`frame`."""

    async def aclose(self) -> None:
        """Faces are shared by the process."""

    def _begin(self, index: int) -> None:
        self._model.clear()
        self._end = index  # of the sample after the last one
        self._start = index / RATE  # seconds, of the first hop
        self._hops = 0  # that were judged
        self._silent = 0  # samples since the last of speech
