"""The audio format of Anam's passthrough.

Source: Anam's cookbook, "Python audio passthrough with custom TTS" (2026-02-19): s16le, 16 to 48 kHz, 24 kHz best,
in chunks of 500 ms; the engine does not resample.
"""

from __future__ import annotations

from typing import Final

LOWEST: Final = 16_000
HIGHEST: Final = 48_000
BEST: Final = 24_000
"""Hertz."""
CHUNK: Final = 0.5
"""Seconds."""


def sent_rate(sample_rate: int) -> int:
    """Return the rate (hertz) at which to send a sound: its own if Anam takes that, else the rate that Anam advises."""
    return sample_rate if LOWEST <= sample_rate <= HIGHEST else BEST
