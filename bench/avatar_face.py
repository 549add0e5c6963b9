"""What a face costs: drawing it once, and each picture of it.

::

    python bench/avatar_face.py [--pictures 2000] [--size 512]

The exit code is 1 if a picture of some face takes, with its share of the lips, more than ``MOST`` ms.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Final

import numpy as np

from mouthpiece_avatar.face import views
from mouthpiece_avatar.face.animator import FaceAnimator
from mouthpiece_avatar.face.compositor import Compositor
from mouthpiece_avatar.face.faces import FACES, Look, load_face, read_size
from mouthpiece_avatar.lips.features import HOP
from mouthpiece_avatar.lips.model import LipModel
from mouthpiece_avatar.lips.mouth import Mouth, MouthTrack
from mouthpiece_avatar.playout import BLOCK, LEAD

RATE = 48_000
FPS = 25
SOUND = 10
"""Seconds that the lips are made for."""
MOST: Final = 1.0
"""Milliseconds of a picture, the median."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=2_000)
    parser.add_argument("--size", default="512", help="as MOUTHPIECE_AVATAR_SIZE")
    options = parser.parse_args()
    screen = read_size(options.size)
    lips = 1000 * lips_and_poses() / (SOUND * FPS)
    print(f"lips and pose of a picture: {lips:.2f} ms, {lips * FPS / 10:.2f} % of a core while it speaks")
    most = 0.0
    for name, artist in FACES.items():
        before = time.process_time()
        drawn = views.draw(artist, screen)
        drawing = time.process_time() - before
        parts = (drawn.bodies, drawn.heads, drawn.mouths, drawn.eyes, *drawn.brows)
        megabytes = sum(part.data.nbytes for part in parts) / 1e6
        compositor = Compositor(load_face(name, Look(screen)))
        times = composing(compositor, options.pictures)
        picture = np.empty((compositor.height, compositor.width, 4), np.uint8)
        most = max(most, 1000 * times[len(times) // 2] + lips)
        before = time.perf_counter()
        for _ in range(100):
            compositor.put_bgr(picture)
        turning = (time.perf_counter() - before) / 100
        print(
            f"{name}: drawn in {drawing:.1f} s of processor time, {megabytes:.0f} MB; a picture takes "
            f"{1000 * times[len(times) // 2]:.2f} ms ({1000 * times[len(times) // 10]:.2f} in the best tenth), "
            f"{1000 * turning:.2f} more as BGRA"
        )
    print(f"at most {most:.2f} ms with the lips: " + ("passed" if most <= MOST else f"more than {MOST:g}"))
    return 0 if most <= MOST else 1


def composing(compositor: Compositor, pictures: int) -> list[float]:
    """Return the seconds that each picture took, shortest first; every picture has another mouth."""
    random = np.random.default_rng(1)
    animator = FaceAnimator(3)
    times = []
    for _ in range(pictures):
        jaw, width, pucker, loud = random.random(4).tolist()
        pose = animator.step(Mouth(jaw=jaw, width=width, pucker=pucker, loud=loud))
        before = time.perf_counter()
        compositor.compose(pose)
        times.append(time.perf_counter() - before)
    return sorted(times)


def lips_and_poses() -> float:
    """Return the seconds of work for ``SOUND`` seconds of sound."""
    sound = np.random.default_rng(1).integers(-9_000, 9_000, SOUND * RATE).astype(np.int16)
    model, track, animator = LipModel(RATE), MouthTrack(), FaceAnimator()
    before = time.perf_counter()
    hops = 0
    pushed = 0
    for picture in range(SOUND * FPS):
        if pushed < (picture / FPS + LEAD) * RATE:
            block = sound[pushed : pushed + round(BLOCK * RATE)]
            pushed += len(block)
            for hop in model.push(block):
                track.add((hops + 0.5) * HOP, hop)
                hops += 1
        animator.step(track.mouth(picture / FPS))
    return time.perf_counter() - before


if __name__ == "__main__":
    sys.exit(main())
