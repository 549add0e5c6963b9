"""The mouth of each picture, out of what the lips do at the hops about it.

Neighbouring sounds blend (coarticulation) by a weighted mean over some 70 ms; a closure of the lips, which is shorter
than that and what an eye looks for, is not blended: it shows in the picture that it falls into. Lips are rounded before
a rounded sound begins and after it ends, so they are as round as the roundest that is blended. Nothing is remembered
from picture to picture but which shape was last named, so sound that is taken back leaves no trace in the face.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mouthpiece_avatar.lips.features import HOP, Floats
from mouthpiece_avatar.lips.model import AHEAD, Class, Hop, LipModel


class Shape(enum.Enum):
    """The nearest of the shapes that have a name."""

    REST = "rest"
    PBM = "pbm"
    FV = "fv"
    HISS = "hiss"
    MID = "mid"
    WIDE = "wide"
    ROUND = "round"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Mouth:
    """How a mouth stands. All from 0 to 1."""

    jaw: float = 0.0
    """How far the jaw has dropped."""
    width: float = 0.0
    """How far the corners are drawn apart."""
    pucker: float = 0.0
    """How far the lips are rounded and pushed forward."""
    closure: float = 0.0
    """How firmly the lips are closed: 1 for p, b, m."""
    bite: float = 0.0
    """How near the lower lip is to the upper teeth, as for f and v."""
    tongue: float = 0.0
    """How far the tongue shows behind the upper teeth, as for l and th."""
    teeth: float = 0.0
    """How far the teeth are closed, as for s."""
    loud: float = 0.0
    """Of the voice, against its own peak."""
    shape: Shape = Shape.REST


AT_REST = Mouth()

_TARGETS = np.array(
    # jaw, width, pucker, closure, bite, tongue, teeth
    [
        (0.00, 0.10, 0.00, 0.0, 0.0, 0.0, 0.0),  # REST
        (0.05, 0.10, 0.05, 1.0, 0.0, 0.0, 0.0),  # LIPS
        (0.16, 0.20, 0.00, 0.0, 1.0, 0.0, 0.0),  # TEETH_ON_LIP
        (0.14, 0.55, 0.00, 0.0, 0.0, 0.0, 1.0),  # HISS
        (0.18, 0.10, 0.55, 0.0, 0.0, 0.0, 1.0),  # HUSH
        (0.26, 0.35, 0.00, 0.0, 0.0, 1.0, 0.2),  # TONGUE
        (0.36, 0.30, 0.00, 0.0, 0.0, 0.1, 0.0),  # BACK
        (0.42, 0.25, 0.05, 0.0, 0.0, 0.1, 0.0),  # NEUTRAL
        (0.26, 0.90, 0.00, 0.0, 0.0, 0.1, 0.2),  # FRONT
        (0.52, 0.70, 0.00, 0.0, 0.0, 0.1, 0.0),  # HALF
        (0.95, 0.35, 0.00, 0.0, 0.0, 0.0, 0.0),  # OPEN
        (0.60, 0.05, 0.65, 0.0, 0.0, 0.0, 0.0),  # ROUND
        (0.28, 0.00, 1.00, 0.0, 0.0, 0.0, 0.0),  # PUCKER
    ],
    np.float32,
)
_PUCKER = 2
"""Column of ``_TARGETS``."""
_SHAPES = {
    Shape.REST: (Class.REST,),
    Shape.PBM: (Class.LIPS,),
    Shape.FV: (Class.TEETH_ON_LIP,),
    Shape.HISS: (Class.HISS, Class.HUSH),
    Shape.MID: (Class.TONGUE, Class.BACK, Class.NEUTRAL),
    Shape.WIDE: (Class.FRONT, Class.HALF),
    Shape.ROUND: (Class.ROUND, Class.PUCKER),
    Shape.OPEN: (Class.OPEN,),
}
_NAMED = np.zeros((len(_SHAPES), len(Class)), np.float32)
for _row, _classes in enumerate(_SHAPES.values()):
    _NAMED[_row, list(_classes)] = 1
_ORDER = tuple(_SHAPES)

_REACH = 0.035
"""Seconds to each side of a picture whose sounds are blended."""
_SNAP = 0.020
"""Seconds to each side of a picture within which a closure shows in it; between two hops, for pictures 40 ms apart."""
_CLOSED = 0.06
"""Share of ``LIPS`` that counts as a closure where it is quiet, in two hops that follow one another."""
_CLOSED_LOUD = 0.35
"""By which it must be higher at the voice's peak: what is loud is a vowel, in noise too."""
_CLOSED_AT_REST = 0.15
"""By which it must be higher in a pause."""
_STAY = 0.15
"""By which another shape must be likelier than the one that was last named."""
LOOK_AHEAD = 0.08
"""Seconds of sound beyond a picture that it is drawn from, where they are there."""
_BEHIND = {True: 0.0, False: AHEAD[False] + HOP}
"""Seconds by which pictures run behind the sound."""
_FORWARD = {True: LOOK_AHEAD - AHEAD[True] + 1e-6, False: HOP + 1e-6}
"""Seconds beyond the moment of a picture whose hops are used."""
_KEPT = 400
"""Hops, four seconds: more than the audio source holds."""


