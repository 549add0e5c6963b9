"""The form in which Anam takes sound, and when it has played, by the clock.

Source: Anam's cookbook, "Python audio passthrough with custom TTS" (2026-02-19): s16le, 16 to 48 kHz, 24 kHz best,
in chunks of 500 ms; the engine does not resample what it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mouthpiece.pcm import Chain, Chunker, MixDown, Resampler

LOWEST: Final = 16_000
HIGHEST: Final = 48_000
BEST: Final = 24_000
"""Hertz."""
CHUNK: Final = 0.5
"""Seconds."""


def sent_rate(sample_rate: int) -> int:
    """Hertz that a sound of this rate is sent at: its own where Anam takes it, else the one that Anam advises."""
    return sample_rate if LOWEST <= sample_rate <= HIGHEST else BEST


def transforms(sample_rate: int) -> Chain:
    """From blocks of any rate and channels to chunks as they are sent at ``sample_rate``."""
    return Chain(MixDown(), Resampler(sample_rate), Chunker(CHUNK))


@dataclass(slots=True)
class Playout:
    """When what was pushed plays, as far as a clock can tell: at once, or after what was pushed before it.

    Anam tells nothing of it. Times are seconds of the same monotonic clock.
    """

    sent: float = 0.0
    """Seconds of sound."""
    ends: float | None = None
    """When the last of it will have played; None: nothing was pushed."""

    def pushed(self, now: float, seconds: float) -> None:
        self.ends = max(now if self.ends is None else self.ends, now) + seconds
        self.sent += seconds

    def position(self, now: float) -> float:
        """Seconds of it that have played."""
        return 0.0 if self.ends is None else max(0.0, self.sent - max(0.0, self.ends - now))
