"""A face without a drawing: each state has a brightness of its own, so that pictures differ where poses do."""

from __future__ import annotations

import numpy as np

from mouthpiece_avatar.face.compositor import Face
from mouthpiece_avatar.face.drawing import Box
from mouthpiece_avatar.face.i420 import Bytes
from mouthpiece_avatar.face.mouths import CLOSED, MOUTHS, SMILING
from mouthpiece_avatar.face.placing import Screen
from mouthpiece_avatar.face.views import BREATHS, BROWS, EYES, YAWS, Sprites, Views

_STEP = 6
"""Of brightness, from one state to the next."""
_HEAD, _EYES, _MOUTH = (160, 100, 320, 360), (200, 160, 280, 200), (200, 260, 280, 320)
_BROWS: tuple[Box, Box] = ((200, 120, 236, 140), (244, 120, 280, 140))


def plain_face() -> Face:
    screen = Screen(512, 512)
    bodies = np.stack([_sprite(screen.whole(), breath) for breath in range(BREATHS)])
    mouths = [_sprite(_MOUTH, 0 if mouth in (CLOSED, SMILING) else mouth) for mouth in range(len(MOUTHS))]
    views = Views(
        screen,
        Sprites(screen.whole(), bodies),
        Sprites(_HEAD, np.stack([_bordered(_HEAD, yaw) for yaw in range(YAWS)])),
        Sprites(_MOUTH, np.stack([np.stack(mouths)] * YAWS)),
        Sprites(_EYES, np.stack([np.stack([_sprite(_EYES, eyes) for eyes in range(len(EYES))])] * YAWS)),
        (_brow(_BROWS[0]), _brow(_BROWS[1])),
    )
    return Face.before(np.full(512 * 512 * 3 // 2, 128, np.uint8), views)


def mouth_of(bgr: Bytes) -> int:
    """Return the mouth of a picture; closed and smiling lips are 0, a blend is the mean of its numbers."""
    return _state(bgr[290, 240])


def eyes_of(bgr: Bytes) -> int:
    """Return the state of the eyes in a picture."""
    return _state(bgr[180, 240])


def _state(pixel: Bytes) -> int:
    return round(float(pixel[0]) / (_STEP * 255 / 219))


def _brow(box: Box) -> Sprites:
    return Sprites(box, np.stack([np.stack([_sprite(box, state) for state in range(len(BROWS))])] * YAWS))


def _sprite(box: Box, state: int) -> Bytes:
    size = (box[2] - box[0]) * (box[3] - box[1])
    return np.concatenate(
        [
            np.full(size, 16 + _STEP * state, np.uint8),
            np.zeros(size, np.uint8),
            np.full(size // 2, 128, np.uint8),
            np.zeros(size // 4, np.uint8),
        ]
    )


def _bordered(box: Box, state: int) -> Bytes:
    """A sprite that is empty at its edges."""
    width, height = box[2] - box[0], box[3] - box[1]
    sprite = _sprite(box, state)
    size = width * height
    for start, (rows, columns), empty in (
        (0, (height, width), 0),
        (size, (height, width), 255),
        (2 * size, (height // 2, width // 2), 0),
        (2 * size + size // 4, (height // 2, width // 2), 0),
        (2 * size + size // 2, (height // 2, width // 2), 255),
    ):
        plane = sprite[start : start + rows * columns].reshape(rows, columns)
        for edge in (plane[:8], plane[-8:], plane[:, :8], plane[:, -8:]):
            edge[...] = empty
    return sprite
