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
from mouthpiece_avatar.face.mouths import SHUT, blend_of
from mouthpiece_avatar.face.sprites import YAW_STEPS
from mouthpiece_avatar.lips.mouth import Mouth

FOLDER = Path(__file__).parent
AHEAD = YAW_STEPS // 2
WAITING = Pose(AHEAD, 0, 0, mouth=SHUT, eyes=0)
SAYING = (
    Pose(AHEAD - 4, 1, 0, mouth=blend_of(Mouth(jaw=0.7, width=0.3)), eyes=0),
    Pose(AHEAD + 4, 2, 2, mouth=blend_of(Mouth(jaw=1.0, width=0.3)), eyes=6),
    Pose(AHEAD, 3, 1, mouth=blend_of(Mouth(jaw=0.4, width=0.9)), eyes=0),
    Pose(AHEAD - 2, 4, 0, mouth=blend_of(Mouth(jaw=0.5, pucker=0.9)), eyes=5),
    Pose(AHEAD + 2, 5, 3, mouth=blend_of(Mouth(jaw=0.15, bite=1.0)), eyes=0),
    Pose(AHEAD, 6, 0, mouth=blend_of(Mouth(closure=1.0)), eyes=3),
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
