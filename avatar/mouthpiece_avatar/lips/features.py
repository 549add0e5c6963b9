"""Speech as the lip model hears it: 24 mel bands and two levels for each 10 ms, whatever the voice and its loudness.

Causal, one hop at a time, so the same sound gives the same figures however it was cut into pushes. The bins of the
spectrum lie 40 Hz apart at any rate that is a multiple of 400 Hz, so a model trained at 16 kHz takes sound at 48 kHz.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

HOP = 0.010
"""Seconds."""
WINDOW = 0.025
"""Seconds, about the middle of the hop."""
BANDS = 24
WIDTH = BANDS + 2
"""Figures per hop: the bands against the voice's own mean, the level against its peak and against the noise."""
_BIN = 40.0
"""Hertz."""
_TOP = 7_600.0
_BINS = int(_TOP / _BIN) + 1
_AT_ONCE = 100
"""Hops whose spectra are made by one call, at most: a call takes longer than the spectrum of a hop."""
_EMPTY = 1e-11
"""Power in a band of digital silence: below the rounding noise of 16 bits."""
_SCALE = 0.08
"""From dB to figures about 1."""
_FIRST_PEAK = -55.0
"""dB of full scale: the peak of a voice that was not heard yet."""
_PEAK_FALL = 0.03
"""dB at each hop of sound, by which the remembered peak falls."""
_PEAK_FALL_AT_REST = 0.003
"""dB at each hop that is no louder than the noise: a pause must not make the noise a voice."""
_SOUND = 9.0
"""dB above the noise that count as sound."""
_FLOOR_RISE = 0.06
"""dB at each hop by which the remembered noise rises towards what is heard."""
_LOUD = 22.0
"""dB below the peak within which a hop counts as voice, for the voice's mean."""
_AUDIBLE = 26.0
"""dB below the peak at which loudness is 0."""
_PRIOR_HOPS = 60
"""Hops that the mean of all voices is worth."""
_MEMORY_HOPS = 800
"""Hops over which the voice's mean reaches."""


def mel_bank(warp: float = 1.0) -> Floats:
    """Return the weights of the bins in each band, (BANDS, bins); ``warp`` stretches the frequencies of the voice."""
    edges = np.linspace(_mel(100.0), _mel(_TOP), BANDS + 2)
    hertz = 700 * (10 ** (edges / 2595) - 1)
    at = np.arange(_BINS) * _BIN / warp
    low, middle, high = hertz[:-2, None], hertz[1:-1, None], hertz[2:, None]
    bank = np.clip(np.minimum((at - low) / (middle - low), (high - at) / (high - middle)), 0, None)
    return bank.astype(np.float32)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def loudness(row: Floats) -> float:
    """Return how loud a hop is against the voice's peak, 0 to 1."""
    return min(1.0, max(0.0, 1 + (float(row[BANDS]) - 1) / _SCALE / _AUDIBLE))


def silent_row(prior: Floats) -> Floats:
    """Return the figures of a hop of digital silence before any voice was heard, (WIDTH,)."""
    features = Features(16_000, prior)
    return features.follow(np.full(BANDS, 10 * np.log10(_EMPTY), np.float32), 10 * math.log10(BANDS * _EMPTY))


class Features:
    """``push`` sound, get one row for each complete hop."""

    def __init__(self, rate: int, prior: Floats, *, bank: Floats | None = None) -> None:
        """
        :param rate: hertz, a multiple of 400, at least 16000.
        :param prior: mean of the bands against the peak over many voices, in dB, (BANDS,).
        """
        self._hop = round(rate * HOP)
        self._size = round(rate * WINDOW)
        window = np.hanning(self._size + 1)[:-1]
        self._window = (window / window.sum()).astype(np.float32)
        self._bank = mel_bank() if bank is None else bank
        self._prior = prior
        self.clear()

    def clear(self) -> None:
        """Forget what was heard, the voice included."""
        self._held: Floats = np.zeros((self._size - self._hop) // 2, np.float32)
        self._peak = _FIRST_PEAK
        self._floor: float | None = None
        self._mean = self._prior.astype(np.float32)
        self._hops = float(_PRIOR_HOPS)

    def push(self, samples: npt.NDArray[np.int16]) -> list[Floats]:
        """Take samples, mono; return the figures of the hops whose window they complete, each (WIDTH,)."""
        self._held = np.concatenate((self._held, samples.astype(np.float32) / np.float32(32768)))
        count = max(0, (len(self._held) - self._size) // self._hop + 1)
        rows: list[Floats] = []
        for first in range(0, count, _AT_ONCE):
            hops = min(_AT_ONCE, count - first)
            held = self._held[first * self._hop : (first + hops - 1) * self._hop + self._size]
            rows += self._rows(np.lib.stride_tricks.sliding_window_view(held, self._size)[:: self._hop])
        self._held = self._held[count * self._hop :]
        return rows

    def spectra(self, samples: Floats) -> tuple[Floats, Floats]:
        """Return the bands and the level of each hop of a whole sound, in dB, (hops, BANDS) and (hops,); keeps nothing.

        :param samples: -1 to 1.
        """
        pad = (self._size - self._hop) // 2
        padded = np.pad(samples, (pad, self._size))
        count = len(samples) // self._hop
        windows = np.lib.stride_tricks.sliding_window_view(padded, self._size)[:: self._hop][:count]
        spectrum = np.fft.rfft(windows * self._window, axis=1)[:, :_BINS]
        power = np.asarray((spectrum.real**2 + spectrum.imag**2) @ self._bank.T, np.float32)
        empty = np.float32(_EMPTY)
        return 10 * np.log10(power + empty), 10 * np.log10(power.sum(axis=1) + empty)

    def _rows(self, windows: Floats) -> list[Floats]:
        spectra = np.fft.rfft(windows * self._window, axis=1)[:, :_BINS]
        bands = np.stack([self._bank @ power for power in spectra.real**2 + spectra.imag**2])
        decibels = 10 * np.log10(bands + np.float32(_EMPTY))
        levels = [10 * math.log10(power + _EMPTY) for power in bands.sum(axis=1).tolist()]
        return [self.follow(each, level) for each, level in zip(decibels, levels, strict=True)]

    def follow(self, decibels: Floats, level: float) -> Floats:
        """Set one hop's bands against what was heard before it."""
        self._floor = level if self._floor is None else min(level, self._floor + _FLOOR_RISE)
        fall = _PEAK_FALL if level > self._floor + _SOUND else _PEAK_FALL_AT_REST
        self._peak = max(level, self._peak - fall, _FIRST_PEAK)
        bands = decibels - np.float32(self._peak)
        if level > self._peak - _LOUD:
            self._hops = min(self._hops + 1, _MEMORY_HOPS)
            self._mean = self._mean + (bands - self._mean) * np.float32(1 / self._hops)
        row = np.empty(WIDTH, np.float32)
        row[:BANDS] = (bands - self._mean) * np.float32(_SCALE)
        row[BANDS] = (level - self._peak) * _SCALE + 1
        row[BANDS + 1] = (level - self._floor) * _SCALE - 1
        return row
