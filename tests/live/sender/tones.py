"""Segments that can be told apart in a viewer's recording: each has a tone of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.live.viewer import LOUD, SAMPLE_RATE

LOWEST: Final = 400
STEP: Final = 130
"""Hertz between two tones."""
WINDOW: Final = 0.04
"""Seconds that are judged at a time."""
SHORTEST: Final = 0.12
"""Seconds of a tone that count: where one follows another, a window holds both."""


def hertz(number: int) -> float:
    """Return the tone of segment ``number``."""
    return float(LOWEST + STEP * number)


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of one tone."""

    number: int
    start: float
    """Seconds into the recording."""
    seconds: float


def heard(recording: Sequence[bytes], numbers: int) -> list[Heard]:
    """Return the stretches of tones in a recording of a viewer, in order; silence between two of the same tone joins
    them where it is short.

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
    stretches, at = [], 0
    for tone, group in itertools.groupby(tones):
        length = len(list(group))
        if tone is not None and length * WINDOW >= SHORTEST:
            stretches.append(Heard(tone, at * WINDOW, length * WINDOW))
        at += length
    return stretches


def seconds_of(stretches: Sequence[Heard], number: int) -> float:
    return sum(stretch.seconds for stretch in stretches if stretch.number == number)


def order_of(stretches: Sequence[Heard]) -> list[int]:
    """Return the tones in the order in which they were heard, each as often as it began anew after another one."""
    return [number for number, _ in itertools.groupby(stretch.number for stretch in stretches)]
