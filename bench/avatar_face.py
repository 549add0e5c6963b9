"""What a face costs: drawing it once, and each frame of it.

::

    python bench/avatar_face.py [--frames 2000]
"""

from __future__ import annotations

import argparse
import random
import resource
import time

import numpy as np

from mouthpiece_avatar.face.animator import FaceAnimator, Pose
from mouthpiece_avatar.face.compositor import Compositor, load_sprites
from mouthpiece_avatar.face.design import FACES
from mouthpiece_avatar.face.mouths import blend_of
from mouthpiece_avatar.face.sprites import BREATHS, EYES, MAX_NOD, YAW_STEPS
from mouthpiece_avatar.lips.features import HOP
from mouthpiece_avatar.lips.model import LipModel
from mouthpiece_avatar.lips.mouth import Mouth, MouthTrack

RATE = 48_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2_000)
    options = parser.parse_args()
    for face in sorted(FACES):
        before, resident = time.perf_counter(), resident_megabytes()
        compositor = Compositor(load_sprites(face))
        drawing, grown = time.perf_counter() - before, resident_megabytes() - resident
        poses = [any_pose() for _ in range(options.frames)]
        before = time.perf_counter()
        for pose in poses:
            compositor.compose(pose)
        frame = (time.perf_counter() - before) / options.frames
        print(f"{face}: drawn in {drawing:.1f} s, {grown:.0f} MB; a frame takes {1000 * frame:.2f} ms")
    sound = np.random.default_rng(1).integers(-9_000, 9_000, 10 * RATE).astype(np.int16)
    model, track, animator = LipModel(RATE), MouthTrack(), FaceAnimator()
    before = time.perf_counter()
    hops = 0
    for at in range(0, len(sound), RATE // 25):
        for hop in model.push(sound[at : at + RATE // 25]):
            track.add((hops + 0.5) * HOP, hop)
            hops += 1
        animator.step(track.mouth(at / RATE))
    print(f"lips and poses: {100 * (time.perf_counter() - before) / 10:.2f} % of a core while it speaks")


def any_pose() -> Pose:
    pick = random.randrange
    return Pose(
        pick(YAW_STEPS),
        pick(BREATHS),
        pick(MAX_NOD),
        blend_of(Mouth(jaw=random.random(), width=random.random(), pucker=random.random())),
        pick(len(EYES)),
    )


def resident_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


if __name__ == "__main__":
    main()
