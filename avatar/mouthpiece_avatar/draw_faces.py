"""``python -m mouthpiece_avatar.draw_faces [FACE …]``: draw built-in faces ahead, all or those that are named, at their
usual size, and keep them where the avatar server reads them. An image does that once; a container that cannot write
would draw at each start."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mouthpiece_avatar.face.faces import FACES, Look
from mouthpiece_avatar.face.view_cache import load_or_draw


def main(names: Sequence[str] = ()) -> int:
    """Draw the faces with these names; none: all. Return the exit code: 2 if there is no such face."""
    if unknown := [name for name in names if name not in FACES]:
        sys.stderr.write(f"there is no face {unknown[0]!r}; there are {', '.join(FACES)}\n")
        return 2
    for name in names or FACES:
        load_or_draw(FACES[name], Look().screen)
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
