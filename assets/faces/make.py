"""Makes the pictures of this folder anew: `python assets/faces/make.py` (needs the extra `avatar`).

Each picture is a face as the avatar server draws it (`mouthpiece_avatar.face`): all of them waiting, and each one
saying six things.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mouthpiece_avatar.face.compositor import Compositor
from mouthpiece_avatar.face.faces import FACES, load_face
from mouthpiece_avatar.face.mouths import blend_of
from mouthpiece_avatar.face.pose import Pose
from mouthpiece_avatar.lips.mouth import Mouth

FOLDER = Path(__file__).parent
SMALL = 256
SAYING = (
    Pose(-0.6, 0, 0.2, mouth=blend_of(Mouth(jaw=0.7, width=0.3))),
    Pose(0.6, 2, 0.3, mouth=blend_of(Mouth(jaw=1.0, width=0.3)), brows=(0.7, 0)),
    Pose(0, 1, 0.5, mouth=blend_of(Mouth(jaw=0.4, width=0.9))),
    Pose(-0.3, 0, 0.6, mouth=blend_of(Mouth(jaw=0.5, pucker=0.9)), eyes=7),
    Pose(0.3, 3, 0.8, mouth=blend_of(Mouth(jaw=0.15, bite=1.0))),
    Pose(0, 0, 1, mouth=blend_of(Mouth(closure=1.0)), eyes=3),
)


def picture(compositor: Compositor, pose: Pose) -> Image.Image:
    compositor.compose(pose)
    bgr = np.empty((compositor.height, compositor.width, 3), np.uint8)
    compositor.put_bgr(bgr)
    return Image.fromarray(np.ascontiguousarray(bgr[..., ::-1]))


def main() -> None:
    all_of_them = Image.new("RGB", (3 * SMALL, -(-len(FACES) // 3) * SMALL))
    for place, name in enumerate(FACES):
        compositor = Compositor(load_face(name))
        waiting = picture(compositor, Pose())
        waiting.save(FOLDER / f"{name}.jpg", quality=88)
        all_of_them.paste(
            waiting.resize((SMALL, SMALL), Image.Resampling.LANCZOS), (place % 3 * SMALL, place // 3 * SMALL)
        )
        sheet = Image.new("RGB", (3 * SMALL, 2 * SMALL))
        for index, pose in enumerate(SAYING):
            small = picture(compositor, pose).resize((SMALL, SMALL), Image.Resampling.LANCZOS)
            sheet.paste(small, (index % 3 * SMALL, index // 3 * SMALL))
        sheet.save(FOLDER / f"{name}_speaking.jpg", quality=85)
    all_of_them.save(FOLDER / "all.jpg", quality=88)


if __name__ == "__main__":
    main()
