"""The schedule of sending: how far ahead of playback, and how much a write. The ledger grants by it, and the stream
cuts its writes by it."""

from __future__ import annotations

from typing import Final

LEAD: Final = 2.0
"""Seconds that sending may be ahead of the playout clock (docs/wire.md, way 6)."""
BURST: Final = 0.5
"""Seconds that are sent at once at a start; from there the lead grows to ``LEAD`` at twice real time."""
QUANTUM: Final = 0.25
"""Seconds a write: each is a round trip through the SDK's FFI and a wake-up of the whole path. A tenth of a second
costs half as much processor again (bench/sender_load.py), and an interrupt does not wait for it."""
STEADY: Final = 0.5
"""Seconds a write once there is a lead to live on."""
STEADY_AFTER: Final = 2.0
"""Seconds of an attempt from which that holds."""


def write_length(sent: float, quantum: float = QUANTUM) -> float:
    """Return the seconds of the next write, and of the next grant, once ``sent`` seconds of an attempt are out."""
    return quantum if sent < STEADY_AFTER else max(quantum, STEADY)


def allowance(elapsed: float | None) -> float:
    """Return the seconds of an attempt that may have been sent.

    :param elapsed: seconds since its playout began, negative while the attempt before it still plays; None before
        its first write.
    """
    if elapsed is None:
        return BURST
    if elapsed < 0:
        return elapsed + LEAD
    return min(elapsed + LEAD, BURST + 2 * elapsed)
