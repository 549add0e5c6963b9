"""The schedule of sending: how far ahead of playback, and how much a write."""

from __future__ import annotations

LEAD = 2.0
"""Seconds that sending may be ahead of the playout clock (wire.md, 6)."""
BURST = 0.5
"""Seconds that are sent at once at a start; from there the lead grows to ``LEAD`` at twice real time."""
QUANTUM = 0.25
"""Seconds a write: each is a round trip through the SDK's FFI and a wake-up of the whole path. A tenth of a second
costs half as much processor again (bench/sender_load.py), and an interrupt does not wait for it."""
STEADY = 0.5
"""Seconds a write once there is a lead to live on."""
STEADY_AFTER = 2.0
"""Seconds of an attempt from which that holds."""


def step(granted: float) -> float:
    """Seconds to grant at a time, once ``granted`` seconds of the attempt have been."""
    return QUANTUM if granted < STEADY_AFTER else STEADY
