"""Analyses speech: how far the mouth is open that makes it, how wide, and whether the teeth are closed.

Causal, and by the sample: hop ``k`` is decided by the samples up to its end alone, one hop at a time, so the same
sound gives the same figures however it was cut into pushes. The measures are coarse formants: a low first formant
means a closed vowel, a high second one a wide mouth (Peterson and Barney 1952), energy above 4.5 kHz without voice a
sibilant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mouthpiece.audio.pcm import Samples

RATE = 48_000
HOP = 480
"""Samples that one articulation stands for."""
_WINDOW = 2 * HOP
_FLOOR_DB = -52.0
"""Level, relative to full scale, below which there is no speech."""
_RANGE_DB = 26.0
"""How far below the peak of the voice a level begins to open the mouth."""
_PEAK_FALL_DB = 0.05
"""By which the remembered peak falls at each hop, so that a quieter voice is followed within seconds."""
_QUIET_PEAK_DB = -30.0


@dataclass(frozen=True, slots=True)
class Articulation:
    """The mouth at one moment."""

    open: float = 0.0
    """0 closed to 1."""
    wide: float = 0.0
    """-1 rounded to 1 wide."""
    hiss: float = 0.0
    """0 to 1: how much it sounds like a sibilant."""
    loud: float = 0.0
    """0 to 1, against the voice's own peak."""


SILENT = Articulation()


class LipSync:
    """Speech in, one articulation out for each complete hop."""

    def __init__(self) -> None:
        self._window = np.hanning(_WINDOW)
        frequencies = np.fft.rfftfreq(_WINDOW, 1 / RATE)
        self._bands = [
            (low <= frequencies) & (frequencies < high)
            for low, high in ((120, 450), (450, 1_000), (1_000, 1_700), (1_700, 3_200), (4_500, 10_000))
        ]
        self.clear()

    def clear(self) -> None:
        """Forget what was heard."""
        self._held: npt.NDArray[np.float64] = np.zeros(_WINDOW - HOP)
        self._peak = _QUIET_PEAK_DB

    def push(self, samples: Samples) -> list[Articulation]:
        """Take samples, mono at ``RATE``; return the articulations of the hops that they complete."""
        self._held = np.concatenate((self._held, samples / 32768.0))
        hops = (len(self._held) - (_WINDOW - HOP)) // HOP
        heard = [self._articulate(self._held[hop * HOP : hop * HOP + _WINDOW]) for hop in range(hops)]
        self._held = self._held[hops * HOP :]
        return heard

    def _articulate(self, block: npt.NDArray[np.float64]) -> Articulation:
        level = 10 * np.log10(float(np.mean(np.square(block))) + 1e-12)
        self._peak = max(level, self._peak - _PEAK_FALL_DB, _QUIET_PEAK_DB)
        if level < _FLOOR_DB:
            return SILENT
        loud = float(np.clip((level - self._peak + _RANGE_DB) / _RANGE_DB, 0, 1))
        power = np.square(np.abs(np.fft.rfft(block * self._window)))
        low, first, middle, second, hiss = (float(power[band].sum()) + 1e-9 for band in self._bands)
        voice = low + first + middle + second
        sibilant = float(np.clip((hiss / (voice + hiss) - 0.25) / 0.4, 0, 1))
        height = float(np.clip(0.5 + 0.32 * np.log10((first + middle) / low), 0, 1))  # of the first formant
        front = float(np.clip(0.6 * np.log10(second / (0.35 * (first + middle) + 0.05 * low)) + 0.45, -1, 1))
        return Articulation(
            open=min(1.0, 1.15 * loud * (0.35 + 0.65 * height)) * (1 - 0.7 * sibilant),
            wide=front if loud > 0.05 else 0.0,
            hiss=sibilant * loud,
            loud=loud,
        )


def blend(parts: list[Articulation]) -> Articulation:
    """Combine the hops that one picture shows: the widest opening, the mean of the rest."""
    if not parts:
        return SILENT
    weight = sum(part.loud for part in parts) or 1.0
    return Articulation(
        open=max(part.open for part in parts),
        wide=sum(part.wide * part.loud for part in parts) / weight,
        hiss=sum(part.hiss for part in parts) / len(parts),
        loud=max(part.loud for part in parts),
    )
