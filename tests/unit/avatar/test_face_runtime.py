"""The built-in face: the same sound gives the same frames, and bitHuman's canonical loop drives it unchanged."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from mouthpiece.errors import ConfigurationError, QueueFull
from mouthpiece_avatar import FaceRuntime
from mouthpiece_avatar import FaceRuntime as AsyncBithuman
from mouthpiece_avatar.face import faces
from mouthpiece_avatar.runtimes.contract import Frame
from tests.unit.avatar.plain_face import eyes_of, mouth_of, plain_face
from tests.unit.avatar.test_runtimes import Time, drain

FACE = plain_face()


def babble(seconds: float, rate: int, seed: int = 5) -> np.ndarray:
    """Something like speech: syllables of changing colour and loudness, with pauses."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    wave = np.zeros(len(time))
    for start in np.arange(0, seconds, 0.22):
        syllable = np.clip(1 - np.abs(time - start - 0.1) / 0.09, 0, 1) * random.uniform(0, 1)
        wave += syllable * np.sin(2 * np.pi * random.uniform(150, 2_500) * time)
    return np.rint(12_000 * np.clip(wave, -1, 1)).astype(np.int16)


async def speech_frames(pieces: list[bytes], rate: int, *, drained_between: int = 0) -> list[Frame]:
    time = Time()
    runtime = FaceRuntime(FACE, clock=time.clock, sleep=time.sleep)
    frames: list[Frame] = []
    for piece in pieces:
        await runtime.push_audio(piece, rate)
        if drained_between:
            frames += await drain(runtime, drained_between)
    await runtime.flush()
    frames += await drain(runtime)
    return [frame for frame in frames if frame.has_image]


def seen(frames: list[Frame]) -> list[tuple[bytes, bytes, bool]]:
    return [(np.asarray(f.bgr_image).tobytes(), f.audio_chunk.bytes, f.end_of_speech) for f in frames]


@settings(max_examples=20)
@given(
    rate=st.sampled_from([8_000, 16_000, 22_050, 48_000]),
    cuts=st.lists(st.integers(1, 40_000), max_size=10),
    drained_between=st.integers(0, 4),
)
async def test_the_same_sound_gives_the_same_frames_however_it_was_cut(
    rate: int, cuts: list[int], drained_between: int
) -> None:
    sound = babble(0.7, rate).tobytes()
    edges = [0, *sorted({cut % len(sound) for cut in cuts}), len(sound)]
    pieces = [sound[a:b] for a, b in itertools.pairwise(edges)]
    whole = await speech_frames([sound], rate)
    assert len(whole) == 18
    assert seen(await speech_frames(pieces, rate, drained_between=drained_between)) == seen(whole)


@pytest.mark.parametrize("refused", [(b"\1\0", 0), (bytes(2 * 8_000 * 60 * 31), 8_000)], ids=["rate", "amount"])
async def test_a_push_that_is_refused_changes_no_frame(refused: tuple[bytes, int]) -> None:
    sound, time = babble(0.7, 16_000).tobytes(), Time()
    runtime = FaceRuntime(FACE, clock=time.clock, sleep=time.sleep)
    await runtime.push_audio(sound[:7_001], 16_000)
    with pytest.raises((ValueError, QueueFull)):
        await runtime.push_audio(*refused)
    await runtime.push_audio(sound[7_001:], 16_000, last_chunk=True)
    frames = [frame for frame in await drain(runtime) if frame.has_image]
    assert seen(frames) == seen(await speech_frames([sound], 16_000))


async def test_the_mouth_follows_the_sound() -> None:
    silence = np.zeros(16_000, np.int16)
    frames = await speech_frames([np.concatenate((silence, babble(1.5, 16_000), silence)).tobytes()], 16_000)
    mouths = [mouth_of(np.asarray(frame.bgr_image)) for frame in frames]
    assert set(mouths[:24]) == {0}, "it opened before there was sound"
    assert len(set(mouths[25:62])) >= 4, "it does not follow"
    assert set(mouths[-15:]) == {0}, "it did not close"


async def test_it_lives_while_it_waits_when_asked_for_idle_pictures() -> None:
    time = Time()
    runtime = FaceRuntime(FACE, idle_pictures=True, clock=time.clock, sleep=time.sleep)
    frames = await drain(runtime, 25 * 20)
    pictures = {np.asarray(frame.bgr_image).tobytes() for frame in frames}
    assert all(frame.has_image for frame in frames)
    assert len(pictures) > 40
    eyes = {eyes_of(np.asarray(frame.bgr_image)) for frame in frames}
    assert 3 in eyes, "it never blinked in twenty seconds"


async def test_a_slow_consumer_gets_every_frame_and_a_very_slow_one_is_not_flooded() -> None:
    time = Time()
    runtime = FaceRuntime(FACE, clock=time.clock, sleep=time.sleep)
    times = []
    async for _ in runtime.run():
        times.append(time.now)
        if len(times) == 5:
            time.now += 0.2
        if len(times) == 20:
            time.now += 60
        if len(times) == 40:
            break
    assert times[18] - times[0] == pytest.approx(18 * 0.04), "it caught up after a short delay"
    assert times[39] - times[21] == pytest.approx(18 * 0.04), "it started anew after a long one"


async def test_an_unknown_face_is_named_and_the_known_ones_are_listed() -> None:
    with pytest.raises(ConfigurationError, match=r"no face 'bob'.*mia, noah"):
        await FaceRuntime.create("bob")


def load_audio(path: str) -> tuple[np.ndarray, int]:
    audio, sr = sf.read(path, dtype="float32", always_2d=False)
    if audio.ndim > 1:
        audio = audio.mean(axis=1)
    return audio, sr


def float32_to_int16(arr: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(arr, -1.0, 1.0) * 32767.0).astype(np.int16)


async def test_the_canonical_loop_of_bithumans_documentation_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(faces._loaded, ("mia", faces.Look()), FACE)
    monkeypatch.setenv("BITHUMAN_API_SECRET", "none is needed")
    monkeypatch.chdir(tmp_path)
    sf.write("speech.wav", babble(0.35, 22_050), 22_050)
    images, ends = 0, 0

    rt = await AsyncBithuman.create(
        model_path="avatar.imx",
        api_secret=os.environ["BITHUMAN_API_SECRET"],
    )
    pcm, sr = load_audio("speech.wav")
    pcm = float32_to_int16(pcm)
    chunk = sr // 100  # 10 ms chunks
    for i in range(0, len(pcm), chunk):
        await rt.push_audio(pcm[i : i + chunk].tobytes(), sr, last_chunk=False)
    await rt.flush()
    async for frame in rt.run():
        if frame.has_image:
            image = frame.bgr_image  # numpy (H, W, 3) uint8
            assert image is not None
            assert image.shape == (512, 512, 3)
            images += 1
        if frame.end_of_speech:
            ends += 1
            break
    await rt.stop()

    assert (images, ends) == (9, 1)
