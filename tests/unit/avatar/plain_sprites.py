"""Sprites without a drawing: every part and state has a colour of its own, so that frames differ where poses do."""

from __future__ import annotations

import numpy as np

from mouthpiece_avatar.face.drawing import SIZE
from mouthpiece_avatar.face.mouths import MOUTHS
from mouthpiece_avatar.face.sprites import BREATHS, EYES, YAW_STEPS, Sprite, Sprites


def plain_sprites() -> Sprites:
    scenes = [np.full((SIZE, SIZE), 0xFF000000 + breath, np.uint32) for breath in range(BREATHS)]
    return Sprites(
        scenes,
        [_patch((yaw, 10, 10), 200, 150) for yaw in range(YAW_STEPS)],
        [[_patch((yaw, 20, mouth), 220, 300) for mouth in range(len(MOUTHS))] for yaw in range(YAW_STEPS)],
        [[_patch((yaw, 30, eyes), 220, 200) for eyes in range(len(EYES))] for yaw in range(YAW_STEPS)],
    )


def _patch(colour: tuple[int, int, int], left: int, top: int) -> Sprite:
    red, green, blue = colour
    return Sprite(np.full((20, 40, 4), (blue, green, red, 255), np.uint8), left, top)
