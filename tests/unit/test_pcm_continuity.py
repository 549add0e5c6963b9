"""A sine and a sweep through every pair of common rates, in chunks of random sizes: no click, no drift, no noise."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
import soxr

from mouthpiece.audio.pcm import Pcm, Resampler, Samples

RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
PAIRS = list(itertools.permutations(RATES, 2))
SECONDS = 1.5
PEAK = 0.5 * 32_768
EDGE = 0.05
"""Seconds over which a signal fades in and out: a step would ring, and rightly so."""

Signal = npt.NDArray[np.float64]


def sine(rate: int, frames: int) -> Signal:
    """997 Hz: no whole number of chunks."""
    t = np.arange(frames) / rate
    return faded(t, np.sin(2 * np.pi * 997 * t))


def sweep(rate: int, frames: int, top: float) -> Signal:
    """Linear, from 60 Hz to ``top``, the same in continuous time for every rate."""
    t = np.arange(frames) / rate
    return faded(t, np.sin(2 * np.pi * (60 * t + (top - 60) * t**2 / (2 * SECONDS))))


def faded(t: Signal, signal: Signal) -> Signal:
    slope = np.clip(np.minimum(t, SECONDS - t) / EDGE, 0, 1)
    return PEAK * np.sin(np.pi / 2 * slope) ** 2 * signal


def int16(signal: Signal) -> Samples:
    return np.rint(signal).astype(np.int16)


def in_random_chunks(sound: Samples, source: int, target: int) -> tuple[Samples, list[int]]:
    """The resampled sound, and where in it the borders of the chunks that came out are."""
    random = np.random.default_rng([source, target])
    resampler = Resampler(target)
    blocks: list[Pcm] = []
    start = 0
    while start < len(sound):
        size = int(random.integers(1, source // 25))
        blocks += resampler.push(Pcm(sound[start : start + size], source))
        start += size
    blocks += resampler.flush()
    borders = np.cumsum([block.frames for block in blocks])[:-1]
    return np.concatenate([block.samples for block in blocks]), borders.tolist()


def decibels(error: Signal) -> float:
    """RMS, below full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(error**2)) / 32_768 + 1e-12))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_sine_comes_out_as_a_sine(source: int, target: int) -> None:
    frames = round(SECONDS * source) + 7  # no whole number of milliseconds
    sound = int16(sine(source, frames))
    out, borders = in_random_chunks(sound, source, target)
    assert len(out) == int(frames * target / source + 0.5)

    error = out - sine(target, len(out))
    one_shot = int16(soxr.resample(sound.astype(np.float32), source, target, quality="HQ"))
    floor = decibels(one_shot - sine(target, len(one_shot)))
    measured = decibels(error)
    assert measured <= floor + 0.1
    assert measured < -92  # 16 bits of a sine that was rounded twice: -98 dB

    at_borders = [error[border - 2 : border + 2] for border in borders if 2 <= border <= len(out) - 2]
    assert len(at_borders) > 5
    assert np.abs(at_borders).max() <= 2  # of 32,768


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_sweep_comes_out_as_a_sweep(source: int, target: int) -> None:
    frames = round(SECONDS * source)
    top = 0.35 * min(source, target)  # above, the fading out reaches into the filter
    sound = int16(sweep(source, frames, top))
    out, borders = in_random_chunks(sound, source, target)

    one_shot = int16(soxr.resample(sound.astype(np.float32), source, target, quality="HQ"))
    assert np.array_equal(out, one_shot)
    error = out - sweep(target, len(out), top)
    assert decibels(error) < -95
    assert np.abs(error).max() <= 3
    assert len(borders) > 5
