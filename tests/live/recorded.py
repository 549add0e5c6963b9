"""What a viewer recorded of one sound, against the sound as it was decoded: length, level and likeness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from mouthpiece.audio.pcm import Samples
from tests.live.viewer import LOUD, SAMPLE_RATE

PIECE: Final = 0.2
"""Seconds that are compared at a time: a jitter buffer that catches up shifts what comes after it."""
SHIFT: Final = 0.1
"""Seconds by which a piece may lie before its place, or behind it."""
HOLE: Final = 0.3
"""Seconds that a busy machine may leave between two pieces."""
_RATE: Final = 8_000
"""Hertz at which they are compared."""
_FRAME: Final = 0.01
"""Seconds of which it is looked whether they are loud."""

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One sound in a recording."""

    longer: float
    """Seconds from its first loud moment to its last, more than in the sound itself."""
    level: float
    """Decibels of its loud span over the sound's."""
    pieces: tuple[float, ...]
    """The correlation of each piece: 1 for the same sound."""

    @property
    def likeness(self) -> float:
        """Of the piece that is least alike."""
        return min(self.pieces, default=0.0)


def judge(recording: Sequence[bytes], sound: Samples, rate: int) -> Recorded | None:
    """Compare a viewer's recording with the sound that it holds; None: nothing in the recording is loud.

    :param recording: s16le, mono, ``SAMPLE_RATE``, with silence around the sound.
    :param sound: mono, ``rate`` hertz.
    """
    heard, given = _resampled(np.frombuffer(b"".join(recording), np.int16), SAMPLE_RATE), _resampled(sound, rate)
    there, said = _loud_span(heard), _loud_span(given)
    if there is None or said is None:
        return None
    level = float(20 * np.log10(heard[there].std() / given[said].std()))
    longer = (there.stop - there.start - said.stop + said.start) / _RATE
    return Recorded(longer, level, tuple(_correlations(heard, given[said])))


def _resampled(samples: Samples, rate: int) -> Signal:
    return np.asarray(soxr.resample(samples.astype(np.float64), rate, _RATE), dtype=np.float64)


def _loud_span(signal: Signal) -> slice | None:
    frame = round(_FRAME * _RATE)
    frames = signal[: len(signal) - len(signal) % frame].reshape(-1, frame)
    loud = np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) >= LOUD)
    return slice(int(loud[0]) * frame, (int(loud[-1]) + 1) * frame) if len(loud) else None


def _correlations(heard: Signal, given: Signal) -> Iterator[float]:
    size = 1 << (len(heard) + len(given)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(given, size)), size)
    place = int(np.argmax(np.abs(cross[: len(heard)])))
    piece, shift, hole = (round(seconds * _RATE) for seconds in (PIECE, SHIFT, HOLE))
    for start in range(0, len(given) - piece + 1, piece):
        part = given[start : start + piece]
        if np.sqrt((part**2).mean()) < LOUD:
            continue
        first = max(0, place + start - shift)
        around = heard[first : place + start + piece + shift + hole]
        if len(around) < piece:
            yield 0.0
            continue
        windows = np.lib.stride_tricks.sliding_window_view(around, piece)
        scale = np.maximum(np.linalg.norm(windows, axis=1) * np.linalg.norm(part), 1e-9)
        found = np.abs(windows @ part) / scale
        best = int(found.argmax())
        if found[best] > 0.9:
            place = first + best - start
        yield float(found[best])
