"""Segments that can be told apart in a viewer's recording: every half second of each has a tone of its own.

How long a tone is heard says little: after a stall a viewer's jitter buffer plays faster to catch up. Which tones are
heard, and in which order, says whether something was left out or said twice.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
import soundfile

from tests.live.viewer import LOUD, SAMPLE_RATE
from tests.sounds import Tone

LOWEST: Final = 400
STEP: Final = 60
"""Hertz between two tones."""
RATE: Final = 16_000
TONE: Final = 0.5
"""Seconds of each tone in a segment."""
WINDOW: Final = 0.04
"""Seconds that are judged at a time."""
SHORTEST: Final = 0.12
"""Seconds of a tone that count: where one follows another, a window holds both."""


def hertz(number: int) -> float:
    return float(LOWEST + STEP * number)


def scale(first: int, tones: int) -> bytes:
    """Return a WAV file of ``tones`` tones, ``TONE`` seconds each, the lowest of which is number ``first``."""
    each = [Tone(TONE, sample_rate=RATE, hertz=hertz(number)).samples for number in range(first, first + tones)]
    file = io.BytesIO()
    soundfile.write(file, np.concatenate(each), RATE, format="WAV")
    return file.getvalue()


def heard(recording: Sequence[bytes], numbers: int) -> list[int]:
    """Return the tones in a recording of a viewer, each as often as it began anew after another one.

    :param numbers: how many tones there are.
    """
    samples = np.frombuffer(b"".join(recording), np.int16).astype(np.float64)
    size = round(WINDOW * SAMPLE_RATE)
    windows = samples[: len(samples) - len(samples) % size].reshape(-1, size)
    frequencies = np.array([hertz(number) for number in range(numbers)])
    turns = np.exp(-2j * np.pi * np.outer(np.arange(size) / SAMPLE_RATE, frequencies))
    strongest = np.abs((windows * np.hanning(size)) @ turns).argmax(axis=1)
    loud = np.sqrt((windows**2).mean(axis=1)) >= LOUD
    tones = [int(tone) if sounds else None for tone, sounds in zip(strongest, loud, strict=True)]
    lasting = [tone for tone, group in itertools.groupby(tones) if len(list(group)) * WINDOW >= SHORTEST]
    return [tone for tone, _ in itertools.groupby(tone for tone in lasting if tone is not None)]
