"""Sound in which each tenth of a second has a pitch of its own, so that a recording says what of it was heard."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np

from mouthpiece.audio.pcm import Samples

STEP = 0.1
"""Seconds."""
LOWEST, SPACING = 300.0, 40.0
"""Hertz."""
WINDOW, HOP = 0.04, 0.01
"""Seconds that one pitch is measured over, and between two measurements."""


def make(seconds: float, sample_rate: int) -> bytes:
    """Make s16le, mono, of at most 10 s."""
    count = round(seconds * sample_rate)
    step = (np.arange(count) / sample_rate / STEP).astype(int)
    phase = 2 * np.pi * np.cumsum(LOWEST + SPACING * step) / sample_rate
    sound: bytes = (9_000 * np.sin(phase)).round().astype("<i2").tobytes()
    return sound


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recording holds of such a sound."""

    seconds: dict[int, float]
    """By step."""
    order: list[int]
    """Steps as they came, each run of one as one."""

    def missing(self, seconds: float) -> list[int]:
        """Return the steps of a sound of ``seconds`` that were not heard; a jitter buffer may shorten one by half."""
        return [step for step in range(round(seconds / STEP)) if self.seconds.get(step, 0.0) < 0.2 * STEP]

    def repeated(self) -> float:
        """Return how many seconds of the sound were heard twice."""
        return sum(max(0.0, heard - STEP) for heard in self.seconds.values())

    def jumps(self) -> list[tuple[int, int]]:
        """Return where it did not go on with the next step."""
        return [(one, other) for one, other in itertools.pairwise(self.order) if other != one + 1]


def listen(samples: Samples, sample_rate: int, *, loud: float = 1_000.0) -> Heard:
    """Measure a recording; what is quiet (concealment, silence) or between two pitches counts as nothing."""
    size, hop = round(WINDOW * sample_rate), round(HOP * sample_rate)
    window = np.hanning(size)
    steps: list[int] = []
    for start in range(0, len(samples) - size, hop):
        block = samples[start : start + size].astype(float)
        if np.sqrt(np.mean(block**2)) < loud:
            continue
        spectrum = np.abs(np.fft.rfft(block * window, 4 * size))
        pitch = int(np.argmax(spectrum)) * sample_rate / (4 * size)
        steps.append(round((pitch - LOWEST) / SPACING))
    count = Counter(steps)
    runs = [step for step, run in itertools.groupby(steps) if len(list(run)) >= 3]
    order = [step for step, _ in itertools.groupby(runs)]
    return Heard({step: number * HOP for step, number in sorted(count.items())}, order)
