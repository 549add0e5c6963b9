"""What the face does by itself, and how it goes along with what it says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np
import pytest

from mouthpiece_avatar.face.animator import FPS, FaceAnimator
from mouthpiece_avatar.face.life import Drift, Stresses
from mouthpiece_avatar.face.mouths import CLOSED, MOUTHS, SMILING, WHOLE, Blend
from mouthpiece_avatar.face.placing import MOST_NOD, moved_by
from mouthpiece_avatar.face.pose import Pose
from mouthpiece_avatar.face.views import EYES
from mouthpiece_avatar.lips.mouth import AT_REST, Mouth
from mouthpiece_avatar.renderer import Mood

MINUTE = 60 * FPS
POINTS = [(256, 50, False), (160, 200, False), (350, 200, False), (220, 222, True), (256, 300, True), (256, 340, False)]
"""Of the drawing, and whether they are features: crown, temples, an eye, the mouth, the chin."""


def live(animator: FaceAnimator, pictures: int, heard: Mouth = AT_REST) -> list[Pose]:
    return [animator.step(heard) for _ in range(pictures)]


def speak(animator: FaceAnimator, pictures: int, *, every: int = 14) -> list[Pose]:
    """Syllables, every ``every`` pictures a stressed one."""
    louds = [0.35 + (0.6 if n % every < 4 else 0.1 * math.sin(n)) if n % every else 0.15 for n in range(pictures)]
    return [animator.step(Mouth(jaw=loud, loud=loud)) for loud in louds]


def steps(poses: Iterable[Pose]) -> list[float]:
    """How far the point of the head that moves furthest moves from picture to picture, in pixels at 512 lines."""
    places = []
    for pose in poses:
        at = [moved_by(pose.yaw, x, y, deep=deep) for x, y, deep in POINTS]
        places.append(np.array([(x, y + pose.nod) for x, y in at]))
    return [float(np.hypot(*(b - a).T).max()) for a, b in itertools.pairwise(places)]


def all_moods(seed: int) -> list[Pose]:
    animator = FaceAnimator(seed)
    poses = live(animator, MINUTE) + speak(animator, MINUTE)
    for mood in (Mood.ATTENTIVE, Mood.THINKING, Mood.IDLE):
        animator.set_mood(mood)
        poses += live(animator, 20 * FPS)
    return poses


@pytest.mark.parametrize("seed", range(4))
def test_the_head_moves_and_never_by_more_than_half_a_pixel(seed: int) -> None:
    moved = steps(all_moods(seed))
    assert max(moved) <= 0.5
    assert np.median(moved[:MINUTE]) > 0.03, "it stands still"


def test_no_two_pictures_in_a_row_are_the_same_while_it_waits() -> None:
    poses = live(FaceAnimator(3), MINUTE)
    assert all(one != other for one, other in itertools.pairwise(poses))


def test_the_head_drifts_without_a_period() -> None:
    yaws = np.array([pose.yaw for pose in live(FaceAnimator(5), 5 * MINUTE)])
    yaws -= yaws.mean()
    assert yaws.std() > 0.15
    for lag in range(3 * FPS, 60 * FPS, FPS // 2):
        assert abs(float(np.corrcoef(yaws[:-lag], yaws[lag:])[0, 1])) < 0.6, f"it repeats after {lag / FPS:g} s"


def test_drift_is_smooth_and_a_function_of_time_alone() -> None:
    drift = Drift(7, 2.0)
    path = np.array([drift.at(t) for t in np.arange(0, 100, 0.01)])
    assert np.abs(path).max() <= 1
    assert np.abs(np.diff(path, 2)).max() < 2e-4
    assert drift.at(31.4) == Drift(7, 2.0).at(31.4) != Drift(8, 2.0).at(31.4)


def test_it_looks_to_both_sides_and_back() -> None:
    gazes = [EYES[pose.eyes].gaze for pose in live(FaceAnimator(8), 3 * MINUTE)]
    away = [(a, b) for a, b in itertools.pairwise(gazes) if abs(b) > 0.5 and abs(a) < 0.3]
    assert sum(b < 0 for _, b in away) >= 5
    assert sum(b > 0 for _, b in away) >= 5
    assert sum(abs(gaze) < 0.3 for gaze in gazes) > len(gazes) / 2, "it looks at its viewer most of the time"


def test_it_blinks_as_people_do() -> None:
    closed = [EYES[pose.eyes].lid == 1 for pose in live(FaceAnimator(3), 4 * MINUTE)]
    starts = sum(b and not a for a, b in itertools.pairwise(closed))
    assert 4 * 8 <= starts <= 4 * 40


def test_brows_rise_one_at_a_time_too_and_never_jump() -> None:
    animator = FaceAnimator(2)
    brows = np.array([pose.brows for pose in live(animator, 2 * MINUTE) + speak(animator, 2 * MINUTE)])
    assert np.abs(np.diff(brows, axis=0)).max() <= 0.13
    for side in (0, 1):
        assert ((brows[:, side] > 0.3) & (brows[:, 1 - side] < 0.1)).any()


def test_it_smiles_a_little_at_rest_and_not_in_the_same_way_for_ever() -> None:
    poses = live(FaceAnimator(4), 2 * MINUTE)
    smiles = [dict(pose.mouth).get(SMILING, 0) for pose in poses]
    assert 0.15 * WHOLE < np.mean(smiles) < 0.85 * WHOLE
    assert len(set(smiles)) > 5
    assert max(abs(b - a) for a, b in itertools.pairwise(smiles)) <= 1
    assert all(shut(pose) for pose in poses)


def test_it_nods_on_stressed_syllables() -> None:
    """About each stress the head is lower than in the middle between two of them."""
    animator, every = FaceAnimator(6), 25
    nods = np.array([pose.nod for pose in speak(animator, 4 * MINUTE, every=every)])[10 * FPS :]
    course = nods[: len(nods) // every * every].reshape(-1, every).mean(axis=0)
    assert course.max() - course.min() > 1.0


def test_stresses_are_rises_and_come_no_faster_than_people_nod() -> None:
    stresses = Stresses(FPS)
    loud = [0.5 + 0.5 * math.sin(n * 1.9) for n in range(MINUTE)]
    heard = [n for n, value in enumerate(loud) if stresses.hear(value)]
    assert len(heard) > 20
    assert min(b - a for a, b in itertools.pairwise(heard)) >= 0.4 * FPS
    held = Stresses(FPS)
    assert [n for n in range(MINUTE) if held.hear(0.8)] == [0], "a held vowel is one stress"


def test_one_sees_that_it_listens() -> None:
    waits, listens = FaceAnimator(9), FaceAnimator(9)
    listens.set_mood(Mood.ATTENTIVE)
    idle, attentive = live(waits, MINUTE)[3 * FPS :], live(listens, MINUTE)[3 * FPS :]
    assert abs(np.mean([pose.yaw for pose in attentive])) > 0.35, "the head is not turned"
    assert min(min(pose.brows) for pose in attentive) > 0.3
    assert np.mean([max(pose.brows) for pose in idle]) < 0.2
    assert not any(abs(EYES[pose.eyes].gaze) > 0.3 for pose in attentive), "it looks away"
    nods = np.array([pose.nod for pose in attentive])
    assert nods.max() - np.median(nods) > 1.5, "it does not nod"


def test_it_looks_away_more_often_while_it_thinks() -> None:
    idle, thinking = FaceAnimator(6), FaceAnimator(6)
    thinking.set_mood(Mood.THINKING)
    away = [
        sum(abs(EYES[pose.eyes].gaze) > 0.3 for pose in live(animator, 3 * MINUTE)) for animator in (idle, thinking)
    ]
    assert away[1] > 1.5 * away[0]


def test_everything_stays_within_what_is_drawn() -> None:
    for pose in all_moods(11):
        assert -1 <= pose.yaw <= 1
        assert abs(pose.nod) <= MOST_NOD
        assert 0 <= pose.breath <= 1
        assert all(-0.7 <= brow <= 1 for brow in pose.brows)


def test_the_same_seed_lives_the_same_life() -> None:
    assert all_moods(9) == all_moods(9)
    assert all_moods(9) != all_moods(10)


def test_the_mouth_opens_and_shuts_at_once() -> None:
    animator = FaceAnimator()
    assert opening(animator.step(Mouth(jaw=0.9, width=0.3)).mouth) > 0.8
    assert shut(animator.step())


def shut(pose: Pose) -> bool:
    return {mouth for mouth, _ in pose.mouth} <= {CLOSED, SMILING}


def opening(parts: Blend) -> float:
    return sum(MOUTHS[number].open * weight for number, weight in parts) / WHOLE
