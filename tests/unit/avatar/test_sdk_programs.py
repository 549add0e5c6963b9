"""Programs that were written for bitHuman's SDK run with their import changed: the loop of their documentation, and one
for the signatures of bithuman 2.12.9. Ten recordings, six rates, five sizes of chunks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
import soxr

from mouthpiece_avatar import FaceRuntime
from mouthpiece_avatar.as_bithuman import AsyncBithuman, AudioChunk, BithumanError, VideoControl
from mouthpiece_avatar.face import faces
from mouthpiece_avatar.runtimes.contract import Frame
from tests.unit.avatar.test_face_runtime import FACE
from tests.unit.avatar.test_runtimes import Time

Sound = npt.NDArray[np.int16]

RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
CHUNKS: tuple[Callable[[int], int], ...] = (
    lambda rate: rate // 100,
    lambda rate: rate // 25,
    lambda _: 333,
    lambda _: 101,
    lambda _: 10**9,
)
"""Samples of a push, by the rate: 10 ms, 40 ms, two odd numbers, all at once."""
SPEECH = Path(__file__).parent / "speech"
ASSETS = Path(__file__).parents[3] / "assets"


def recorded(path: Path, begin: float, end: float) -> Sound:
    """A part of a recording, its left channel at 48 kHz."""
    channels, rate = sf.read(path, dtype="float64", always_2d=True)
    sound = channels[:, 0]
    part = soxr.resample(sound[round(begin * rate) : round(end * rate)], rate, 48_000)
    return faded(part * 32_767)


def faded(wave: npt.NDArray[np.floating]) -> Sound:
    ramp = np.minimum(1, np.arange(len(wave)) / 480)
    return np.asarray(np.rint(np.clip(wave * ramp * ramp[::-1], -32_768, 32_767)), np.int16)


def at(seconds: float) -> npt.NDArray[np.floating]:
    return np.arange(round(seconds * 48_000)) / 48_000


RECORDINGS: dict[str, Sound] = {
    "a voice": recorded(ASSETS / "hello_world_16kHz.wav", 0.2, 0.4),
    "a greeting": recorded(ASSETS / "greeting_44kHz_stereo.wav", 0.3, 0.46),
    "a long story": recorded(ASSETS / "lighthouse_16kHz.wav", 3.0, 3.2),
    "slt": recorded(SPEECH / "bob_and_pam_slt.flac", 0.2, 0.4),
    "rms": recorded(SPEECH / "bob_and_pam_rms.flac", 0.3, 0.5),
    "a chirp": faded(9_000 * np.sin(2 * np.pi * (100 + 4_000 * at(0.24)) * at(0.24))),
    "as loud as can be": faded(32_767 * np.sin(2 * np.pi * 200 * at(0.08))),
    "silence": np.zeros(48_000 * 3 // 25, np.int16),
    "an odd length": faded(9_000 * np.sin(2 * np.pi * 300 * at(0.1173))),
    "a click": np.array([20_000] * 48, np.int16),
}


@dataclass
class Seen:
    """What a program got."""

    frames: int = 0
    ends: int = 0
    sound: list[Sound] = field(default_factory=list)
    indices: list[int | None] = field(default_factory=list)
    messages: set[object] = field(default_factory=set)
    pictures: hashlib._Hash = field(default_factory=hashlib.sha256)

    def take(self, frame: Frame) -> None:
        if frame.has_image:
            assert frame.bgr_image is not None
            self.pictures.update(frame.bgr_image.tobytes())
            self.frames += 1
            self.sound.append(frame.audio_chunk.array)
            self.indices.append(frame.frame_index)
            self.messages.add(frame.source_message_id)
        self.ends += frame.end_of_speech


def load_audio(path: str) -> tuple[np.ndarray, int]:
    audio, sr = sf.read(path, dtype="float32", always_2d=False)
    if audio.ndim > 1:
        audio = audio.mean(axis=1)
    return audio, sr


def float32_to_int16(arr: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(arr, -1.0, 1.0) * 32767.0).astype(np.int16)


async def loop_of_the_document(path: str, chunk_of: Callable[[int], int], seen: Seen) -> None:
    AsyncBithuman = FaceRuntime  # from mouthpiece_avatar import FaceRuntime as AsyncBithuman
    rt = await AsyncBithuman.create(
        model_path="avatar.imx",
        api_secret=os.environ["BITHUMAN_API_SECRET"],
        **in_no_time(),
    )
    pcm, sr = load_audio(path)
    pcm = float32_to_int16(pcm)
    chunk = chunk_of(sr)
    for i in range(0, len(pcm), chunk):
        await rt.push_audio(pcm[i : i + chunk].tobytes(), sr, last_chunk=False)
    await rt.flush()
    async for frame in rt.run():
        seen.take(frame)
        if frame.end_of_speech:
            break
    await rt.stop()


async def program_for_today(path: str, chunk_of: Callable[[int], int], seen: Seen) -> None:
    try:
        rt = await AsyncBithuman.create(
            model_path="avatar.imx",
            api_secret=os.environ["BITHUMAN_API_SECRET"],
            output_size=(512, 512),
            num_threads=2,
            agent_code="A12",
            **in_no_time(),
        )
    except BithumanError as error:
        raise AssertionError(error) from error
    await rt.start()
    assert (rt.fps, rt.sample_rate, rt.samples_per_tick) == (25, 16_000, 640)
    pcm, sr = sf.read(path, dtype="int16")
    chunk = chunk_of(sr)
    pushes = [pcm[i : i + chunk] for i in range(0, len(pcm), chunk)]
    for number, part in enumerate(pushes):
        last = number == len(pushes) - 1
        if number % 2:
            await rt.push_audio(data=part.tobytes(), sample_rate=sr, last_chunk=last)
        else:
            await rt.push(VideoControl(audio=AudioChunk(data=part, sample_rate=sr, last_chunk=last), message_id="m"))
    async for frame in rt.run():
        if frame.has_image:
            assert frame.rgb_image is not None
            assert frame.bgr_image is not None
            assert frame.rgb_image.shape == frame.bgr_image.shape == (rt.frame_height, rt.frame_width, 3)
        seen.take(frame)
        if frame.end_of_speech:
            break
    await rt.shutdown()


Program = Callable[[str, Callable[[int], int], Seen], object]
OUTPUT = {loop_of_the_document: 48_000, program_for_today: 16_000}


def in_no_time() -> dict[str, Any]:
    """The one thing that is not as in the documents: nobody waits 40 ms for each frame."""
    time = Time()
    return {"clock": time.clock, "sleep": time.sleep}


@pytest.fixture(autouse=True)
def face(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(faces._loaded, ("mia", faces.Look()), FACE)
    monkeypatch.setenv("BITHUMAN_API_SECRET", "none is needed")
    monkeypatch.chdir(tmp_path)


def as_pushed(program: object, samples: Sound) -> Sound:
    """What the program makes of the file: the document's goes through floating point."""
    if program is program_for_today:
        return samples
    return float32_to_int16(samples.astype(np.float32) / 32_768)


