from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mouthpiece_sender.demo import check
from mouthpiece_sender.demo.check import Perceived, Sounding, Spoken
from mouthpiece_sender.demo.viewer import Picture, Sound, moved

GOOD = Perceived(first_sound=0.12, heard=2.0, frames_a_second=25.0, moving=0.6)
FILE = Sounding(silence=0.0, length=2.0)
SPOKEN = Spoken(state="finished", receipt="confirmed", position=2.2, duration=2.2)


def bad(perceived: Perceived = GOOD, spoken: Spoken = SPOKEN, file: Sounding = FILE) -> list[str]:
    return [finding.what for finding in check.judge(perceived, spoken, file) if not finding.good]


def test_a_demo_that_works_has_nothing_bad() -> None:
    assert bad() == []


@pytest.mark.parametrize(
    "change, what",
    [
        ({"first_sound": None}, "first sound"),
        ({"first_sound": 2.5}, "first sound"),
        ({"heard": 1.5}, "sound heard"),
        ({"heard": 2.5}, "sound heard"),
        ({"frames_a_second": 12.0}, "pictures"),
        ({"frames_a_second": 50.0}, "pictures"),
        ({"moving": 0.0}, "moving"),
    ],
)
def test_what_a_viewer_misses_is_found(change: dict[str, float], what: str) -> None:
    assert bad(dataclasses.replace(GOOD, **change)) == [what]


@pytest.mark.parametrize(
    "change, what",
    [
        ({"state": "unknown"}, "segment"),
        ({"receipt": "estimated"}, "receipt"),
        ({"position": 1.9}, "position"),
    ],
)
def test_what_the_service_says_wrong_is_found(change: dict[str, Any], what: str) -> None:
    assert bad(spoken=dataclasses.replace(SPOKEN, **change)) == [what]


def test_an_avatar_that_confirms_nothing_is_judged_by_its_track() -> None:
    assert bad(spoken=dataclasses.replace(SPOKEN, receipt="heard")) == []


def test_a_viewer_may_catch_up_with_the_pictures() -> None:
    late, caught_up = 0.6, 0.2  # seconds by which the first one came late; seconds of these made good in each second
    shown = [index * 0.04 + max(0.0, late - index * 0.04 * caught_up) for index in range(75)]
    sounds = [Sound(shown[0] + index * 0.01, True) for index in range(240)]
    perceived = check.perceive(sounds, [Picture(at, True) for at in shown], asked=0.0)
    assert 29 < perceived.frames_a_second < 32
    assert bad(dataclasses.replace(GOOD, frames_a_second=perceived.frames_a_second)) == []


def test_silence_at_the_beginning_of_a_file_is_not_held_against_the_first_sound() -> None:
    late = dataclasses.replace(GOOD, first_sound=3.1)
    assert bad(late) == ["first sound"]
    assert bad(late, file=Sounding(3.0, 2.0)) == []


def test_a_file_of_silence_proves_nothing() -> None:
    assert bad(dataclasses.replace(GOOD, heard=0.0), file=Sounding(0.0, 0.0)) == ["sound heard"]


def test_what_was_heard_is_counted_in_sound_frames_not_in_their_arrival() -> None:
    """A jitter buffer hands out frames in bursts; each still lasts 10 ms."""
    quiet = [Sound(at, False) for at in (10.0, 10.1)]
    loud = [Sound(10.2 + burst * 0.05, True) for burst in range(20) for _ in range(5)]
    pictures = [Picture(10.2 + index * 0.04, index % 2 == 0) for index in range(24)]
    perceived = check.perceive([*quiet, *loud, Sound(11.3, False)], pictures, asked=10.0)
    assert perceived.heard == pytest.approx(1.0)
    assert perceived.first_sound == pytest.approx(0.2)
    assert perceived.frames_a_second == pytest.approx(25.0)
    assert perceived.moving == pytest.approx(0.5)


def test_sound_before_the_request_does_not_count() -> None:
    sounds = [Sound(9.0, True), Sound(10.5, True)]
    assert check.perceive(sounds, [], asked=10.0).first_sound == pytest.approx(0.5)


def test_nothing_heard_is_said_so() -> None:
    assert check.perceive([Sound(10.0, False)], [], asked=9.0) == Perceived(None, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("rate, channels", [(16_000, 1), (44_100, 2)])
def test_the_sound_in_a_file_is_found_between_its_silences(tmp_path: Path, rate: int, channels: int) -> None:
    tone = np.sin(np.arange(rate) * 440 * 2 * np.pi / rate) * 0.5
    mono = np.concatenate([np.zeros(rate // 2), tone, np.zeros(rate // 4)])
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.repeat(mono[:, None], channels, axis=1), rate, subtype="PCM_16")
    sounding = check.sounding(path)
    assert sounding.silence == pytest.approx(0.5, abs=0.03)
    assert sounding.length == pytest.approx(1.0, abs=0.03)


def test_silence_has_no_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(8000), 16_000, subtype="PCM_16")
    assert check.sounding(tmp_path / "silence.wav") == Sounding(0.0, 0.0)


def test_a_moving_mouth_counts_and_an_encoders_noise_does_not() -> None:
    still = np.full((64, 64), 100, np.int16)
    noisy = still + np.resize(np.array([0, 3, -4, 6], np.int16), still.shape)
    mouth = still.copy()
    mouth[40:44, 28:36] = 40
    assert not moved(still, noisy)
    assert moved(still, mouth)
    assert moved(still, still[:32])
