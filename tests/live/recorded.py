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
"""Seconds that are looked for at a time: a busy machine leaves holes, and a jitter buffer shifts what follows."""
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
    """Decibels over the sound's, the median of its pieces."""
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
    found = list(_pieces(heard, given[said]))
    if not found:
        return None
    longer = (there.stop - there.start - said.stop + said.start) / _RATE
    return Recorded(longer, float(np.median([level for _, level in found])), tuple(alike for alike, _ in found))


def _resampled(samples: Samples, rate: int) -> Signal:
    return np.asarray(soxr.resample(samples.astype(np.float64), rate, _RATE), dtype=np.float64)


def _loud_span(signal: Signal) -> slice | None:
    frame = round(_FRAME * _RATE)
    frames = signal[: len(signal) - len(signal) % frame].reshape(-1, frame)
    loud = np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) >= LOUD)
    return slice(int(loud[0]) * frame, (int(loud[-1]) + 1) * frame) if len(loud) else None


def _pieces(heard: Signal, given: Signal) -> Iterator[tuple[float, float]]:
    """The correlation of each loud piece of ``given`` with what is most like it in ``heard``, and the level of that."""
    piece = round(PIECE * _RATE)
    padded = np.concatenate([np.zeros(piece), heard, np.zeros(piece)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, piece)
    norms = np.sqrt(np.convolve(padded**2, np.ones(piece), "valid"))
    for start in range(0, len(given) - piece + 1, piece):
        part = given[start : start + piece]
        norm = float(np.linalg.norm(part))
        if norm / np.sqrt(piece) < LOUD:
            continue
        alike = np.abs(windows @ part) / np.maximum(norms * norm, 1e-9)
        alike[norms < 0.1 * norm] = 0.0
        best = int(alike.argmax())
        yield float(alike[best]), float(20 * np.log10(max(norms[best], 1e-9) / norm))
