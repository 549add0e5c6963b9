"""How true the resampling of streamed sound is: ours, livekit's ``rtc.AudioResampler``, and soxr in one call.

::

    python bench/resample.py [--seconds 4] [--pairs 24000-16000 44100-48000] [--json FILE]

A sine (997 Hz, -6 dB) and a linear sweep (60 Hz to 0.35 of the lower rate) go through every pair of 8, 16, 22.05, 24,
44.1 and 48 kHz, in the same chunks of random sizes (1 frame to 40 ms); soxr gets them whole. For each:

- length: frames too many (+) or too few (-)
- noise: what is left of the sine beside itself (amplitude and phase fitted), RMS in dB of full scale
- click: the largest single sample of that rest, of 32,768; a border that is heard stands out here
- sweep: what is left beside the ideal sweep at its best alignment in whole frames, dB of full scale; a resampler that
  drops or repeats a frame on its way cannot align
- speed: times real time, on one core
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr
from livekit import rtc

from mouthpiece.audio.pcm import Pcm, Resampler, Samples

RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
PEAK = 0.5 * 32_768
FADE = 0.05
"""Seconds in and out: a step would ring, and rightly so."""
HERTZ = 997
SPAN = 600
"""Frames either way in which the sweep's alignment is looked for."""

Signal = npt.NDArray[np.float64]
Way = Callable[[list[Samples], int, int], Samples]


def sine(rate: int, seconds: float) -> Signal:
    t = np.arange(round(seconds * rate)) / rate
    return faded(t, seconds, np.sin(2 * np.pi * HERTZ * t))


def sweep(rate: int, seconds: float, top: float) -> Signal:
    t = np.arange(round(seconds * rate)) / rate
    return faded(t, seconds, np.sin(2 * np.pi * (60 * t + (top - 60) * t**2 / (2 * seconds))))


def faded(t: Signal, seconds: float, signal: Signal) -> Signal:
    slope = np.clip(np.minimum(t, seconds - t) / FADE, 0, 1)
    return PEAK * np.sin(np.pi / 2 * slope) ** 2 * signal


def ours(chunks: list[Samples], source: int, target: int) -> Samples:
    resampler = Resampler(target)
    blocks = [block for chunk in chunks for block in resampler.push(Pcm(chunk, source))]
    return np.concatenate([block.samples for block in blocks + resampler.flush()])


def livekit(chunks: list[Samples], source: int, target: int) -> Samples:
    resampler = rtc.AudioResampler(source, target, num_channels=1, quality=rtc.AudioResamplerQuality.HIGH)
    frames = [frame for chunk in chunks for frame in resampler.push(bytearray(chunk.tobytes()))]
    frames += resampler.flush()
    return np.concatenate([np.frombuffer(frame.data, dtype=np.int16) for frame in frames])


def one_shot(chunks: list[Samples], source: int, target: int) -> Samples:
    return np.asarray(soxr.resample(np.concatenate(chunks), source, target, quality="HQ"))


WAYS: dict[str, Way] = {"ours": ours, "rtc.AudioResampler": livekit, "soxr, one call": one_shot}


@dataclass
class Figures:
    length: int
    noise: float
    click: float
    sweep: float
    speed: float


def measure(way: Way, source: int, target: int, seconds: float) -> Figures:
    random = np.random.default_rng([source, target])

    def cut(signal: Signal) -> list[Samples]:
        samples = np.rint(signal).astype(np.int16)
        borders = np.cumsum(random.integers(1, source // 25, len(samples)))
        return np.split(samples, borders[borders < len(samples)])

    chunks = cut(sine(source, seconds))
    began = time.perf_counter()
    out = way(chunks, source, target)
    took = time.perf_counter() - began
    wanted = math.floor(sum(map(len, chunks)) * target / source + 0.5)
    rest = beside_the_sine(out, target)

    top = 0.35 * min(source, target)
    swept = way(cut(sweep(source, seconds, top)), source, target).astype(float)
    return Figures(
        length=len(out) - wanted,
        noise=decibels(rest),
        click=float(np.abs(rest).max()),
        sweep=decibels(aligned_rest(swept, sweep(target, seconds, top))),
        speed=seconds / took,
    )


def beside_the_sine(out: Samples, rate: int) -> Signal:
    """The middle of ``out`` without the sine in it: least squares of sine, cosine and offset."""
    edge = round(2 * FADE * rate)
    middle = out[edge:-edge].astype(float)
    angle = 2 * np.pi * HERTZ * np.arange(len(middle)) / rate
    basis = np.stack([np.sin(angle), np.cos(angle), np.ones_like(angle)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, middle, rcond=None)
    return np.asarray(middle - basis @ fit)


def aligned_rest(out: Signal, ideal: Signal) -> Signal:
    """``out`` minus ``ideal``, shifted by the whole number of frames that leaves least."""
    size = min(len(out), len(ideal)) - 2 * SPAN
    ideal = ideal[SPAN : SPAN + size]
    lags = range(2 * SPAN + 1)
    length = 1 << (len(out) + size).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(out, length) * np.conj(np.fft.rfft(ideal, length)), length)
    lag = max(lags, key=lambda lag: correlation[lag])
    return np.asarray(out[lag : lag + size] - ideal)


def decibels(error: Signal) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(error**2)) / 32_768 + 1e-9))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4, help="of each signal (4)")
    parser.add_argument("--pairs", nargs="+", metavar="FROM-TO", help="hertz; all pairs unless some are named")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    pairs = list(itertools.permutations(RATES, 2))
    if options.pairs:
        try:
            pairs = [(int(pair.split("-")[0]), int(pair.split("-")[1])) for pair in options.pairs]
        except (ValueError, IndexError):
            parser.error("a pair is two rates in hertz, such as 24000-16000")
    results: dict[str, dict[str, Figures]] = {name: {} for name in WAYS}
    for number, (source, target) in enumerate(pairs, 1):
        print(f"\r{number}/{len(pairs)}: {source} → {target} Hz   ", end="", file=sys.stderr, flush=True)
        for name, way in WAYS.items():
            results[name][f"{source}-{target}"] = measure(way, source, target, options.seconds)
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)

    print(f"{'from → to (Hz)':>16}  " + "".join(f"{name:^42}" for name in WAYS))
    print(" " * 18 + "".join(f"{'length':>7}{'noise':>8}{'click':>8}{'sweep':>8}{'speed':>8}   " for _ in WAYS))
    for pair in results["ours"]:
        cells = (results[name][pair] for name in WAYS)
        print(
            f"{pair.replace('-', ' → '):>16}  "
            + "".join(f"{c.length:+7d}{c.noise:8.1f}{c.click:8.1f}{c.sweep:8.1f}{c.speed:7.0f}×   " for c in cells)
        )
    print(
        f"{'worst':>16}  "
        + "".join(
            f"{max((f.length for f in found.values()), key=abs):+7d}{max(f.noise for f in found.values()):8.1f}"
            f"{max(f.click for f in found.values()):8.1f}{max(f.sweep for f in found.values()):8.1f}"
            f"{min(f.speed for f in found.values()):7.0f}×   "
            for found in results.values()
        )
    )
    if options.json:
        figures = {name: {pair: asdict(f) for pair, f in found.items()} for name, found in results.items()}
        options.json.write_text(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
