"""Compares a sound with the one that it was made of: duration, level and correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    correlation: float
    """At the best offset within 0.1 s, 1 for the same sound, upside down or not."""
    level: float
    """Decibels of the sound over the reference."""
    seconds: float
    """How much longer the sound is."""


def compare(sound: npt.NDArray[np.int16], rate: int, reference: npt.NDArray[np.int16], reference_rate: int) -> Likeness:
    """``sound`` against ``reference``, both mono; compared at 8 kHz."""
    one, other = (_at_8_khz(*pair) for pair in ((sound, rate), (reference, reference_rate)))
    size = 1 << (len(one) + len(other)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)), size)
    near = np.concatenate([cross[:801], cross[-800:]])
    scale = max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9)
    level = 20 * np.log10(max(float(np.std(one)), 1e-3) / float(np.std(other)))
    return Likeness(
        float(np.abs(near).max()) / scale, float(level), len(sound) / rate - len(reference) / reference_rate
    )


def _at_8_khz(samples: npt.NDArray[np.int16], rate: int) -> Signal:
    return np.asarray(soxr.resample(samples.astype(np.float64), rate, 8_000), dtype=np.float64)
