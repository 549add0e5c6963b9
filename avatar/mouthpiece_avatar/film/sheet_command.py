"""``python -m mouthpiece_avatar sheet kofi kofi.png``: a picture of all shapes of a face, or of what it says."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mouthpiece_avatar.face.animator import FPS
from mouthpiece_avatar.face.compositor import Compositor, Face
from mouthpiece_avatar.face.i420 import Bytes, put_bgr
from mouthpiece_avatar.face.mouths import JAWS, LIPS, MOUTHS, WHOLE
from mouthpiece_avatar.face.pose import Pose
from mouthpiece_avatar.face.views import EYES
from mouthpiece_avatar.film.errors import FilmError
from mouthpiece_avatar.film.options import NAMES, add_look, chosen_face, exit_code_of
from mouthpiece_avatar.film.sound import read_sound
from mouthpiece_avatar.film.talking_face import TalkingFace

Cell = tuple[str, Image.Image]

DESCRIPTION = """\
Draws a contact sheet of a face: every shape of its mouth, its eyes and its brows. With --sound it draws a strip
instead: the pictures of a film of that sound, each with its moment and the name of its mouth.
"""
EPILOG = f"""\
faces: {NAMES}

try it:
  python -m mouthpiece_avatar sheet kofi kofi.png
  python -m mouthpiece_avatar sheet mia strip.jpg --sound speech.wav --first 0.4 --last 1.6 --columns 10
"""
_KINDS = (".png", ".jpg", ".jpeg", ".webp")
_SPECIAL = ("rest", "p b m", "f v", "s z", "sh", "l th", "smile")
_LABEL = 14
"""Height of the line of text in a cell."""
_MOST_CELLS = 400


def main(arguments: Sequence[str]) -> int:
    """Draw the sheet; return the exit code: 0, or 2 for what cannot be read, shown or written."""
    parser = argparse.ArgumentParser(
        "python -m mouthpiece_avatar sheet",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("face", help="its name")
    parser.add_argument("picture", type=Path, help=f"the picture to write: {', '.join(_KINDS)}")
    add_look(parser, size="256")
    parser.add_argument("--sound", type=Path, metavar="FILE", help="draw what the face does to this sound")
    parser.add_argument("--first", type=float, default=0.0, metavar="SECONDS", help="of the sound, where it begins (0)")
    parser.add_argument("--last", type=float, metavar="SECONDS", help="where it ends (the end of the sound)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="draw every Nth picture (1)")
    parser.add_argument("--columns", type=int, default=8, metavar="N", help="pictures in a row (8)")
    parser.add_argument("--mouth", action="store_true", help="draw the lower face alone, twice as large")
    return exit_code_of(_draw, parser.parse_args(arguments))


def _draw(options: argparse.Namespace) -> None:
    if options.picture.suffix.lower() not in _KINDS:
        raise FilmError(f"{options.picture.name} is no name of a picture: end it with one of {', '.join(_KINDS)}")
    if options.every < 1 or options.columns < 1:
        raise FilmError("--every and --columns are at least 1")
    face = chosen_face(options.face, options)
    cells = list(_strip(face, options) if options.sound else _shapes(face))
    if not cells:
        raise FilmError("there is no picture between --first and --last: the sound is shorter, or they are swapped")
    if len(cells) > _MOST_CELLS:
        raise FilmError(f"{len(cells)} pictures are too many for one sheet: choose --first and --last, or --every")
    if options.mouth:
        cells = [(label, _lower_face(face, picture)) for label, picture in cells]
    try:
        _sheet(cells, options.columns).save(options.picture, quality=88)
    except OSError as error:
        raise FilmError(f"{options.picture} cannot be written: {error.strerror or error}") from None


def _shapes(face: Face) -> Iterator[Cell]:
    compositor = Compositor(face)
    grid = [f"jaw {jaw:g}, lips {lips:+g}" for jaw in JAWS for lips in LIPS]
    poses = [(label, Pose(mouth=((mouth, WHOLE),))) for mouth, label in enumerate([*_SPECIAL, *grid])]
    assert len(poses) == len(MOUTHS)
    poses += [(f"lid {eye.lid:g}, gaze {eye.gaze:+g} {eye.up:+g}", Pose(eyes=n)) for n, eye in enumerate(EYES)]
    poses += [(f"brows {one:+g} {other:+g}", Pose(brows=(one, other))) for one, other in ((1, 0), (0, 1), (-0.7, -0.7))]
    poses += [
        (f"yaw {yaw:+g}, nod {nod:+g}", Pose(yaw=yaw, nod=nod)) for yaw, nod in ((-1, 0), (1, 0), (0, 5), (0, -5))
    ]
    for label, pose in poses:
        yield label, _picture(compositor.compose(pose), compositor.width, compositor.height)


def _strip(face: Face, options: argparse.Namespace) -> Iterator[Cell]:
    talking = TalkingFace(face, read_sound(options.sound))
    last = talking.pictures / FPS if options.last is None else options.last
    for number, shown in enumerate(talking.show()):
        if options.first <= shown.at <= last and number % options.every == 0:
            label = f"{shown.at:.2f} s {shown.mouth.shape.value}"
            yield label, _picture(shown.i420, talking.width, talking.height)


def _picture(i420: Bytes, width: int, height: int) -> Image.Image:
    bgr = np.empty((height, width, 3), np.uint8)
    put_bgr(i420, width, height, bgr)
    return Image.fromarray(np.ascontiguousarray(bgr[..., ::-1]))


def _lower_face(face: Face, picture: Image.Image) -> Image.Image:
    left, top, right, bottom = face.views.mouths.box
    part = picture.crop((left, top, right, bottom))
    return part.resize((2 * part.width, 2 * part.height), Image.Resampling.LANCZOS)


def _sheet(cells: Sequence[Cell], columns: int) -> Image.Image:
    width, height = cells[0][1].size
    columns = min(columns, len(cells))
    sheet = Image.new("RGB", (columns * width, -(-len(cells) // columns) * (height + _LABEL)), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    for place, (label, picture) in enumerate(cells):
        x, y = place % columns * width, place // columns * (height + _LABEL)
        sheet.paste(picture, (x, y))
        pen.text((x + 4, y + height + 1), label, fill=(40, 40, 40))
    return sheet
