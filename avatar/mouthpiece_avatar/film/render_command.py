"""``python -m mouthpiece_avatar render speech.wav out.mp4``: a film of a face that says a sound."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mouthpiece_avatar.face.animator import FPS
from mouthpiece_avatar.face.faces import DEFAULT_FACE
from mouthpiece_avatar.film.film_writer import KINDS, FilmWriter, check_name
from mouthpiece_avatar.film.options import NAMES, add_look, chosen_face, exit_code_of
from mouthpiece_avatar.film.progress import watched
from mouthpiece_avatar.film.sound import RATE, read_sound
from mouthpiece_avatar.film.talking_face import TalkingFace

DESCRIPTION = f"""\
Makes a film of a face that says a sound file: {FPS} pictures a second and the file's sound, faster than real time.
"""
EPILOG = f"""\
faces: {NAMES}

try it:
  python -m mouthpiece_avatar render assets/hello_world_16kHz.wav hello.mp4
  python -m mouthpiece_avatar render speech.m4a kofi.mp4 --face kofi --size 1080
  python -m mouthpiece_avatar render speech.flac wide.webm --face robo --size 1280x720 --background office.jpg

The sound may be WAV, FLAC, MP3, Ogg, Opus, WebM, M4A or AAC, the film {", ".join(KINDS)}. The same sound, face and
--seed give the same pictures. A face is drawn once for each size, which takes some seconds, and kept.
"""


def main(arguments: Sequence[str]) -> int:
    """Make the film; return the exit code: 0, or 2 for what cannot be read, shown or written."""
    parser = argparse.ArgumentParser(
        "python -m mouthpiece_avatar render",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sound", type=Path, help="the sound file")
    parser.add_argument("film", type=Path, help="the film to write; one that is there is replaced")
    parser.add_argument("--face", default=DEFAULT_FACE, metavar="NAME", help=f"which face ({DEFAULT_FACE})")
    add_look(parser, size="512")
    parser.add_argument("--seed", type=int, default=1, help="another one blinks and looks about at other moments (1)")
    return exit_code_of(_render, parser.parse_args(arguments))


def _render(options: argparse.Namespace) -> None:
    check_name(options.film)
    sound = read_sound(options.sound)
    talking = TalkingFace(chosen_face(options.face, options), sound, seed=options.seed)
    with FilmWriter(options.film, width=talking.width, height=talking.height) as film:
        block = RATE // FPS
        for number, shown in enumerate(watched(talking.show(), talking.pictures, sys.stderr, per_second=FPS)):
            film.picture(shown.i420)
            film.sound(sound[number * block : (number + 1) * block])
