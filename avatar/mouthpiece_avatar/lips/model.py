"""What the lips do at each hop of speech: a small network over the features, in plain numpy.

The weights are made by ``training/`` and lie beside this file. There are two sets: one hears ``AHEAD`` beyond the
moment that it judges, the other nothing.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from mouthpiece_avatar.lips.features import HOP, WIDTH, WINDOW, Features, Floats, loudness, silent_row


class Class(enum.IntEnum):
    """Groups of phones that look alike on the lips."""

    REST = 0
    LIPS = 1
    """p, b, m: the lips are closed."""
    TEETH_ON_LIP = 2
    """f, v."""
    HISS = 3
    """s, z, ts."""
    HUSH = 4
    """sh, zh, ch: teeth together, lips forward."""
    TONGUE = 5
    """t, d, n, l, r, th: made by the tongue behind or between the teeth."""
    BACK = 6
    """k, g, ng, h."""
    NEUTRAL = 7
    """The vowels of "the" and "bird"."""
    FRONT = 8
    """i."""
    HALF = 9
    """e."""
    OPEN = 10
    """a."""
    ROUND = 11
    """o."""
    PUCKER = 12
    """u, w, y."""


OFFSETS = {True: np.arange(-14, 5), False: np.arange(-15, 2)}
"""Hops whose features are looked at, counted from the hop that is judged; by whether the model hears ahead."""
AHEAD = {look_ahead: int(offsets[-1]) * HOP + WINDOW / 2 for look_ahead, offsets in OFFSETS.items()}
"""Seconds of sound after the middle of a hop that are heard before the lips there are known."""
_WEIGHTS = "weights.npz"


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one network."""

    prior: Floats
    """See :class:`Features`."""
    layers: tuple[tuple[Floats, Floats], ...]
    """Weights (out, in) and biases (out,) of each layer."""


@functools.cache
def load(look_ahead: bool) -> Weights:
    """Read the weights of the package."""
    with (files(__package__) / _WEIGHTS).open("rb") as file:
        kept = np.load(file, allow_pickle=False)
        name = "ahead" if look_ahead else "now"
        layers = tuple(
            (np.ascontiguousarray(kept[f"{name}_w{at}"], np.float32), kept[f"{name}_b{at}"].astype(np.float32))
            for at in range(3)
        )
        return Weights(kept["prior"].astype(np.float32), layers)


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """What the lips do for ``HOP`` seconds."""

    shares: Floats
    """Likelihood of each :class:`Class`, (13,)."""
    loud: float
    """0 to 1, against the voice's own peak."""


class LipModel:
    """``push`` sound, get what the lips do. The same sound gives the same figures however it was cut."""

    def __init__(self, rate: int, *, look_ahead: bool = True, weights: Weights | None = None) -> None:
        """:param rate: hertz, a multiple of 400, at least 16000."""
        self._weights = load(look_ahead) if weights is None else weights
        self._offsets = OFFSETS[look_ahead]
        self._features = Features(rate, self._weights.prior)
        self._silence = silent_row(self._weights.prior)
        self.first_hop = max(0, -int(self._offsets[-1]))
        """Number of the first hop that is judged."""
        self._heard = len(self._offsets) - 1 - max(0, int(self._offsets[-1]))  # row of the hop, or the newest one
        self.clear()

    def clear(self) -> None:
        """Forget what was heard."""
        self._features.clear()
        self._rows: Floats = np.zeros((len(self._offsets), WIDTH), np.float32)
        self._rows[:] = self._silence
        self._ahead = max(0, int(self._offsets[-1]))  # hops that are still to come before the first is judged

    def push(self, samples: npt.NDArray[np.int16]) -> list[Hop]:
        """Take samples; return the hops that can be judged by now, in order."""
        judged = []
        for row in self._features.push(samples):
            self._rows[:-1] = self._rows[1:]
            self._rows[-1] = row
            if self._ahead:
                self._ahead -= 1
            else:
                judged.append(Hop(self._judge(self._rows.reshape(-1)), loudness(self._rows[self._heard])))
        return judged

    def _judge(self, rows: Floats) -> Floats:
        # np.vecdot keeps to this thread: a product of this size goes to BLAS's threads, and waits for a busy core
        inner = rows
        for weights, bias in self._weights.layers[:-1]:
            inner = np.maximum(np.vecdot(weights, inner) + bias, 0)
        weights, bias = self._weights.layers[-1]
        out = np.vecdot(weights, inner) + bias
        shares: Floats = np.exp(out - out.max())
        shares /= shares.sum()
        return shares
