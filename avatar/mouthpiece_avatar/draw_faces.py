"""``python -m mouthpiece_avatar.draw_faces``: draw the built-in faces ahead, at their usual size, and keep them where
the avatar server reads them. An image does that once; a container that cannot write would draw at each start."""

from __future__ import annotations

import sys

from mouthpiece_avatar.face.faces import FACES, Look
from mouthpiece_avatar.face.view_cache import load_or_draw


def main() -> int:
    """Draw all faces; return the exit code, 0."""
    for name, artist in FACES.items():
        load_or_draw(artist, Look().screen)
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
