"""Options that the commands for films and sheets share."""

from __future__ import annotations

import argparse

from mouthpiece_avatar.face.compositor import Face
from mouthpiece_avatar.face.faces import FACES, Look, load_face, read_size


def add_look(parser: argparse.ArgumentParser, *, size: str) -> None:
    parser.add_argument("--size", default=size, metavar="LINES", help=f"lines, or width and lines as 1280x720 ({size})")
    parser.add_argument(
        "--background", metavar="COLOUR|FILE", help="a colour as '#f0f4f8', or a picture; else the face's own room"
    )


def chosen_face(name: str, options: argparse.Namespace) -> Face:
    """Load it; the first time at a size it is drawn, which takes some seconds.

    :raises ConfigurationError: there is no such face, size or background.
    """
    return load_face(name, Look(read_size(options.size), options.background))


NAMES = ", ".join(FACES)
