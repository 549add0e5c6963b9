"""The base class's resampling: every pair of common rates, in chunks of random bytes, mono and stereo."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import soxr

from mouthpiece.tts import PcmData
from tests.unit.tts.fakes import Ear, Plain

RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
FRAMES = 34_567


@pytest.mark.parametrize(("source", "target"), list(itertools.product(RATES, RATES)))
@pytest.mark.parametrize(("channels", "wanted"), [(1, 1), (2, 1), (1, 2)])
async def test_a_stream_cut_anywhere_sounds_as_if_it_had_been_one(
    source: int, target: int, channels: int, wanted: int
) -> None:
    random = np.random.default_rng([source, target, channels])
    t = np.arange(FRAMES) / source
    mono = np.rint(12_000 * np.sin(2 * np.pi * (50 * t + 0.2 * source * t**2))).astype(np.int16)
    data = np.repeat(mono, channels).astype("<i2").tobytes()

    async def cut(text: str) -> AsyncIterator[PcmData]:
        start = 0
        while start < len(data):
            size = int(random.integers(1, 9_000))
            yield PcmData.from_bytes(data[start : start + size], source, channels)
            start += size

    tts = Plain(cut)
    tts.set_output_format(target, wanted)
    ear = Ear(tts)
    await tts.send("hello")

    expected: Any = mono
    if source != target:
        whole = soxr.resample(mono.astype(np.float32), source, target, quality="HQ")
        expected = np.clip(np.rint(whole), -32_768, 32_767).astype(np.int16)
    assert len(expected) == int(FRAMES * target / source + 0.5)
    assert len(ear.audio) > 2
    assert np.array_equal(ear.samples, expected if wanted == 1 else np.stack([expected, expected]))
