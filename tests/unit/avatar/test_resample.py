"""Resampling to 48 kHz: exact length, clean, at once, and the same however it was cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mouthpiece.audio.pcm import Pcm
from mouthpiece_avatar.resample import Resampler

RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)


def resampled(samples: np.ndarray, rate: int, cuts: list[int]) -> np.ndarray:
    resampler = Resampler(48_000)
    out = []
    for part in np.split(samples, sorted(cut % (len(samples) + 1) for cut in cuts)):
        out += resampler.push(Pcm(part, rate))
    out += resampler.flush()
    return np.concatenate([np.zeros(0, np.int16), *(pcm.samples for pcm in out)])


def sine(rate: int, seconds: float = 0.5, hertz: float = 1_000.0) -> np.ndarray:
    wave: np.ndarray = 10_000 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)
    return wave.round().astype(np.int16)


@settings(max_examples=60)
@given(
    rate=st.sampled_from(RATES),
    length=st.integers(0, 4_000),
    cuts=st.lists(st.integers(0, 4_000), max_size=12),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_same_sound_gives_the_same_samples_however_it_was_cut(
    rate: int, length: int, cuts: list[int], seed: int
) -> None:
    samples = np.random.default_rng(seed).integers(-32_768, 32_767, length).astype(np.int16)
    whole = resampled(samples, rate, [])
    assert resampled(samples, rate, cuts).tobytes() == whole.tobytes()
    assert len(whole) == round(length * 48_000 / rate)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_stays_a_tone(rate: int) -> None:
    out = resampled(sine(rate), rate, []).astype(float)
    wanted = 10_000 * np.sin(2 * np.pi * 1_000 * np.arange(len(out)) / 48_000)
    inner = slice(2_000, -2_000)
    noise = np.mean(np.square(out[inner] - wanted[inner]))
    assert 10 * np.log10(np.mean(np.square(wanted[inner])) / noise) > 75


def test_what_lies_above_the_lower_nyquist_frequency_is_kept_out() -> None:
    out = resampled(sine(96_000, hertz=30_000), 96_000, []).astype(float)
    assert np.abs(out[500:-500]).max() < 10


@pytest.mark.parametrize("rate", RATES)
def test_no_more_than_four_milliseconds_are_held_back(rate: int) -> None:
    out = Resampler(48_000).push(Pcm(sine(rate, 0.1), rate))
    assert sum(pcm.duration for pcm in out) > 0.096


def test_full_scale_does_not_wrap_around() -> None:
    square = np.repeat(np.array([32_767, -32_768] * 20, np.int16), 100)
    out = resampled(square, 16_000, [])
    assert out.max() == 32_767
    assert out.min() == -32_768
    assert (out[350:550] < 0).all(), "a peak beyond full scale came out on the other side"
    assert (out[50:250] > 0).all()


def test_it_starts_anew_after_a_clear_and_after_a_flush() -> None:
    resampler = Resampler(48_000)
    resampler.push(Pcm(sine(16_000), 16_000))
    resampler.clear()
    out = resampler.push(Pcm(sine(8_000), 8_000)) + resampler.flush()
    assert sum(pcm.frames for pcm in out) == 24_000
    assert resampler.flush() == []


def test_what_it_cannot_do_it_refuses() -> None:
    resampler = Resampler(48_000)
    resampler.push(Pcm(sine(16_000), 16_000))
    with pytest.raises(ValueError, match="mid-stream"):
        resampler.push(Pcm(sine(8_000), 8_000))
    with pytest.raises(ValueError, match="mono"):
        resampler.push(Pcm(np.zeros((2, 10), np.int16), 16_000))
