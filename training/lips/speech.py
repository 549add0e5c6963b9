"""An utterance with the times of its phones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import soxr
from training.lips.phones import Segment

RATE = 16_000


@dataclass(slots=True)
class Utterance:
    """What one voice said."""

    voice: str
    samples: npt.NDArray[np.float32]
    """Mono at ``RATE``, -1 to 1."""
    segments: list[Segment]
    table: dict[str, str] | None = field(default=None)
    """From the phones of the synthesiser to IPA; None: they are IPA."""


def at_rate(samples: npt.NDArray[np.int16] | npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
    """Bring int16 or floating sound to ``RATE``."""
    scaled = np.asarray(samples / (32768 if samples.dtype == np.int16 else 1), np.float32)
    return np.asarray(soxr.resample(scaled, rate, RATE), np.float32) if rate != RATE else scaled


def tones(random: np.random.Generator, seconds: float = 8.0) -> Utterance:
    """Return beeps of one to four partials: no speech, yet a mouth that says them should not stay shut."""
    sounds: list[npt.NDArray[np.float32]] = []
    segments: list[Segment] = []
    at = 0.0
    while at < seconds:
        length = float(random.uniform(0.15, 1.2))
        time = np.arange(round(length * RATE)) / RATE
        first = float(random.uniform(120, 1_500))
        partials = [first * ratio for ratio in random.uniform(1, 6, random.integers(0, 4))] + [first]
        sound = sum(
            np.sin(2 * np.pi * hertz * time) * float(random.uniform(0.3, 1)) for hertz in partials if hertz < 7_000
        )
        edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.005)
        sounds.append(np.asarray(0.2 * sound * edge, np.float32))
        segments.append(Segment("ə", at, at + length))
        pause = float(random.uniform(0.1, 0.8))
        sounds.append(np.zeros(round(pause * RATE), np.float32))
        segments.append(Segment("_", at + length, at + length + pause))
        at += length + pause
    return Utterance("tones", np.concatenate(sounds), segments)
