"""Every format: its length to the frame, its samples, and the same samples from any offset on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from mouthpiece.audio.decoders import BLOCK, Decoders
from mouthpiece.audio.mix import weights
from mouthpiece.segments import AudioInfo
from mouthpiece_sender.sounds.file import FileSound
from mouthpiece_sender.sounds.sound import Sound
from tests.loopback.decode.making import Samples, chirp, write_with_av

ASSETS = Path(__file__).parents[3] / "assets"

EXACT = {
    "wav-16": ("WAV", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
}
WITHIN_ONE = {
    "wav-24": ("WAV", "PCM_24"),
    "wav-32": ("WAV", "PCM_32"),
    "wav-float": ("WAV", "FLOAT"),
    "wav-double": ("WAV", "DOUBLE"),
    "flac-24": ("FLAC", "PCM_24"),
}
LOSSY = {
    "wav-ulaw": ("WAV", "ULAW"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}


async def whole(sound: Sound, offset: float = 0.0) -> Samples:
    blocks = []
    async with sound.open(offset) as opened:
        async for block in opened:
            assert block.sample_rate == sound.info.sample_rate
            assert block.channels == 1
            assert 0 < block.duration <= BLOCK
            blocks.append(block.samples)
    return np.concatenate(blocks or [np.zeros(0, np.int16)])


def written(path: Path, format: str, subtype: str, samples: npt.NDArray[Any], rate: int) -> Path:
    soundfile.write(path, samples, rate, format=format, subtype=subtype)
    return path


def worst_likeness(one: Samples, other: Samples, frames: int) -> float:
    """Correlation, of the piece of ``frames`` that is least alike: 1 for the same sound, 0 for a hole in one."""
    worst = 1.0
    for start in range(0, len(one) - frames + 1, frames):
        a = one[start : start + frames].astype(np.float64)
        b = other[start : start + frames].astype(np.float64)
        worst = min(worst, float(a @ b) / max(float(np.sqrt((a @ a) * (b @ b))), 1.0))
    return worst


@pytest.mark.parametrize("name", sorted(EXACT | WITHIN_ONE | LOSSY))
async def test_what_libsndfile_reads(tmp_path: Path, decoders: Decoders, name: str) -> None:
    rate, samples = 24_000, chirp(2.5, 24_000)
    format, subtype = (EXACT | WITHIN_ONE | LOSSY)[name]
    source = samples / 32_768 if subtype in ("FLOAT", "DOUBLE") else samples  # libsndfile scales no integers for those
    path = await asyncio.to_thread(written, tmp_path / name, format, subtype, source, rate)
    sound = await FileSound.probe(path, decoders)
    assert sound.info == AudioInfo(rate, 1, 2.5)
    read = await whole(sound)
    assert len(read) == len(samples)
    if name in LOSSY:
        assert worst_likeness(read, samples, rate // 10) > 0.95
    else:
        assert np.abs(read.astype(int) - samples).max() <= (0 if name in EXACT else 1)
    for offset in (0.1, 1.0, 2.4999, 2.5, 7.0):
        rest = await whole(sound, offset)
        expected = read[round(offset * rate) :]
        assert len(rest) == len(expected)
        assert np.abs(rest.astype(int) - expected).max(initial=0) <= (100 if name in LOSSY else 0)


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("webm", "libopus", 48_000),
        ("mp4", "aac", 44_100),
        ("ipod", "aac", 48_000),
        ("adts", "aac", 24_000),
    ],
)
async def test_what_pyav_reads(tmp_path: Path, decoders: Decoders, container: str, codec: str, rate: int) -> None:
    samples = chirp(2.5, rate)
    await asyncio.to_thread(write_with_av, tmp_path / "sound", container, codec, samples, rate)
    sound = await FileSound.probe(tmp_path / "sound", decoders)
    assert (sound.info.sample_rate, sound.info.num_channels) == (rate, 1)
    assert sound.info.duration == pytest.approx(2.5, abs=0.1 if container == "adts" else 0.025)
    read = await whole(sound)
    assert sound.info.duration == pytest.approx(len(read) / rate, abs=0.025)
    if container != "adts":  # it does not say what the encoder put before the sound
        assert worst_likeness(read[: 2 * rate], samples[: 2 * rate], rate // 10) > 0.95
    rest = await whole(sound, 1.5)
    assert len(rest) == pytest.approx(len(read) - round(1.5 * rate), abs=rate * 0.025)
    assert worst_likeness(rest[: rate // 2], read[round(1.5 * rate) :][: rate // 2], rate // 10) > 0.99


@pytest.mark.parametrize("channels", [2, 3, 6])
async def test_channels_are_mixed_by_their_places(tmp_path: Path, decoders: Decoders, channels: int) -> None:
    samples = chirp(1.25, 16_000, channels)
    path = await asyncio.to_thread(written, tmp_path / "sound", "WAV", "PCM_16", samples, 16_000)
    sound = await FileSound.probe(path, decoders)
    assert sound.info == AudioInfo(16_000, channels, 1.25)
    mixed = np.rint(samples @ np.array(weights(channels)))
    assert np.abs(await whole(sound) - mixed).max() <= 1


@pytest.mark.parametrize("rate", [4_000, 8_000, 22_050, 96_000, 192_000])
async def test_unusual_rates(tmp_path: Path, decoders: Decoders, rate: int) -> None:
    samples = chirp(1.1, rate)
    path = await asyncio.to_thread(written, tmp_path / "sound", "WAV", "PCM_16", samples, rate)
    assert np.array_equal(await whole(await FileSound.probe(path, decoders)), samples)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
async def test_what_is_over_full_scale_is_clipped_and_nothing_wraps(
    tmp_path: Path, decoders: Decoders, subtype: str
) -> None:
    loud = np.array([0.0, 0.5, 1.0, 1.5, 40.0, -0.5, -1.0, -1.5, -40.0])
    path = await asyncio.to_thread(written, tmp_path / "sound", "WAV", subtype, loud, 16_000)
    read = await whole(await FileSound.probe(path, decoders))
    assert read.tolist() == [0, 16_384, 32_767, 32_767, 32_767, -16_384, -32_768, -32_768, -32_768]


@pytest.mark.parametrize("asset", sorted(ASSETS.glob("*_*.*")), ids=lambda path: path.name)
async def test_every_asset(asset: Path, decoders: Decoders) -> None:
    sound = await FileSound.probe(asset, decoders)
    assert sound.info.duration is not None
    read = await whole(sound)
    assert read.shape[-1] == round(sound.info.duration * sound.info.sample_rate)
    once, _ = await asyncio.to_thread(soundfile.read, asset, dtype="float32", always_2d=True)
    assert np.abs(read.astype(int) - np.rint(once.mean(axis=1) * 32_768)).max() <= 1
    assert np.abs(read.astype(int)).max() > 3000


async def test_one_frame_is_a_sound(tmp_path: Path, decoders: Decoders) -> None:
    one = np.array([123], np.int16)
    path = await asyncio.to_thread(written, tmp_path / "sound", "WAV", "PCM_16", one, 48_000)
    assert (await whole(await FileSound.probe(path, decoders))).tolist() == [123]
