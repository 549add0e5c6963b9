"""Bounds of the sound that is accepted."""

from __future__ import annotations

from typing import Final

from mouthpiece.errors import AudioTooLong, NotAudio, UnsupportedFormat
from mouthpiece.segments import AudioInfo

MIN_SAMPLE_RATE: Final = 4_000
MAX_SAMPLE_RATE: Final = 192_000
"""Hertz."""
MAX_CHANNELS: Final = 8
MAX_PARTS: Final = 1_000
"""Files that may be joined in one."""


def check_shape(sample_rate: int, channels: int, frames: int) -> None:
    """Accept a file's sample rate (hertz), channels and length (frames).

    :raises UnsupportedFormat: the sample rate or the number of channels is out of bounds.
    :raises NotAudio: there is no frame.
    """
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise UnsupportedFormat(
            f"A sample rate of {sample_rate} Hz is not supported: {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} are."
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise UnsupportedFormat(f"{channels} channels are not supported: 1 to {MAX_CHANNELS} are.")
    if frames <= 0:
        raise NotAudio("There is no sound in it: it is 0 s long.")


def check_duration(info: AudioInfo, limit: float | None) -> None:
    """Accept a sound of at most ``limit`` seconds; None: any length. An unknown duration is accepted.

    :raises AudioTooLong: it is longer.
    """
    if limit is not None and info.duration is not None and info.duration > limit:
        raise AudioTooLong(f"The sound is {info.duration:.0f} s long, at most {limit:.0f} s are taken.")
