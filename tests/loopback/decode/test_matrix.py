"""Formats, rates, depths and layouts, each as a file, from a pipe, joined and cut: what is promised is heard, or a
refusal says why. Beside it, what FFmpeg makes of the same file (its libraries, through PyAV)."""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio
import soundfile

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import AudioError
from tests.loopback.decode.judging import compare
from tests.loopback.decode.making import chirp, write_with_av

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 0.8
WRITTEN = {
    **{
        f"wav-{depth}": ("WAV", depth)
        for depth in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    },
    **{f"aiff-{depth}": ("AIFF", depth) for depth in ("PCM_16", "PCM_24")},
    **{f"flac-{depth}": ("FLAC", depth) for depth in ("PCM_16", "PCM_24")},
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
THROUGH_AV = {"m4a": ("ipod", "aac"), "webm": ("webm", "libopus"), "aac": ("adts", "aac")}
RATES = {"opus": (24_000, 48_000), "webm": (24_000, 48_000)}
WAYS = ("file", "pipe", "joined", "cut")


def rates(name: str) -> tuple[int, ...]:
    return RATES.get(name, (16_000, 44_100))


FILES = [
    *(
        (name, rate, channels, way)
        for name in WRITTEN
        for rate, channels, way in itertools.product(rates(name), (1, 2), WAYS)
        if way != "pipe" or name.startswith(("wav", "flac"))
    ),
    *((name, rate, 1, way) for name in THROUGH_AV for rate in rates(name) for way in ("file", "joined", "cut")),
    *(("wav-PCM_16", 16_000, channels, "file") for channels in (3, 4, 5, 6, 8)),
    *(("flac-PCM_16", 48_000, channels, "file") for channels in (3, 6, 8)),
]
"""Name, hertz, channels and the way of being written."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def decoders() -> AsyncIterator[Decoders]:
    async with Decoders() as decoders:
        yield decoders


def written(folder: Path, name: str, rate: int, channels: int, way: str) -> bytes:
    sound = chirp(SECONDS, rate)
    samples = sound if channels == 1 else np.stack([sound] * channels, axis=1)
    if name in THROUGH_AV:
        write_with_av(folder / "made", *THROUGH_AV[name], samples, rate)
        whole = (folder / "made").read_bytes()
    else:
        format, subtype = WRITTEN[name]
        file = io.BytesIO()
        # libsndfile 1.2.2 writes noise where a stereo MP3 is made of int16
        source = samples / 32_768 if subtype in ("FLOAT", "DOUBLE", "MPEG_LAYER_III") else samples
        soundfile.write(file, source, rate, format=format, subtype=subtype)
        whole = file.getvalue()
    if way == "joined":
        return whole * 2
    if way == "cut":
        return whole[: len(whole) // 2]
    if way == "pipe":
        changed = bytearray(whole)
        if name.startswith("flac"):
            changed[21:26] = bytes([changed[21] & 0xF0, 0, 0, 0, 0])
        else:
            at = whole.index(b"data") + 4
            changed[4:8] = changed[at : at + 4] = b"\xff\xff\xff\xff"
        return bytes(changed)
    return whole


def by_ffmpeg(path: Path) -> float | None:
    """Seconds that FFmpeg decodes; None: none at all."""
    seconds = 0.0
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                seconds += frame.samples / frame.sample_rate
    except (av.FFmpegError, IndexError):
        pass
    return seconds or None


@pytest.mark.parametrize(("name", "rate", "channels", "way"), FILES)
async def test_what_is_promised_is_heard(
    tmp_path: Path, decoders: Decoders, name: str, rate: int, channels: int, way: str
) -> None:
    path = tmp_path / "given"
    path.write_bytes(written(tmp_path, name, rate, channels, way))
    expected = by_ffmpeg(path)
    try:
        info = await decoders.probe(path)
    except AudioError as refused:
        refusal = str(refused)
        assert (way, "cut off" in refusal) == ("cut", True), refusal
        return
    async with decoders.open(path, info) as blocks:
        heard = np.concatenate([block.samples async for block in blocks])
    assert info.duration is not None
    assert info.num_channels == channels
    assert len(heard) / info.sample_rate == pytest.approx(info.duration, abs=0.001)
    if way == "cut":  # a piece of a stream without a stated length is a stream
        assert expected == pytest.approx(info.duration, abs=0.1)
        return
    times = 2 if way == "joined" else 1
    assert info.duration == pytest.approx(times * SECONDS, abs=0.1 * times)  # what encoders put before and behind
    if expected is not None and way != "joined":  # of joined files FFmpeg plays the first, or the headers too
        assert expected == pytest.approx(info.duration, abs=0.1)
    found = compare(heard[: round(SECONDS * info.sample_rate)], info.sample_rate, chirp(SECONDS, rate), rate)
    assert found.correlation > 0.9
    if channels <= 2:
        assert found.level == pytest.approx(0, abs=1)
