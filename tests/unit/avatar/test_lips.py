"""What the lips do to speech of two voices that no one trained on; the sounds are flite's, with its own times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from mouthpiece_avatar.lips.features import HOP
from mouthpiece_avatar.lips.model import AHEAD, Class, Hop, LipModel
from mouthpiece_avatar.lips.mouth import AT_REST, LOOK_AHEAD, Mouth, MouthTrack, Shape, mouths
from mouthpiece_avatar.mouth_command import main

SPEECH = Path(__file__).parent / "speech"
RATE = 16_000
CLOSURES = {
    "slt": [
        *((0.19, 0.22), (0.43, 0.48), (0.63, 0.73), (0.81, 0.9)),
        *((0.9, 0.92), (1.15, 1.21), (1.42, 1.48), (1.56, 1.62)),
    ],
    "rms": [
        *((0.14, 0.21), (0.34, 0.49), (0.69, 0.81), (0.87, 0.97)),
        *((0.97, 1.03), (1.26, 1.33), (1.47, 1.58), (1.78, 1.85)),
    ],
}
"""Seconds of the eight p, b and m of "Bob and Pam bought a big blue boat"."""
OPEN = {"slt": (0.25, 0.4), "rms": (0.24, 0.33)}
"""Of the vowel of "Bob"."""
BLUE = {"slt": (1.53, 1.56), "rms": (1.72, 1.78)}


@pytest.fixture(params=sorted(CLOSURES))
def voice(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def said(voice: str) -> npt.NDArray[np.int16]:
    samples, rate = soundfile.read(SPEECH / f"bob_and_pam_{voice}.flac", dtype="int16")
    assert rate == RATE
    return np.asarray(samples)


def shown(pictures: list[Mouth], begin: float, end: float) -> Iterator[Mouth]:
    return (mouth for at, mouth in enumerate(pictures) if begin - 0.0401 <= at / 25 <= end + 0.0401)


def closed(pictures: list[Mouth], voice: str) -> int:
    return sum(any(mouth.shape is Shape.PBM for mouth in shown(pictures, *at)) for at in CLOSURES[voice])


def test_the_lips_close_on_p_b_and_m(voice: str) -> None:
    pictures = mouths(said(voice), RATE)
    assert closed(pictures, voice) >= 7
    assert all(mouth.closure == 1 for mouth in pictures if mouth.shape is Shape.PBM)


def test_without_look_ahead_most_of_them_close_too(voice: str) -> None:
    assert closed(mouths(said(voice), RATE, look_ahead=False), voice) >= 6


def test_an_open_vowel_opens_and_a_round_one_rounds(voice: str) -> None:
    pictures = mouths(said(voice), RATE)
    assert max(mouth.jaw for mouth in shown(pictures, *OPEN[voice])) > 0.6
    assert max(mouth.pucker for mouth in shown(pictures, *BLUE[voice])) > 0.4
    assert min(mouth.pucker for mouth in shown(pictures, *OPEN[voice])) < 0.3


def test_thirty_decibels_quieter_and_in_noise_most_of_them_close(voice: str) -> None:
    sound = said(voice)
    quiet = np.rint(sound * 10 ** (-30 / 20)).astype(np.int16)
    assert closed(mouths(quiet, RATE), voice) >= 5
    level = float(np.sqrt(np.mean(np.square(sound[np.abs(sound) > 300].astype(float)))))
    noise = np.random.default_rng(1).normal(0, level / 10, len(sound))
    assert closed(mouths(np.rint(sound + noise).clip(-32768, 32767).astype(np.int16), RATE), voice) >= 5


@pytest.mark.parametrize(("begin", "shows"), [(-3, False), (-2, True), (-1, True), (0, True), (1, False)])
def test_a_closure_of_two_hops_shows_alike_in_every_picture(begin: int, shows: bool) -> None:
    opened, shut = (Hop(np.eye(len(Class), dtype=np.float32)[kind], 1.0) for kind in (Class.OPEN, Class.LIPS))
    for picture in range(1, 100):
        track = MouthTrack()
        for hop in range(4 * picture - 4, 4 * picture + 4):  # a picture is shown between two hops, four of them apart
            track.add((hop + 0.5) * HOP, shut if 0 <= hop - 4 * picture - begin < 2 else opened)
        assert (track.mouth(picture / 25).shape is Shape.PBM) is shows


@pytest.mark.parametrize(
    ("begin", "round_enough"), [(-4, True), (-3, True), (0, True), (1, True), (-7, False), (4, False)]
)
def test_a_short_round_vowel_rounds_the_pictures_beside_it(begin: int, round_enough: bool) -> None:
    plain, rounded = (Hop(np.eye(len(Class), dtype=np.float32)[kind], 1.0) for kind in (Class.TONGUE, Class.PUCKER))
    track = MouthTrack()
    for hop in range(36, 44):  # a picture is shown between hops 39 and 40
        track.add((hop + 0.5) * HOP, rounded if 0 <= hop - 40 - begin < 2 else plain)
    assert (track.mouth(0.4).pucker > 0.9) is round_enough


@pytest.mark.parametrize(("loud", "rest", "shows"), [(0.2, 0.0, True), (0.9, 0.0, False), (0.2, 0.7, False)])
def test_an_unsure_closure_shows_where_the_voice_is_quiet_but_not_in_a_pause(
    loud: float, rest: float, shows: bool
) -> None:
    shares = np.zeros(len(Class), np.float32)
    shares[[Class.LIPS, Class.REST, Class.TONGUE]] = 0.2, rest, 0.8 - rest
    track = MouthTrack()
    for hop in range(8):
        track.add((hop + 0.5) * HOP, Hop(shares, loud))
    assert (track.mouth(0.04).shape is Shape.PBM) is shows


def test_the_mouth_rests_in_silence_and_in_pauses_with_noise() -> None:
    assert {mouth.shape for mouth in mouths(np.zeros(2 * RATE, np.int16), RATE)} == {Shape.REST}
    pause = np.zeros(2 * RATE, np.int16)
    sound = np.concatenate((said("slt"), pause)).astype(float)
    noise = np.random.default_rng(2).normal(0, 0.1 * np.sqrt(np.mean(np.square(said("slt").astype(float)))), len(sound))
    pictures = mouths(np.rint(sound + noise).astype(np.int16), RATE)
    resting = [mouth.shape is Shape.REST for mouth in pictures[round(2.2 * 25) :]]
    assert np.mean(resting) > 0.95


def test_the_rate_does_not_matter() -> None:
    import soxr

    sound = said("slt")
    upwards = soxr.resample(sound, RATE, 48_000)
    pairs = zip(mouths(sound, RATE), mouths(upwards, 48_000), strict=True)
    assert np.mean([one.shape is other.shape for one, other in pairs]) > 0.9


@pytest.mark.parametrize("look_ahead", [True, False])
def test_hops_do_not_depend_on_the_cut(look_ahead: bool) -> None:
    sound = said("rms")
    whole = LipModel(RATE, look_ahead=look_ahead).push(sound)
    model, cut = LipModel(RATE, look_ahead=look_ahead), []
    for at in range(0, len(sound), 177):
        cut += model.push(sound[at : at + 177])
    assert [hop.shares.tobytes() for hop in cut] == [hop.shares.tobytes() for hop in whole]
    assert [hop.loud for hop in cut] == [hop.loud for hop in whole]


@pytest.mark.parametrize("look_ahead", [True, False])
def test_a_hop_is_judged_once_the_sound_that_it_needs_is_there(look_ahead: bool) -> None:
    model = LipModel(RATE, look_ahead=look_ahead)
    needed = round((10.5 * HOP + AHEAD[look_ahead]) * RATE)  # for hop 10
    assert len(model.push(said("rms")[: needed - 1])) == 10
    assert len(model.push(said("rms")[needed - 1 : needed])) == 1
    assert AHEAD[True] <= LOOK_AHEAD


def test_what_is_cleared_leaves_no_trace() -> None:
    model, track = LipModel(RATE), MouthTrack()
    for number, hop in enumerate(model.push(said("slt"))):
        track.add((number + 0.5) * HOP, hop)
    assert track.mouth(0.96).shape is not Shape.REST
    track.clear()
    assert track.mouth(1.0) == AT_REST


def test_the_command_prints_a_line_for_each_picture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(SPEECH / "bob_and_pam_slt.flac")]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["t"] for line in lines] == [round(at / 25, 3) for at in range(49)]
    assert set(lines[0]) == {"t", "shape", "jaw", "width", "pucker", "closure"}
    assert {line["shape"] for line in lines} <= {shape.value for shape in Shape}
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.zeros((44_100, 2)), 44_100)
    assert main([str(stereo), "--look-ahead", "0"]) == 0
    assert {json.loads(line)["shape"] for line in capsys.readouterr().out.splitlines()} == {"rest"}


def test_the_command_says_what_it_cannot_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(tmp_path / "nothing.wav")]) == 2
    assert "nothing.wav cannot be read" in capsys.readouterr().err
