"""What the face does by itself, and how its mouth follows."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from mouthpiece_avatar.face.animator import FaceAnimator, Pose
from mouthpiece_avatar.face.mouth import MouthShape
from mouthpiece_avatar.face.mouths import MOUTHS, SHUT, WHOLE, Blend, blend_of
from mouthpiece_avatar.face.sprites import BREATHS, EYES, MAX_NOD, YAW_STEPS
from mouthpiece_avatar.lips.mouth import AT_REST, Mouth
from mouthpiece_avatar.renderer import Mood

CLOSED_EYES = [index for index, state in enumerate(EYES) if state.lid == 1]
AWAY = [index for index, state in enumerate(EYES) if state.gaze]
MINUTE = 25 * 60


def live(animator: FaceAnimator, frames: int, heard: Mouth = AT_REST) -> list[Pose]:
    return [animator.step(heard) for _ in range(frames)]


def test_idle_it_breathes_blinks_glances_and_sways_with_its_mouth_shut() -> None:
    poses = live(FaceAnimator(3), MINUTE)
    assert all(shut(pose) for pose in poses)
    assert {pose.breath for pose in poses} == set(range(BREATHS))
    assert len({pose.yaw for pose in poses}) >= YAW_STEPS // 2
    starts = [a for a, b in itertools.pairwise(poses) if b.eyes in CLOSED_EYES and a.eyes not in CLOSED_EYES]
    assert 8 <= len(starts) <= 40, "people blink ten to thirty times a minute"
    assert any(pose.eyes in AWAY for pose in poses)


def test_nothing_jumps() -> None:
    animator = FaceAnimator(4)
    poses = live(animator, 200) + live(animator, 200, Mouth(jaw=1, loud=1)) + live(animator, 200)
    for a, b in itertools.pairwise(poses):
        assert abs(a.yaw - b.yaw) <= 1
        assert abs(a.breath - b.breath) <= 1
        assert abs(a.nod - b.nod) <= 2
        assert 0 <= b.nod <= MAX_NOD


def test_the_same_seed_lives_the_same_life() -> None:
    assert live(FaceAnimator(9), 500) == live(FaceAnimator(9), 500)
    assert live(FaceAnimator(9), 500) != live(FaceAnimator(10), 500)


def test_it_looks_at_whoever_speaks_to_it_and_nods() -> None:
    animator = FaceAnimator(5)
    animator.set_mood(Mood.ATTENTIVE)
    poses = live(animator, MINUTE)
    assert not any(pose.eyes in AWAY for pose in poses)
    assert max(pose.nod for pose in poses) >= 2


def test_it_looks_away_more_often_while_it_thinks() -> None:
    idle, thinking = FaceAnimator(6), FaceAnimator(6)
    thinking.set_mood(Mood.THINKING)
    away = [sum(pose.eyes in AWAY for pose in live(animator, 3 * MINUTE)) for animator in (idle, thinking)]
    assert away[1] > 1.5 * away[0]


def shut(pose: Pose) -> bool:
    return pose.mouth == SHUT


def test_the_mouth_opens_and_shuts_at_once() -> None:
    animator = FaceAnimator()
    assert opening(animator.step(Mouth(jaw=0.9, width=0.3)).mouth) > 0.8
    assert shut(animator.step())


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
        parts = blend_of(Mouth(*random.uniform(0, 1, 7).tolist()))
        assert sum(weight for _, weight in parts) == WHOLE
        assert 1 <= len(parts) <= 4
        assert all(weight > 0 for _, weight in parts)


def opening(parts: Blend) -> float:
    return sum(MOUTHS[number].open * weight for number, weight in parts) / WHOLE
