"""What the face does by itself, and how its mouth follows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from mouthpiece_avatar.face.animator import FaceAnimator, Pose
from mouthpiece_avatar.face.lipsync import HOP, RATE, SILENT, Articulation, LipSync, blend
from mouthpiece_avatar.face.sprites import BREATHS, EYES, MAX_NOD, MOUTHS, YAW_STEPS
from mouthpiece_avatar.renderer import Mood

CLOSED_EYES = [index for index, state in enumerate(EYES) if state.lid == 1]
AWAY = [index for index, state in enumerate(EYES) if state.gaze]
MINUTE = 25 * 60


def live(animator: FaceAnimator, frames: int, heard: Articulation = SILENT) -> list[Pose]:
    return [animator.step(heard) for _ in range(frames)]


def voice(hertz: Sequence[float], seconds: float = 0.3, volume: float = 9_000) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * f * time) for f in hertz) / len(hertz)
    return np.rint(volume * wave).astype(np.int16)


def articulated(samples: np.ndarray) -> Articulation:
    heard = LipSync().push(samples)
    return blend(heard[len(heard) // 2 :])


def test_idle_it_breathes_blinks_glances_and_sways_with_its_mouth_shut() -> None:
    poses = live(FaceAnimator(3), MINUTE)
    assert {pose.mouth for pose in poses} == {0}
    assert {pose.breath for pose in poses} == set(range(BREATHS))
    assert len({pose.yaw for pose in poses}) >= YAW_STEPS // 2
    starts = [a for a, b in itertools.pairwise(poses) if b.eyes in CLOSED_EYES and a.eyes not in CLOSED_EYES]
    assert 8 <= len(starts) <= 40, "people blink ten to thirty times a minute"
    assert any(pose.eyes in AWAY for pose in poses)


def test_nothing_jumps() -> None:
    animator = FaceAnimator(4)
    poses = live(animator, 200) + live(animator, 200, Articulation(1, 0, 0, 1)) + live(animator, 200)
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


def test_the_mouth_opens_with_the_voice_and_closes_after_it() -> None:
    animator = FaceAnimator()
    open_wide = Articulation(open=0.9, wide=0, hiss=0, loud=1)
    mouths = [MOUTHS[pose.mouth].open for pose in live(animator, 3, open_wide)]
    assert mouths[0] >= 0.4, "it lags behind the sound"
    assert mouths[-1] >= 0.68
    assert MOUTHS[live(animator, 8)[-1].mouth].open == 0


@pytest.mark.parametrize(
    ("heard", "fits"),
    [
        (Articulation(0.45, -0.9, 0, 0.8), lambda shape: shape.wide < -0.5),
        (Articulation(0.45, 0.9, 0, 0.8), lambda shape: shape.wide > 0.5),
        (Articulation(0.15, 0.3, 0.9, 0.7), lambda shape: shape.teeth),
        (Articulation(0.02, 0.0, 0.0, 0.5), lambda shape: shape.pressed),
        (Articulation(1.0, 0.0, 0.0, 1.0), lambda shape: shape.open == 1),
    ],
)
def test_vowels_and_consonants_have_mouths_of_their_own(heard: Articulation, fits) -> None:  # type: ignore[no-untyped-def]
    assert fits(MOUTHS[live(FaceAnimator(), 6, heard)[-1].mouth])


def test_an_open_vowel_is_heard_as_open_and_a_close_front_one_as_wide() -> None:
    ah, ee, oo = (articulated(voice(f)) for f in ([730, 1_090, 150], [270, 2_290, 3_000], [300, 870, 250]))
    assert ah.open > ee.open
    assert ah.open > oo.open
    assert ee.wide > ah.wide > oo.wide - 0.2
    assert ee.wide > oo.wide + 0.5


def test_a_hiss_is_heard_as_one_and_silence_as_nothing() -> None:
    noise = np.random.default_rng(1).normal(size=RATE // 4)
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(len(noise), 1 / RATE) < 5_000] = 0
    hiss = np.rint(3_000 * np.fft.irfft(spectrum)).astype(np.int16)
    assert articulated(hiss).hiss > 0.5
    assert articulated(voice([440])).hiss < 0.1
    assert articulated(np.zeros(RATE // 4, np.int16)) == SILENT


def test_a_quiet_voice_opens_the_mouth_too() -> None:
    quiet = LipSync().push(voice([440, 900], seconds=3, volume=500))
    assert quiet[-1].open > 0.4


def test_hops_do_not_depend_on_the_cut() -> None:
    sound = voice([200, 700, 2_000], seconds=0.25)
    whole = LipSync().push(sound)
    lipsync, cut = LipSync(), []
    for at in range(0, len(sound), 77):
        cut += lipsync.push(sound[at : at + 77])
    assert cut == whole
    assert len(whole) == len(sound) // HOP