def fidelity(pushed: Sound, rate: int, heard: Iterable[Sound], heard_rate: int) -> float:
    """Signal to error in decibels, over the band that both rates carry.

    Both last equally long, so equal places of their spectra are equal frequencies.
    """
    out = np.concatenate(list(heard))
    before, after = np.fft.rfft(pushed) / len(pushed), np.fft.rfft(out) / len(out)
    band = int(0.42 * min(rate, heard_rate) * len(pushed) / rate)
    error = np.sum(np.abs(before[:band] - after[:band]) ** 2)
    return float(10 * np.log10(np.sum(np.abs(before[:band]) ** 2) / max(error, 1e-12)))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("program", list(OUTPUT), ids=lambda program: program.__name__)
async def test_a_program_runs_with_its_import_changed(program: Program, rate: int) -> None:
    out_rate = OUTPUT[program]  # type: ignore[index]
    for name, recording in RECORDINGS.items():
        samples = recording if rate == 48_000 else np.asarray(soxr.resample(recording, 48_000, rate)).astype(np.int16)
        sf.write("speech.wav", samples, rate, subtype="PCM_16")
        pictures = set()
        for chunk_of in CHUNKS:
            seen = Seen()
            await program("speech.wav", chunk_of, seen)  # type: ignore[misc]
            frames = -(-len(samples) * 25 // rate)
            assert (seen.frames, seen.ends) == (frames, 1), name
            assert seen.indices == list(range(frames))
            assert seen.messages <= {None, "m"}
            assert {len(sound) for sound in seen.sound} == {out_rate // 25}
            pictures.add((seen.pictures.hexdigest(), b"".join(sound.tobytes() for sound in seen.sound)))
        assert len(pictures) == 1, f"{name}: another cut, other frames"
        pushed = as_pushed(program, samples)
        heard = np.concatenate(seen.sound)
        if rate == out_rate:
            assert np.array_equal(heard[: len(pushed)], pushed), name
            assert not heard[len(pushed) :].any()
        elif len(samples) * 25 % rate == 0 and np.abs(pushed).max() > 100:
            assert fidelity(pushed, rate, seen.sound, out_rate) > 40, name


async def test_the_pictures_have_the_size_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[faces.Look | None] = []

    def load(name: str, look: faces.Look | None) -> object:
        asked.append(look)
        return FACE

    monkeypatch.setattr("mouthpiece_avatar.runtimes.face.load_face", load)
    await AsyncBithuman.create(model_path="noah.imx", output_size=(1280, 720))
    [look] = asked
    assert look is not None
    assert (look.screen.width, look.screen.height) == (1280, 720)
    with pytest.raises(BithumanError, match="cannot be drawn"):
        await AsyncBithuman.create(output_size=(64, 36))


async def test_what_neither_sdk_knows_is_refused_as_python_does() -> None:
    with pytest.raises(TypeError, match="sed"):
        await FaceRuntime.create(sed=3)
    runtime = await FaceRuntime.create()
    for arguments in ({}, {"audio": b"\0\0", "data": b"\0\0"}):
        with pytest.raises(TypeError):
            await runtime.push_audio(sample_rate=16_000, **arguments)  # type: ignore[arg-type]
    for rate in (8_000, 44_100):
        with pytest.raises(ValueError, match="multiple of 400"):
            await FaceRuntime.create(output_sample_rate=rate)


async def test_each_sdks_own_default_ends_a_turn_or_does_not() -> None:
    sound = np.zeros(640, np.int16).tobytes()
    for name, ends in (("audio", 0), ("data", 1)):
        runtime = await FaceRuntime.create(**in_no_time())
        await runtime.push_audio(sample_rate=16_000, **{name: sound})  # type: ignore[arg-type]
        drained, frames = 0, runtime.run()
        for _ in range(3):
            drained += (await anext(frames)).end_of_speech
        assert drained == ends


async def test_messages_differ_within_a_turn_whatever_the_rate() -> None:
    runtime = await AsyncBithuman.create(**in_no_time())
    sound = np.full(24_000 // 25, 500, np.int16)
    for number in range(6):
        chunk = AudioChunk(sound, 24_000, last_chunk=number == 5)
        await runtime.push(VideoControl(chunk, message_id=number // 2))
    ids = []
    async for frame in runtime.run():
        ids.append(frame.source_message_id)
        if frame.end_of_speech:
            break
    assert ids == [0, 0, 1, 1, 2, 2]
    await runtime.push(VideoControl.from_audio(sound.tobytes(), 24_000, last_chunk=False))
    await runtime.push(VideoControl(end_of_speech=True))
    async for frame in runtime.run():
        if frame.end_of_speech:
            assert frame.has_image
            break
