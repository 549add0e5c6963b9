"""PcmData: what a provider's bytes become."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from mouthpiece.tts import AudioFormat, PcmData
from tests.unit.tts.fakes import Ear, Plain


def test_both_names_of_the_16_bit_format_are_one() -> None:
    assert {AudioFormat.S16, AudioFormat.PCM_S16, AudioFormat("s16")} == {AudioFormat["PCM_S16"]}


def test_mono_bytes_come_back_as_they_were() -> None:
    data = np.array([0, 1, -1, 32_767, -32_768], dtype="<i2").tobytes()
    pcm = PcmData.from_bytes(data, sample_rate=8_000, channels=1, format=AudioFormat.S16)
    assert pcm.samples.dtype == np.int16
    assert pcm.samples.shape == (5,)
    assert (pcm.sample_rate, pcm.channels, pcm.format) == (8_000, 1, AudioFormat.S16)
    assert pcm.duration == 5 / 8_000
    assert pcm.to_bytes() == data


def test_stereo_bytes_are_kept_by_channel() -> None:
    data = np.array([1, 2, 3, 4, 5, 6], dtype="<i2").tobytes()
    pcm = PcmData.from_bytes(data, 48_000, channels=2)
    assert pcm.samples.tolist() == [[1, 3, 5], [2, 4, 6]]
    assert pcm.duration == 3 / 48_000
    assert pcm.to_bytes() == data


def test_float_bytes_are_scaled_rounded_and_clipped_on_their_way_to_16_bit() -> None:
    data = np.array([0.0, 0.5, -1.0, 1.0, 3.0, np.nan], dtype="<f4").tobytes()
    pcm = PcmData.from_bytes(data, 16_000, format=AudioFormat.F32)
    assert pcm.to_bytes() == data
    assert pcm.pcm.samples.tolist() == [0, 16_384, -32_768, 32_767, 32_767, 0]


def test_16_bit_sound_becomes_float_and_comes_back_the_same() -> None:
    samples = np.arange(-32_768, 32_768, 7).astype(np.int16)
    there = PcmData.from_pcm(PcmData(samples, 16_000).pcm, AudioFormat.F32)
    assert there.samples.dtype == np.float32
    assert np.array_equal(there.pcm.samples, samples)


def test_bytes_beyond_whole_frames_are_kept_for_the_next_chunk() -> None:
    pcm = PcmData.from_bytes(b"\x01\x00\x02\x00\x03", 16_000)
    assert pcm.samples.tolist() == [1, 2]
    assert pcm.remainder == b"\x03"


def test_an_array_of_one_row_is_mono() -> None:
    assert PcmData(np.zeros((1, 5), dtype=np.int16), 16_000).samples.shape == (5,)


@pytest.mark.parametrize("shape", [(2, 5), (5, 2), (1, 1, 5)])
def test_samples_that_do_not_fit_the_channels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="3 channel"):
        PcmData(np.zeros(shape, dtype=np.int16), 16_000, channels=3)


def test_a_rate_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        PcmData(np.zeros(5, dtype=np.int16), 0)


def test_its_repr_holds_no_samples() -> None:
    assert repr(PcmData.from_bytes(bytes(3_200), 16_000)) == "PcmData(0.100 s, 16000 Hz, 1 ch, s16)"


BLOCKS = [b"\x01", b"\x00\x02\x00\x03", b"\x00"]
"""1, 2, 3, broken where a network breaks them."""


async def test_an_sdks_answer_becomes_sound_in_any_of_its_shapes() -> None:
    closed = []

    async def streamed() -> AsyncIterator[bytes]:
        try:
            for block in BLOCKS:
                yield block
        finally:
            closed.append(True)

    for response in (b"".join(BLOCKS), BLOCKS, iter(BLOCKS), streamed()):
        tts = Plain(lambda _, response=response: PcmData.from_response(response, 16_000))
        ear = Ear(tts)
        await tts.send("hello")
        assert ear.samples.tolist() == [1, 2, 3]
    assert closed == [True]
