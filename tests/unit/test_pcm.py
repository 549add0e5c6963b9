"""Sound as a value, and the transforms: what goes in comes out, whole, however it was cut."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mouthpiece.audio.mix import MixDown, Remix
from mouthpiece.audio.pcm import Chain, Chunker, Pcm, Resampler, Samples, Transform

RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)


def noise(frames: int, channels: int = 1, seed: int = 0) -> Samples:
    shape = (frames,) if channels == 1 else (channels, frames)
    return np.random.default_rng(seed).integers(-30_000, 30_000, shape).astype(np.int16)


def through(transform: Transform, parts: Iterable[Pcm]) -> list[Pcm]:
    out = [block for part in parts for block in transform.push(part)]
    return out + transform.flush()


def joined(blocks: list[Pcm]) -> Samples:
    return np.concatenate([block.samples for block in blocks], axis=-1)


def cut(samples: Samples, rate: int, sizes: list[int]) -> list[Pcm]:
    borders = np.cumsum(sizes)
    borders = borders[borders < samples.shape[-1]]
    return [Pcm(part, rate) for part in np.split(samples, borders, axis=-1)]


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_bytes_come_back_interleaved_as_they_went_in(channels: int) -> None:
    data = noise(300 * channels).astype("<i2").tobytes()
    pcm = Pcm.from_bytes(data, 48_000, channels)
    assert (pcm.channels, pcm.frames, pcm.duration) == (channels, 300, 300 / 48_000)
    assert pcm.to_bytes() == data


def test_bytes_that_are_no_whole_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="6 bytes are not whole frames of 2 channel"):
        Pcm.from_bytes(bytes(6), 16_000, 2)


def test_silence_has_the_length_it_was_asked_for() -> None:
    assert Pcm.silence(0.25, 16_000).samples.shape == (4_000,)
    assert Pcm.silence(0.25, 16_000, 2).samples.shape == (2, 4_000)


@given(st.lists(st.integers(0, 700), max_size=12), st.integers(1, 2))
def test_chunks_have_one_length_and_nothing_is_lost(sizes: list[int], channels: int) -> None:
    sound = noise(sum(sizes), channels)
    blocks = through(Chunker(0.01), cut(sound, 16_000, sizes))
    assert all(block.frames == 160 for block in blocks[:-1])
    if blocks:
        assert 0 < blocks[-1].frames <= 160
        assert np.array_equal(joined(blocks), sound)
    else:
        assert sum(sizes) == 0


def test_blocks_grow_once_enough_has_come_out() -> None:
    sound = Pcm(np.arange(1_000, dtype=np.int16), 100)
    chunker = Chunker(lambda given: 0.5 if given < 1.0 else 2.0)
    blocks = [*chunker.push(sound), *chunker.flush()]
    assert [block.frames for block in blocks] == [50, 50, 200, 200, 200, 200, 100]
    assert np.array_equal(np.concatenate([block.samples for block in blocks]), sound.samples)


def test_a_cleared_chunker_forgets_what_it_held() -> None:
    chunker = Chunker(1.0)
    chunker.push(Pcm(noise(100), 16_000))
    chunker.clear()
    assert chunker.flush() == []


def test_mixing_down_takes_the_mean_without_overflow() -> None:
    loud = np.array([[32_767, -32_768, 100], [32_767, -32_768, -300]], dtype=np.int16)
    mix = MixDown()
    (mono,) = mix.push(Pcm(loud, 8_000)) + mix.flush()
    assert mono.samples.tolist() == [32_767, -32_768, -100]


def test_remixing_to_more_channels_repeats_the_sound_on_each() -> None:
    sound = noise(50)
    (stereo,) = Remix(2).push(Pcm(sound, 8_000))
    assert stereo.channels == 2
    assert np.array_equal(stereo.samples, np.stack([sound, sound]))


def test_remixing_leaves_sound_that_has_the_channels() -> None:
    stereo = Pcm(noise(50, 2), 8_000)
    assert Remix(2).push(stereo) == [stereo]


def test_remixing_six_channels_to_two_goes_through_their_mix() -> None:
    surround, remix = Pcm(noise(500, 6), 8_000), Remix(2)
    mix = MixDown()
    expected = np.concatenate([block.samples for block in mix.push(surround) + mix.flush()])
    given = np.concatenate([block.samples for block in remix.push(surround) + remix.flush()], axis=1)
    assert np.array_equal(given, np.stack([expected, expected]))


@given(
    st.sampled_from(RATES),
    st.sampled_from(RATES),
    st.lists(st.integers(0, 3_000), min_size=1, max_size=8),
    st.integers(1, 2),
)
def test_resampled_length_is_exact_however_it_was_cut(
    source: int, target: int, sizes: list[int], channels: int
) -> None:
    frames = sum(sizes)
    blocks = through(Resampler(target), cut(noise(frames, channels), source, sizes))
    assert sum(block.frames for block in blocks) == int(frames * target / source + 0.5)
    assert all(block.sample_rate == target and block.channels == channels for block in blocks)


@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=8), st.integers(1, 2))
def test_resampling_is_the_same_however_it_was_cut(sizes: list[int], channels: int) -> None:
    sound = noise(sum(sizes), channels)
    whole = joined(through(Resampler(16_000), [Pcm(sound, 22_050)]))
    parts = joined(through(Resampler(16_000), cut(sound, 22_050, sizes)))
    assert np.array_equal(whole, parts)


def test_full_scale_is_clipped_and_does_not_wrap() -> None:
    square = np.where(np.arange(4_000) % 100 < 50, 32_767, -32_768).astype(np.int16)
    out = joined(through(Resampler(48_000), [Pcm(square, 16_000)]))
    middle = out[2_000:-2_000].astype(int)
    assert np.abs(np.diff(middle)).max() < 50_000  # a wrapped sample jumps by 65,535


def test_sound_of_the_same_rate_passes_untouched() -> None:
    sound = Pcm(noise(100), 16_000)
    resampler = Resampler(16_000)
    assert resampler.push(sound) == [sound]
    assert resampler.flush() == []


def test_a_rate_that_changes_in_the_middle_is_refused() -> None:
    resampler = Resampler(16_000)
    resampler.push(Pcm(noise(100), 24_000))
    with pytest.raises(ValueError, match="in mid-stream"):
        resampler.push(Pcm(noise(100), 22_050))


def test_a_cleared_resampler_starts_anew_with_another_rate() -> None:
    resampler = Resampler(16_000)
    resampler.push(Pcm(noise(10_000), 24_000))
    resampler.clear()
    assert sum(block.frames for block in through(resampler, [Pcm(noise(22_050), 22_050)])) == 16_000


def test_a_chain_flushes_each_through_those_behind_it() -> None:
    chain = Chain(MixDown(), Resampler(16_000), Chunker(0.02))
    blocks = through(chain, cut(noise(44_100, 2), 44_100, [1_000] * 44))
    assert [block.frames for block in blocks] == [320] * 50


def test_a_cleared_chain_holds_nothing() -> None:
    chain = Chain(Resampler(16_000), Chunker(0.02))
    chain.push(Pcm(noise(10_001), 24_000))
    chain.clear()
    assert chain.flush() == []


@given(rate=st.integers(8_000, 48_000), seconds=st.sampled_from([0.02, 0.1, 0.25, 0.5]))
def test_no_chunk_is_longer_than_it_was_asked_for_nor_shorter_by_a_frame(rate: int, seconds: float) -> None:
    first, *_ = Chunker(seconds).push(Pcm(np.zeros(rate, np.int16), rate))
    assert seconds - 1 / rate < first.duration <= seconds + 1e-9
