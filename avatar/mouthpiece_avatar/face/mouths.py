"""The drawn mouths, and which of them make up a mouth of speech.

Most lie on a grid of jaw by lips, dense enough that neighbours blend; the others stand for what no grid holds: lips
pressed, the lower lip at the teeth, teeth closed, the tongue behind them.
"""

from __future__ import annotations

import numpy as np

from mouthpiece_avatar.face.mouth import MouthShape
from mouthpiece_avatar.lips.mouth import Mouth

JAWS = (0.06, 0.12, 0.28, 0.44, 0.62, 0.8, 1.0)
LIPS = (-1.0, -0.5, 0.0, 0.9)
"""-1 rounded, 0 at ease, 1 wide."""
CLOSED, PRESSED, BITE, HISS, HUSH, TONGUE, SMILING = range(7)
_GRID = 7
MOUTHS = (
    MouthShape(0.0, 0.0),
    MouthShape(0.0, 0.0, pressed=True),
    MouthShape(0.12, 0.1, bite=True),
    MouthShape(0.14, 0.5, teeth=True),
    MouthShape(0.16, -0.6, teeth=True),
    MouthShape(0.34, 0.2, tongue=True),
    MouthShape(0.0, 0.0, smile=1.0),
    *(MouthShape(jaw, lips) for jaw in JAWS for lips in LIPS),
)
WHOLE = 16
Blend = tuple[tuple[int, int], ...]
"""Numbers of mouths and their weights, which make up ``WHOLE``."""
SHUT: Blend = ((CLOSED, WHOLE),)
_AT_EASE = 0.25
"""Width that is neither rounded nor drawn wide."""


def blend_of(mouth: Mouth, smile: float = 0.0) -> Blend:
    """Return what makes up a mouth; at most four drawings.

    :param smile: 0 to 1, how far lips that are closed and at rest smile.
    """
    if mouth.closure > 0.9:
        return ((PRESSED, WHOLE),)
    shares = np.zeros(len(MOUTHS))
    bite = _clear(mouth.bite)
    teeth = _clear(mouth.teeth) * (1 - bite)
    tongue = _clear(mouth.tongue) * (mouth.jaw < 0.45) * (1 - bite) * (1 - teeth) * 0.8
    rounded = min(1.0, mouth.pucker / 0.55)
    shares[BITE], shares[HISS], shares[HUSH], shares[TONGUE] = bite, teeth * (1 - rounded), teeth * rounded, tongue
    rest = 1 - bite - teeth - tongue
    lips = mouth.width - _AT_EASE
    lips = (lips / (0.9 - _AT_EASE) * 0.9 if lips > 0 else 0.0) - mouth.pucker * 1.15
    column, across = _between(LIPS, lips)
    if mouth.jaw <= JAWS[0]:
        opened = max(0.0, (mouth.jaw - 0.03) / (JAWS[0] - 0.03))
        shares[CLOSED] += rest * (1 - opened) * (1 - mouth.closure)
        shares[PRESSED] += rest * (1 - opened) * mouth.closure
        shares[SMILING] = shares[CLOSED] * smile
        shares[CLOSED] -= shares[SMILING]
        row, down = 0, 0.0
        rest *= opened
    else:
        row, down = _between(JAWS, mouth.jaw)
    for at, part in ((row, 1 - down), (row + 1, down)):
        if part:
            first = _GRID + at * len(LIPS) + column
            shares[first] += rest * part * (1 - across)
            if across:
                shares[first + 1] += rest * part * across
    return _rounded(shares)


def _between(steps: tuple[float, ...], value: float) -> tuple[int, float]:
    """Return the step below a value, and how far it is on the way to the next one."""
    value = min(max(value, steps[0]), steps[-1])
    below = max(0, min(len(steps) - 2, int(np.searchsorted(steps, value, side="right")) - 1))
    return below, (value - steps[below]) / (steps[below + 1] - steps[below])


def _clear(share: float) -> float:
    """Return a share that is nearer to all or nothing: two drawings one through the other look like neither."""
    return min(1.0, max(0.0, (share - 0.3) / 0.35))


def _rounded(shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Blend:
    most = sorted(np.argsort(-shares, kind="stable")[:4].tolist())
    total = float(shares[most].sum())
    weights = {mouth: round(float(shares[mouth]) / total * WHOLE) for mouth in most}
    largest = max(weights, key=lambda mouth: weights[mouth])
    weights[largest] += WHOLE - sum(weights.values())
    return tuple((mouth, weight) for mouth, weight in weights.items() if weight)
