"""Lays the envelope of what came back over that of what was sent.

Compared are contours: decibels above the background, at most ``RANGE`` of them, so neither the gain nor a steady noise
counts. A receiver's jitter buffer leaves sound out or stretches it, so the lag is followed in steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mouthpiece.listening.envelope import Levels, frames

Contour = npt.NDArray[np.float64]
Frames = npt.NDArray[np.bool_]

SILENT: Final = -50.0
"""Decibels below full scale under which a level is silence."""
RANGE: Final = 40.0
"""Decibels."""
STANDS_OUT: Final = 6.0
"""Decibels above the background from which a level counts as sound."""
LOUD: Final = 25.0
"""Decibels below the loudest within which a sound begins and ends."""
QUIET: Final = 0.2
"""Seconds: the background is the quietest stretch of so long."""
STEADY: Final = 3.0
"""Decibels of standard deviation under which a sound has no shape of its own, but for its beginning and its end."""
MARGIN: Final = 0.3
"""Seconds before and after the sound that are compared too."""
HEAD: Final = 6.0
"""Seconds of the sound, from its first loud frame on, by which the lag is found."""
STEP: Final = 1.0
"""Seconds after which the lag is looked at again."""
STEPS: Final = 30
"""Looks at the lag in one sound; where that is not enough they are further apart."""
DRIFT: Final = 0.15
"""Seconds by which the lag may change over the whole sound, 0.06 from one step to the next."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """The levels of one envelope, in decibels."""

    contour: Contour
    """Above the background; NaN where nothing is known."""
    peak: float
    """Of the contour; 0: nothing stands out."""
    loudest: float
    """Decibels below full scale."""

    @classmethod
    def of(cls, levels: Levels) -> Loudness:
        known = levels[~np.isnan(levels)]
        if not len(known):
            return cls(np.full(len(levels), np.nan), 0.0, float("-inf"))
        decibels = 20 * np.log10(np.maximum(levels.astype(np.float64), 1.0) / 32_768)
        loudest = float(20 * np.log10(max(float(np.percentile(known, 98)), 1.0) / 32_768))
        floor = max(SILENT - STANDS_OUT, _background(known), loudest - RANGE)
        contour = np.clip(decibels - floor, 0.0, RANGE)
        return cls(contour, max(0.0, loudest - floor), loudest)

    @property
    def stands_out(self) -> bool:
        """There is more than silence and a steady noise."""
        return self.loudest >= SILENT and self.peak >= STANDS_OUT

    def active(self, depth: float = LOUD) -> Frames:
        """Return the frames that are at most ``depth`` decibels below the loudest."""
        return np.nan_to_num(self.contour, nan=-1.0) > max(0.0, self.peak - depth)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What came back, laid over what was sent, with ``MARGIN`` seconds before and after; both of one length."""

    sent: Contour
    heard: Contour
    """NaN where nothing is known."""
    sent_active: Frames
    heard_active: Frames
    lag: int
    """Frames from the first write to the sound's first frame."""
    lag_at_end: int

    @property
    def known(self) -> Frames:
        return ~np.isnan(self.heard)

    def correlation(self, start: int = 0, until: int | None = None) -> float:
        """Return Pearson's coefficient over the known frames from ``start`` to ``until``; 0 where either is flat."""
        known = self.known[start:until]
        sent, heard = self.sent[start:until][known], self.heard[start:until][known]
        if len(sent) < 2 or sent.std() == 0 or heard.std() == 0:
            return 0.0
        return float(np.corrcoef(sent, heard)[0, 1])

    @property
    def correlation_within(self) -> float:
        """As ``correlation``, without the silence around the sound; 1 for a sound that is steady in itself."""
        first, last = int(np.argmax(self.sent_active)), len(self.sent) - int(np.argmax(self.sent_active[::-1]))
        return 1.0 if self.sent[first:last].std() < STEADY else self.correlation(first, last)


