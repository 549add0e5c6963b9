"""``python -m mouthpiece_avatar mouth speech.wav``: what the lips do, a JSON line for each picture."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

import numpy as np
import soundfile
import soxr

from mouthpiece_avatar.lips.mouth import LOOK_AHEAD, Mouth, mouths

FPS = 25
_RATE = 16_000
"""Hertz at which the file is heard."""

DESCRIPTION = """\
Prints what the lips of the local avatar do to a sound file, a JSON line for each picture, 25 of them a second:
  {"t": 0.4, "shape": "pbm", "jaw": 0.05, "width": 0.1, "pucker": 0.05, "closure": 1.0}
t is the second of the sound at which the picture is shown; shape is one of rest, pbm, fv, hiss, mid, wide, round, open;
the other figures go from 0 to 1.
"""


def main(arguments: Sequence[str]) -> int:
    """Print the pictures; return the exit code: 0, or 2 for wrong usage and for a file that cannot be read."""
    parser = argparse.ArgumentParser(
        "python -m mouthpiece_avatar mouth",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", help="WAV, FLAC, Ogg or another format that libsndfile reads")
    parser.add_argument(
        "--look-ahead",
        type=float,
        choices=(0.0, LOOK_AHEAD),
        default=LOOK_AHEAD,
        help=f"seconds of sound beyond a picture that are heard first: 0, as for live sound, or {LOOK_AHEAD:g}",
    )
    options = parser.parse_args(arguments)
    try:
        sound, rate = soundfile.read(options.file, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        sys.stderr.write(f"{options.file} cannot be read: {getattr(error, 'strerror', None) or error}\n")
        return 2
    mono = soxr.resample(sound.mean(axis=1), rate, _RATE)
    samples = np.clip(np.rint(mono * 32768), -32768, 32767).astype(np.int16)
    for picture, mouth in enumerate(mouths(samples, _RATE, FPS, look_ahead=options.look_ahead > 0)):
        sys.stdout.write(json.dumps(_figures(picture / FPS, mouth)) + "\n")
    return 0


def _figures(at: float, mouth: Mouth) -> dict[str, str | float]:
    return {
        "t": round(at, 3),
        "shape": mouth.shape.value,
        "jaw": round(mouth.jaw, 3),
        "width": round(mouth.width, 3),
        "pucker": round(mouth.pucker, 3),
        "closure": round(mouth.closure, 3),
    }
