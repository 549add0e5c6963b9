"""Formats, rates, depths and layouts, each as a file, from a pipe, joined and cut: what is promised is heard, or a
refusal says why. Beside it, what FFmpeg makes of the same file (its libraries, through PyAV)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import AudioError
from tests.loopback.decode.judging import compare
from tests.loopback.decode.making import chirp
from tests.loopback.decode.matrix import FILES, SECONDS, by_ffmpeg, written

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def decoders() -> AsyncIterator[Decoders]:
    async with Decoders() as decoders:
        yield decoders


@pytest.mark.parametrize(("name", "rate", "channels", "way"), FILES)
async def test_what_is_promised_is_heard(
    tmp_path: Path, decoders: Decoders, name: str, rate: int, channels: int, way: str
) -> None:
    path = tmp_path / "given"
    path.write_bytes(written(tmp_path, name, rate, channels, way))
    ffmpeg = by_ffmpeg(path)
    expected = ffmpeg and ffmpeg.seconds
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
