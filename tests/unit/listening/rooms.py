"""Sounds, and what becomes of them on the way through an avatar and a room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mouthpiece.listening.envelope import HeardEnvelope, Levels, SentEnvelope
from mouthpiece.listening.verdict import Judgement, judge

RATE = 16_000
"""Hertz of every sound here."""

Samples = npt.NDArray[np.int16]


def words(seconds: float, seed: int = 1, amplitude: float = 6_000.0) -> Samples:
    """Something like speech: syllables of 80 to 250 ms, a pause now and then, loud from its first to its last."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(seconds * RATE))
    at = 0.0
    while at < seconds - 0.08:
        length = min(rng.uniform(0.08, 0.25), seconds - at)
        start, count = round(at * RATE), round(length * RATE)
        shape = np.sin(np.linspace(0, np.pi, count)) ** 0.5 * rng.uniform(0.15, 1.0)
        out[start : start + count] += (shape * rng.normal(size=count))[: len(out) - start] * amplitude / 2
        at += length + (rng.uniform(0.2, 0.5) if rng.random() < 0.15 else rng.uniform(0.01, 0.06))
    end = min(len(out), round(0.12 * RATE))
    out[-end:] += rng.normal(size=end) * amplitude / 4
    return as_samples(out)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def noise(seconds: float, decibels: float, seed: int = 9) -> Samples:
    """White noise, ``decibels`` below full scale."""
    level = 32_768 * 10 ** (decibels / 20)
    return as_samples(np.random.default_rng(seed).normal(size=round(seconds * RATE)) * level)


def recorded(name: str) -> Samples:
    """A sound of the repository's, 16 kHz mono."""
    import soundfile

    samples, rate = soundfile.read(Path(__file__).parents[3] / "assets" / name, dtype="int16")
    assert rate == RATE
    return np.asarray(samples, dtype=np.int16)


def as_samples(values: npt.NDArray[np.floating[Any]]) -> Samples:
    rounded: Samples = np.clip(np.rint(values), -32_768, 32_767).astype(np.int16)
    return rounded


def mixed(first: Samples, second: Samples) -> Samples:
    length = max(len(first), len(second))
    total = np.zeros(length)
    total[: len(first)] += first
    total[: len(second)] += second
    return as_samples(total)


def delayed(sound: Samples, seconds: float, after: float = 1.0) -> Samples:
    """``sound`` on a track that was silent before, and is silent afterwards."""
    return np.concatenate((silence(seconds), sound, silence(after)))


def stretched(sound: Samples, seed: int = 3, by: float = 0.02) -> Samples:
    """As a jitter buffer does it: now and then ``by`` seconds are left out, or said twice."""
    rng = np.random.default_rng(seed)
    parts, drift = [], 0
    for start in range(0, len(sound), RATE // 2):
        part = sound[start : start + RATE // 2]
        cut = round(by * RATE)
        if len(part) > 3 * cut and rng.random() < 0.6:
            if rng.random() < 0.5 + 0.15 * drift:
                part, drift = part[cut:], drift - 1
            else:
                part, drift = np.concatenate((part[:cut], part)), drift + 1
        parts.append(part)
    return np.concatenate(parts)


def coded(sound: Samples, seed: int = 4) -> Samples:
    """As Opus does it, roughly: loudness is off by up to 2 dB from packet to packet, with a faint hiss."""
    rng = np.random.default_rng(seed)
    packets = np.repeat(10 ** (rng.uniform(-2, 2, len(sound) // 320 + 1) / 20), 320)[: len(sound)]
    return as_samples(sound * packets + rng.normal(size=len(sound)) * 8)


def sent(sound: Samples) -> Levels:
    envelope = SentEnvelope(RATE)
    envelope.write(sound.tobytes(), 0.0)
    envelope.close()
    return envelope.levels()


def heard(track: Samples) -> Levels:
    """As it comes from a subscription, in blocks of 50 ms."""
    envelope = HeardEnvelope(RATE)
    for start in range(0, len(track), RATE // 20):
        block = track[start : start + RATE // 20]
        envelope.push(block, (start + len(block)) / RATE)
    return envelope.window(0.0, len(track) / RATE)


def judged(sound: Samples, track: Samples, lag: float | None = None, *, alone_until: float = float("inf")) -> Judgement:
    """The verdict once all of ``track`` was heard, which begins with the first write."""
    judgement = judge(sent(sound), heard(track), lag=lag, alone_until=alone_until)
    assert judgement is not None
    return judgement
