"""Composes frames of sprites."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.face import sprites
from mouthpiece_avatar.face.animator import Pose
from mouthpiece_avatar.face.design import FACES
from mouthpiece_avatar.face.drawing import SIZE
from mouthpiece_avatar.face.sprite_cache import load_or_draw
from mouthpiece_avatar.face.sprites import Sprites

_loaded: dict[str, Sprites] = {}
_drawing = threading.Lock()


def load_sprites(face: str) -> Sprites:
    """Return the sprites of a face (about 65 MB), shared by the process. The first call may draw for seconds.

    :raises ConfigurationError: there is no such face.
    """
    if face not in FACES:
        raise ConfigurationError(f"there is no face {face!r}: choose one of {', '.join(sorted(FACES))}")
    with _drawing:
        if face not in _loaded:
            _loaded[face] = load_or_draw(face)
        return _loaded[face]


class Compositor:
    """Draws poses on one canvas; the same pose gives the same bytes."""

    def __init__(self, drawn: Sprites) -> None:
        self._sprites = drawn
        self._canvas: sprites.Pixels = np.zeros((SIZE, SIZE), np.uint32)
        self._composed: Pose | None = None
        self.bgra: npt.NDArray[np.uint8] = self._canvas.view(np.uint8).reshape(SIZE, SIZE, 4)
        """BGRA, (SIZE, SIZE, 4); the next ``compose`` draws over it."""

    def compose(self, pose: Pose) -> npt.NDArray[np.uint8]:
        """Draw ``pose`` and return the canvas: BGRA, (SIZE, SIZE, 4)."""
        if pose == self._composed:
            return self.bgra
        self._composed = pose
        self._canvas[...] = self._sprites.scenes[pose.breath]
        self._sprites.heads[pose.yaw].put_on(self._canvas, pose.nod)
        self._sprites.eyes[pose.yaw][pose.eyes].put_on(self._canvas, pose.nod)
        sprites.put_blend_on(self._canvas, self._sprites.mouths[pose.yaw], pose.mouth, pose.nod)
        return self.bgra
