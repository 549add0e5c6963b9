"""A sound file as samples for the lips and for a film."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from mouthpiece.audio.pcm import Pcm, Resampler, Samples
from mouthpiece.audio.readers import open_sound
from mouthpiece.errors import AudioError
from mouthpiece_avatar.film.errors import FilmError

RATE: Final = 48_000
"""Hertz."""
LONGEST: Final = 3_600
"""Seconds: samples and pictures of a film stay in memory until they are written."""
_BLOCK: Final = 65_536


def read_sound(path: Path) -> Samples:
    """Return the sound of a file of any format that the decoders read, mono at ``RATE``.

    :raises FilmError: it cannot be read, is empty or too long.
    """
    try:
        reader, _ = open_sound(path.open("rb"))
    except OSError as error:
        raise FilmError(f"{path} cannot be read: {error.strerror}") from None
    except AudioError as error:
        raise FilmError(f"{path} is no sound that can be read: {error}") from None
    try:
        if reader.frames > LONGEST * reader.rate:
            raise FilmError(f"{path} is longer than an hour: cut it into parts")
        resampler = Resampler(RATE)
        blocks: list[Samples] = []
        while len(samples := reader.read(_BLOCK)):
            blocks += [part.samples for part in resampler.push(Pcm(samples, reader.rate))]
        blocks += [part.samples for part in resampler.flush()]
    except AudioError as error:
        raise FilmError(f"{path} cannot be read to its end: {error}") from None
    finally:
        reader.close()
    sound: Samples = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    if not len(sound):
        raise FilmError(f"{path} holds no sound: a film is as long as what is said in it")
    return sound
