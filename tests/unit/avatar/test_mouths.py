"""Which drawings make up a mouth of speech."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mouthpiece_avatar.face.mouth import MouthShape
from mouthpiece_avatar.face.mouths import MOUTHS, SMILING, WHOLE, Blend, blend_of
from mouthpiece_avatar.lips.mouth import Mouth


@pytest.mark.parametrize(
    ("heard", "fits"),
    [
        (Mouth(jaw=0.3, pucker=1), lambda shape: shape.wide < -0.5),
        (Mouth(jaw=0.3, width=0.9), lambda shape: shape.wide > 0.5),
        (Mouth(jaw=0.15, width=0.5, teeth=1), lambda shape: shape.teeth),
        (Mouth(jaw=0.15, bite=1), lambda shape: shape.bite),
        (Mouth(jaw=0.3, width=0.3, tongue=1), lambda shape: shape.tongue),
        (Mouth(jaw=0.05, closure=1), lambda shape: shape.pressed),
        (Mouth(jaw=1.0, width=0.25), lambda shape: shape.open == 1),
    ],
)
def test_sounds_have_mouths_of_their_own(heard: Mouth, fits: Callable[[MouthShape], bool]) -> None:
    most, weight = max(blend_of(heard), key=lambda part: part[1])
    assert fits(MOUTHS[most])
    assert weight > WHOLE / 2


@pytest.mark.parametrize("pucker", [0.0, 0.4, 1.0])
def test_a_jaw_that_drops_evenly_opens_the_mouth_evenly(pucker: float) -> None:
    openings = [opening(blend_of(Mouth(jaw=jaw, width=0.25, pucker=pucker))) for jaw in np.linspace(0, 1, 101)]
    assert np.diff(openings).min() > -0.02
    assert np.diff(openings).max() < 0.04


def test_a_blend_is_whole_whatever_the_mouth() -> None:
    random = np.random.default_rng(3)
    for _ in range(500):
        parts = blend_of(Mouth(*random.uniform(0, 1, 7).tolist()), smile=float(random.random()))
        assert sum(weight for _, weight in parts) == WHOLE
        assert 1 <= len(parts) <= 4
        assert all(weight > 0 for _, weight in parts)


def test_only_lips_at_rest_smile() -> None:
    assert dict(blend_of(Mouth(), smile=1.0)) == {SMILING: WHOLE}
    assert SMILING not in dict(blend_of(Mouth(closure=1.0), smile=1.0))
    assert SMILING not in dict(blend_of(Mouth(jaw=0.5), smile=1.0))


def opening(parts: Blend) -> float:
    return sum(MOUTHS[number].open * weight for number, weight in parts) / WHOLE