class MouthTrack:
    """Hops in, mouths out. Moments are in seconds of the sound, the middle of hop ``k`` lies at ``(k + 0.5) * HOP``."""

    def __init__(self, *, look_ahead: bool = True) -> None:
        self._behind, self._forward = _BEHIND[look_ahead], _FORWARD[look_ahead]
        self._hops: deque[tuple[float, Hop]] = deque(maxlen=_KEPT)
        self._named = 0

    def add(self, at: float, hop: Hop) -> None:
        """Take what the lips do at ``at``, later than all before."""
        self._hops.append((at, hop))

    def clear(self) -> None:
        """Forget all: the mouth is at rest until hops come. What was said before a cut must not hold it open."""
        self._hops.clear()
        self._named = 0

    def mouth(self, at: float) -> Mouth:
        """Return the mouth of a picture that is shown at ``at``; moments must not go back. At rest where no hop is."""
        at -= self._behind
        while self._hops and self._hops[0][0] < at - _REACH:
            self._hops.popleft()
        near = [(moment - at, hop) for moment, hop in self._hops if moment - at <= self._forward]
        if not near:
            self._named = 0
            return AT_REST
        kernel = np.array([max(_REACH - abs(offset), 0.001) for offset, _ in near], np.float32)
        kernel /= kernel.sum()
        shares = kernel @ np.array([hop.shares for _, hop in near])
        loud = float(kernel @ np.array([hop.loud for _, hop in near], np.float32))
        closed = [_closes(hop) for offset, hop in near if abs(offset) <= _SNAP]
        if any(one and other for one, other in pairwise(closed)):
            self._named = 1
            return _mouth(_TARGETS[Class.LIPS], loud, Shape.PBM)
        named = _NAMED @ shares
        named[1] = 0  # a closure is what the hops above say
        likeliest = int(named.argmax())
        if named[likeliest] > named[self._named] + _STAY or self._named == 1:
            self._named = likeliest
        figures = shares @ _TARGETS
        figures[_PUCKER] = max(figures[_PUCKER], _rounding([hop for _, hop in near]))
        return _mouth(figures, loud, _ORDER[self._named])


def _closes(hop: Hop) -> bool:
    needed = _CLOSED + _CLOSED_LOUD * hop.loud + _CLOSED_AT_REST * float(hop.shares[Class.REST])
    return float(hop.shares[Class.LIPS]) > needed


def _rounding(hops: list[Hop]) -> float:
    """Return the most that two hops which follow one another round the lips."""
    each = [float(hop.shares @ _TARGETS[:, _PUCKER]) for hop in hops]
    return max(((one + other) / 2 for one, other in pairwise(each)), default=0.0)


def _mouth(figures: Floats, loud: float, shape: Shape) -> Mouth:
    jaw, width, pucker, closure, bite, tongue, teeth = figures.tolist()
    return Mouth(jaw, width, pucker, closure, bite, tongue, teeth, loud, shape)


def mouths(samples: npt.NDArray[np.int16], rate: int, fps: float = 25.0, *, look_ahead: bool = True) -> list[Mouth]:
    """Return the mouth of each picture of a whole sound; picture ``n`` is shown at ``n / fps`` seconds.

    :param samples: mono.
    :param rate: hertz, a multiple of 400, at least 16000.
    """
    model, track = LipModel(rate, look_ahead=look_ahead), MouthTrack(look_ahead=look_ahead)
    shown: list[Mouth] = []
    hops = deque(enumerate(model.push(np.concatenate((samples, np.zeros(rate // 5, np.int16)))), model.first_hop))
    for picture in range(int(len(samples) / rate * fps)):
        while hops and (hops[0][0] + 0.5) * HOP <= picture / fps + 2 * _REACH:
            number, hop = hops.popleft()
            track.add((number + 0.5) * HOP, hop)
        shown.append(track.mouth(picture / fps))
    return shown
