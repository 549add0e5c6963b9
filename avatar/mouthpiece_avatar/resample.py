"""A windowed-sinc resampler with little delay, whose output does not depend on how its input was cut.

libsoxr, which serves the senders, holds 20 to 170 ms of sound back before its first sample comes out and dithers by
the block; a face that must open its mouth now, and draw the same frames from the same sound, can have neither. Here
sixteen input samples are held back (1 ms at 16 kHz), and because coefficients are whole numbers the sums are exact:
the same sound gives the same samples, bit for bit, whatever the pushes were.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from mouthpiece.audio.pcm import Pcm, Samples

ZEROS = 16
"""Zero crossings of the sinc on each side of its centre."""
BETA = 8.0
"""Of the Kaiser window: 80 dB of stop band."""
ROLLOFF = 0.945
"""Edge of the pass band, as a share of the lower Nyquist frequency."""
SCALE = 1 << 15
"""Coefficients are whole numbers of 1/SCALE: sums of products with int16 stay below 2**53, so float64 is exact."""


class Resampler:
    """Mono sound at any rate to ``sample_rate``; a transform in the shape of ``mouthpiece.audio.pcm``.

    The input's rate is that of the first push after a start, a flush or a clear.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self.clear()

    def clear(self) -> None:
        self._source = 0
        self._held: npt.NDArray[np.float64] = np.zeros(0)
        self._start = 0  # input index of _held[0]
        self._taken = 0  # input samples pushed
        self._given = 0  # output samples made

    def push(self, pcm: Pcm) -> list[Pcm]:
        """:raises ValueError: not mono, or another rate than the sound that is being resampled."""
        if pcm.channels != 1:
            raise ValueError("only mono sound can be resampled here")
        if self._taken and pcm.sample_rate != self._source:
            raise ValueError(f"sound changed from {self._source} to {pcm.sample_rate} hertz in mid-stream")
        if not pcm.frames:
            return []
        if not self._taken:
            self._source = pcm.sample_rate
            self._ratio = Fraction(self._rate, pcm.sample_rate)
            self._table = _table(self._ratio.numerator, self._ratio.denominator)
            half = self._table.shape[1] // 2
            self._held, self._start = np.zeros(half - 1), 1 - half
        self._taken += pcm.frames
        samples = pcm.samples.reshape(-1)
        if self._ratio == 1:
            self._given += pcm.frames
            return [Pcm(samples, self._rate)]
        self._held = np.concatenate((self._held, samples))
        return self._make(self._end() - self._table.shape[1] // 2)

    def flush(self) -> list[Pcm]:
        out: list[Pcm] = []
        if self._taken and self._ratio != 1:
            self._held = np.concatenate((self._held, np.zeros(self._table.shape[1])))
            out = self._make(self._taken, limit=round(self._taken * self._ratio))
        self.clear()
        return out

    def _end(self) -> int:
        return self._start + len(self._held)

    def _make(self, reach: int, limit: int | None = None) -> list[Pcm]:
        """Compute the outputs whose centre lies before input index ``reach``, up to ``limit`` of them in all."""
        up, down = self._ratio.numerator, self._ratio.denominator
        end = max(0, -(-reach * up // down))
        if limit is not None:
            end = min(end, limit)
        if end <= self._given:
            return []
        sums = self._sums(self._given, end)
        self._given = end
        spent = max(0, end * down // up - (self._table.shape[1] // 2 - 1) - self._start)
        self._held, self._start = self._held[spent:].copy(), self._start + spent
        block: Samples = np.clip(np.rint(sums / SCALE), -32768, 32767).astype(np.int16)
        return [Pcm(block, self._rate)]

    def _sums(self, start: int, end: int) -> npt.NDArray[np.float64]:
        """Return the outputs ``start`` to ``end``, times ``SCALE``."""
        up, down = self._ratio.numerator, self._ratio.denominator
        width = self._table.shape[1]
        before = width // 2 - 1 + self._start
        if down == 1:  # as from 16 or 24 kHz: each phase is one filter over neighbouring samples, a tenth of the time
            first, last = start // up, -(-end // up)
            held = self._held[first - before : last - before + width - 1]
            phases = np.stack([np.correlate(held, coefficients, "valid") for coefficients in self._table], axis=1)
            return phases.reshape(-1)[start - first * up : end - first * up]
        at = np.arange(start, end, dtype=np.int64) * down
        windows = np.lib.stride_tricks.sliding_window_view(self._held, width)
        sums: npt.NDArray[np.float64] = np.einsum("nk,nk->n", windows[at // up - before], self._table[at % up])
        return sums


@functools.lru_cache(maxsize=16)
def _table(up: int, down: int) -> npt.NDArray[np.float64]:
    """Whole-number coefficients, (phases, taps), of a low pass at the lower of both Nyquist frequencies.

    Source of the formulas: J. O. Smith, "Digital Audio Resampling", Stanford CCRMA; the Kaiser window of numpy.
    """
    cutoff = ROLLOFF * min(1.0, up / down)  # as a share of the input's Nyquist frequency
    half = math.ceil(ZEROS / min(1.0, up / down))
    phases = np.arange(up)[:, None] / up
    distance = np.arange(1 - half, half + 1)[None, :] - phases
    window = np.i0(BETA * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, None))) / np.i0(BETA)
    ideal = cutoff * np.sinc(cutoff * distance) * window
    ideal /= ideal.sum(axis=1, keepdims=True)  # every phase passes a constant unchanged
    return np.rint(ideal * SCALE)