def overlay(sent: Loudness, heard: Loudness, lags: range, alone_until: int) -> Overlay | None:
    """Return the best overlay whose lag is among ``lags``, in frames; None if there is none.

    :param heard: from the first write on.
    :param alone_until: the frame of ``heard`` from which the next sound of ours may be on the track too: what lies
        behind the sound counts up to there.
    """
    pad = frames(MARGIN)
    depth = max(STANDS_OUT / 2, min(LOUD, heard.peak - STANDS_OUT / 2))
    sent_active, padded = np.pad(sent.active(depth), pad), np.pad(sent.contour, pad)
    first = int(np.argmax(sent_active))
    base = max(0, first - pad)
    head = padded[base : first + frames(HEAD)]
    start = _best(head, heard.contour, range(lags.start + base - pad, lags.stop + base - pad))
    if start is None:
        return None
    lag = start - base + pad
    aligned, at_end = _followed(padded, heard.contour, lag, pad)
    behind = len(padded) - pad
    aligned[max(behind, min(len(padded), alone_until - at_end + pad)) :] = np.nan
    heard_active = np.nan_to_num(aligned, nan=-1.0) > max(0.0, heard.peak - depth)
    return Overlay(padded, aligned, sent_active, heard_active, lag, at_end)


def _background(known: Levels) -> float:
    """Return the level of the quietest ``QUIET`` seconds, in decibels below full scale."""
    size = min(frames(QUIET), len(known))
    power = np.convolve(known.astype(np.float64) ** 2, np.ones(size) / size, "valid")
    return float(10 * np.log10(max(float(power.min()), 1.0) / 32_768**2)) + 1.0


def _cut(contour: Contour, start: int, length: int) -> Contour:
    """Return ``length`` frames from ``start`` on; NaN where there are none."""
    out = np.full(length, np.nan)
    low, high = max(0, start), min(len(contour), start + length)
    if high > low:
        out[low - start : high - start] = contour[low:high]
    return out


def _best(part: Contour, heard: Contour, starts: range) -> int | None:
    """Return the frame of ``heard`` from which on it correlates best with ``part``, among ``starts``; the first of
    equals, None if it does from none of them."""
    if not len(starts):
        return None
    window = _cut(heard, starts.start, len(starts) + len(part) - 1)
    known = (~np.isnan(window)).astype(np.float64)
    window = np.nan_to_num(window)
    ones = np.ones(len(part))
    count = np.correlate(known, ones, "valid")
    sent, sent2 = np.correlate(known, part, "valid"), np.correlate(known, part**2, "valid")
    got, got2 = np.correlate(window, ones, "valid"), np.correlate(window**2, ones, "valid")
    both = np.correlate(window, part, "valid")
    spread = (count * sent2 - sent**2) * (count * got2 - got**2)
    valid = (count >= 0.5 * len(part)) & (spread > 1e-3)
    if not valid.any():
        return None
    score = np.where(valid, (count * both - sent * got) / np.sqrt(np.where(valid, spread, 1.0)), -1.0)
    # Where more is known there is more to bear it out.
    return starts[int(np.argmax(np.round(score * count / len(part), 3)))]


def _followed(sent: Contour, heard: Contour, lag: int, pad: int) -> tuple[Contour, int]:
    """Return ``heard`` laid over ``sent`` step by step, and the lag at its end."""
    low, high = lag - frames(DRIFT), lag + frames(DRIFT)
    step = max(frames(STEP), len(sent) // STEPS)
    parts = []
    for start in range(0, len(sent), step):
        base = max(0, start - step // 2) - pad  # with its surroundings: a step alone may hold nothing that stands out
        around = sent[base + pad : start + step + step // 2]
        nearby = range(max(low, lag - 3), min(high, lag + 3) + 1)
        found = _best(around, heard, range(nearby.start + base, nearby.stop + base))
        if found is not None and start > 0:
            lag = found - base
        parts.append(_cut(heard, start - pad + lag, len(sent[start : start + step])))
    return np.concatenate(parts), lag
