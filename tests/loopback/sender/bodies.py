"""Bodies to send."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import soundfile

from tests.sounds import Tone


def sound_file(seconds: float = 0.5, *, rate: int = 16_000, **how: Any) -> bytes:
    """A tone as a file; ``how`` goes to soundfile (``format="FLAC"``)."""
    file = io.BytesIO()
    soundfile.write(file, Tone(seconds, sample_rate=rate).samples, rate, **({"format": "WAV"} | how))
    return file.getvalue()


def samples(seconds: float = 0.5, *, rate: int = 16_000, channels: int = 1, order: str = "<") -> bytes:
    """Raw samples, ``order`` < (little-endian) or > (big-endian)."""
    mono = Tone(seconds, sample_rate=rate).samples
    return np.repeat(mono, channels).astype(f"{order}i2").tobytes()
