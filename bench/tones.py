"""Segments that can be told apart by ear: each is a pair of tones of its own, and a recording says which were heard."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile

RATE = 48_000
LOW = tuple(400 + 60 * step for step in range(16))
"""Hertz."""
HIGH = tuple(1_600 + 60 * step for step in range(16))
PAIRS = tuple(itertools.product(LOW, HIGH))
"""One a segment: as many segments of a room can be told apart."""
_WINDOW = 1_920
"""Samples that are looked at together: 40 ms, so that neighbouring tones are 2.4 bins apart."""
_HOP = 480
_LOUD = 0.01
"""Of full scale, from which a tone counts: Opus leaves less of a tone beside the one that sounds."""

Samples = npt.NDArray[np.int16]


def segment(number: int, seconds: float, rate: int = 16_000) -> bytes:
    """Return a WAV file of the ``number``-th pair of tones, without a click at its ends."""
    at = np.arange(round(seconds * rate)) / rate
    low, high = PAIRS[number]
    sound = 0.2 * (np.sin(2 * np.pi * low * at) + np.sin(2 * np.pi * high * at))
    edge = min(len(at) // 2, rate // 200)
    ramp = np.linspace(0.0, 1.0, edge)
    sound[:edge] *= ramp
    sound[len(sound) - edge :] *= ramp[::-1]
    file = io.BytesIO()
    soundfile.write(file, (sound * 32_767).astype(np.int16), rate, format="WAV")
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class Heard:
    """A run of one pair of tones in a recording."""

    number: int
    start: float
    """Seconds of the recording."""
    seconds: float


def heard(recording: Samples, *, gap: float = 0.06, least: float = 0.05) -> list[Heard]:
    """Return the runs of tones in a mono recording at ``RATE`` hertz, in order.

    :param gap: seconds without the tones that do not end a run.
    :param least: seconds; shorter runs are borders between two segments, and left out.
    """
    runs: list[list[float]] = []
    for index, number in enumerate(_each_hop(recording)):
        if number is None:
            continue
        at = index * _HOP / RATE
        if runs and runs[-1][0] == number and at - runs[-1][2] <= gap + _HOP / RATE:
            runs[-1][2] = at
        else:
            runs.append([number, at, at])
    found = [Heard(int(number), start, end - start + _HOP / RATE) for number, start, end in runs]
    return [run for run in found if run.seconds >= least]


def _each_hop(recording: Samples) -> list[int | None]:
    window = np.hanning(_WINDOW)
    at = np.arange(_WINDOW) / RATE
    tones = np.array([np.exp(-2j * np.pi * tone * at) for tone in (*LOW, *HIGH)]) * window * 2 / window.sum()
    count = max(0, (len(recording) - _WINDOW) // _HOP + 1)
    numbers: list[int | None] = []
    for first in range(0, count, 1_000):
        hops = range(first, min(first + 1_000, count))
        frames = np.stack([recording[hop * _HOP : hop * _HOP + _WINDOW] for hop in hops]) / 32_768
        levels = np.abs(frames @ tones.T)
        low, high = levels[:, : len(LOW)], levels[:, len(LOW) :]
        for one, other in zip(low, high, strict=True):
            sounds = min(one.max(), other.max()) >= _LOUD
            numbers.append(int(one.argmax()) * len(HIGH) + int(other.argmax()) if sounds else None)
    return numbers
