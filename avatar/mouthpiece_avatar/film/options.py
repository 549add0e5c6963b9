"""What the commands for films and sheets share: options, and how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from mouthpiece.errors import MouthpieceError
from mouthpiece_avatar.face.compositor import Face
from mouthpiece_avatar.face.faces import FACES, Look, load_face, read_size


def add_look(parser: argparse.ArgumentParser, *, size: str) -> None:
    parser.add_argument("--size", default=size, metavar="LINES", help=f"lines, or width and lines as 1280x720 ({size})")
    parser.add_argument(
        "--background", metavar="COLOUR|FILE", help="a colour as '#f0f4f8', or a picture; else the face's own room"
    )


def exit_code_of(act: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Carry out a command: 0, or 2 for what cannot be read, shown or written, which is said."""
    try:
        act(options)
    except MouthpieceError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def chosen_face(name: str, options: argparse.Namespace) -> Face:
    """Load it; the first time at a size it is drawn, which takes some seconds.

    :raises ConfigurationError: there is no such face, size or background.
    """
    return load_face(name, Look(read_size(options.size), options.background))


NAMES = ", ".join(FACES)
