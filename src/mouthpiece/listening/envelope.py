"""Envelopes of sound: one level for each ``FRAME`` seconds, on a time line of seconds.

A level is the root mean square of 16-bit samples, 0 to 32,768; NaN where nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

FRAME: Final = 0.02
"""Seconds: an Opus packet."""
LIMIT: Final = 3600.0
"""Seconds of one envelope; what is longer is not compared."""

Levels = npt.NDArray[np.float32]
Samples = npt.NDArray[np.int16]


def frames(seconds: float) -> int:
    """Return the number of frames nearest to ``seconds``."""
    return round(seconds / FRAME)


def unknown(count: int) -> Levels:
    """Return ``count`` levels that are not known."""
    return np.full(max(0, count), np.nan, dtype=np.float32)


@dataclass(slots=True)
class _Levels:
    """Levels of samples that come in blocks of any size."""

    sample_rate: int
    """Hertz."""
    _rest: Samples = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    """Samples that do not fill a frame yet."""

    def push(self, samples: Samples) -> Levels:
        """Take mono samples; return the levels of the frames that are complete."""
        size = round(self.sample_rate * FRAME)
        joined = np.concatenate((self._rest, samples))
        whole = len(joined) // size
        self._rest = joined[whole * size :]
        blocks = joined[: whole * size].reshape(whole, size).astype(np.float32)
        return np.sqrt(np.mean(blocks**2, axis=1, dtype=np.float32))

    def flush(self) -> Levels:
        """Return the level of the last frame, which may be incomplete, or nothing."""
        size = round(self.sample_rate * FRAME)
        if not len(self._rest):
            return self.push(self._rest)
        return self.push(np.zeros(size - len(self._rest), dtype=np.int16))


@dataclass(slots=True)
class SentEnvelope:
    """Of one attempt, as an avatar plays it that begins with the first write: where all that was sent had been played
    before more came, there is silence."""

    sample_rate: int
    """Hertz of the mono samples."""
    begun_at: float | None = None
    """Monotonic seconds of the first write."""
    _levels: _Levels = field(init=False)
    _parts: list[Levels] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self._levels = _Levels(self.sample_rate)

    @property
    def duration(self) -> float:
        """Seconds, pauses included."""
        return self._count * FRAME

    @property
    def complete(self) -> bool:
        """Nothing of it is left out."""
        return self.duration <= LIMIT

    def write(self, pcm: bytes, now: float) -> None:
        """Take mono samples (s16le) that were written at ``now``."""
        if not self.complete:
            return
        if self.begun_at is None:
            self.begun_at = now
        elif (pause := frames(now - self.begun_at) - self._count) > 0:
            self._add(self._levels.flush())
            self._add(np.zeros(min(pause, frames(LIMIT)), dtype=np.float32))
        self._add(self._levels.push(np.frombuffer(pcm, dtype="<i2").astype(np.int16, copy=False)))

    def close(self) -> None:
        """All of it has been written."""
        self._add(self._levels.flush())

    def levels(self) -> Levels:
        return np.concatenate([unknown(0), *self._parts])

    def _add(self, levels: Levels) -> None:
        self._parts.append(levels)
        self._count += len(levels)


@dataclass(slots=True)
class HeardEnvelope:
    """Of an audio track, on the monotonic clock. Blocks of one subscription follow one another without a hole; one that
    comes late belongs where the others put it."""

    sample_rate: int
    """Hertz of the mono samples."""
    _origin: float | None = None
    """Monotonic seconds of the first level; None: there is none."""
    _levels: _Levels = field(init=False)
    _parts: list[Levels] = field(default_factory=list)
    _count: int = 0
    """Levels in ``_parts``."""
    _broken: bool = True
    """What comes next does not follow what came last."""

    def __post_init__(self) -> None:
        self._levels = _Levels(self.sample_rate)

    @property
    def until(self) -> float:
        """Monotonic seconds at which what was heard ends; minus infinity while nothing was."""
        return float("-inf") if self._origin is None else self._origin + self._count * FRAME

    def restart(self) -> None:
        """Another subscription begins."""
        self._broken = True

    def push(self, samples: Samples, now: float) -> None:
        """Take mono samples that came at ``now``."""
        if self._broken:
            self._broken = False
            self._levels = _Levels(self.sample_rate)
            if self._origin is not None:
                self._add(unknown(frames(now - self.until)))
        self._add(self._levels.push(samples))
        # No block can come before it was heard: the earliest says when that was.
        latest = now - self._count * FRAME
        self._origin = latest if self._origin is None else min(self._origin, latest)

    def window(self, start: float, end: float) -> Levels:
        """Return the levels from ``start`` to ``end``, monotonic seconds; fewer if nothing was heard up to ``end``."""
        if self._origin is None:
            return unknown(0)
        first, last = frames(start - self._origin), frames(end - self._origin)
        known = np.concatenate([unknown(0), *self._parts])
        self._parts = [known]
        return np.concatenate((unknown(min(-first, last - first)), known[max(0, first) : max(0, last)]))

    def forget(self, before: float) -> None:
        """Drop what was heard before ``before``, monotonic seconds; a part may stay."""
        while self._origin is not None and self._parts and before >= self._origin + len(self._parts[0]) * FRAME:
            dropped = len(self._parts.pop(0))
            self._count -= dropped
            self._origin += dropped * FRAME

    def _add(self, levels: Levels) -> None:
        self._parts.append(levels)
        self._count += len(levels)
