"""Makes the pictures of this folder anew: `python assets/faces/make.py` (needs the extra `avatar`).

Each picture is the face as the avatar server draws it (`mouthpiece_avatar.face`): waiting, and saying six things.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mouthpiece_avatar.face.animator import Pose
from mouthpiece_avatar.face.compositor import Compositor, load_sprites
from mouthpiece_avatar.face.design import FACES
from mouthpiece_avatar.face.sprites import YAW_STEPS

FOLDER = Path(__file__).parent
AHEAD = YAW_STEPS // 2
WAITING = Pose(AHEAD, 0, 0, mouth=0, eyes=0)
SAYING = (
    Pose(AHEAD - 4, 1, 0, mouth=4, eyes=0),
    Pose(AHEAD + 4, 2, 2, mouth=5, eyes=6),
    Pose(AHEAD, 3, 1, mouth=7, eyes=0),
    Pose(AHEAD - 2, 4, 0, mouth=11, eyes=5),
    Pose(AHEAD + 2, 5, 3, mouth=12, eyes=0),
    Pose(AHEAD, 6, 0, mouth=1, eyes=3),
)


def picture(compositor: Compositor, pose: Pose) -> Image.Image:
    bgra = compositor.compose(pose)
    return Image.fromarray(np.ascontiguousarray(bgra[..., 2::-1]))


def main() -> None:
    for face in FACES:
        compositor = Compositor(load_sprites(face))
        picture(compositor, WAITING).save(FOLDER / f"{face}.png", optimize=True)
        sheet = Image.new("RGB", (3 * 256, 2 * 256))
        for index, pose in enumerate(SAYING):
            small = picture(compositor, pose).resize((256, 256), Image.Resampling.LANCZOS)
            sheet.paste(small, (index % 3 * 256, index // 3 * 256))
        sheet.save(FOLDER / f"{face}_speaking.jpg", quality=88)


if __name__ == "__main__":
    main()
