"""Receivers on whose audio track there is more than what they were sent. The additions are the same in each run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.playout_stream import RATE
from mouthpiece_avatar.testing.fault import Fault

PERIOD: Final = 8
"""Seconds after which the additions come again."""
PITCH: Final = 130.0
"""Hertz, of the other speaker."""
SYLLABLE: Final = 0.22
"""Seconds."""
FULL_SCALE: Final = 32_767


@dataclass(frozen=True)
class Noise(Fault):
    """There is white noise on its track, all the time."""

    decibels: float = -40.0
    """Its level (RMS), of full scale."""

    def track(self, index: int, samples: Samples) -> Samples:
        return _added(samples, _noise(self.decibels), index)


@dataclass(frozen=True)
class OtherSpeech(Fault):
    """Somebody else is heard on its track, all the time: voiced syllables, uneven in loudness, with pauses."""

    decibels: float = -22.0
    """The level (RMS) of a loud syllable, of full scale."""

    def track(self, index: int, samples: Samples) -> Samples:
        return _added(samples, _speech(self.decibels), index)


def _added(samples: Samples, addition: Samples, index: int) -> Samples:
    places = np.arange(index, index + len(samples)) % len(addition)
    mixed: npt.NDArray[np.int32] = samples.astype(np.int32) + addition[places]
    clipped: Samples = np.clip(mixed, -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)
    return clipped


@cache
def _noise(decibels: float) -> Samples:
    noise = np.random.default_rng(1).standard_normal(PERIOD * RATE)
    return _at_level(noise, decibels)


@cache
def _speech(decibels: float) -> Samples:
    """Harmonics of a voice that falls off to its upper end, in syllables of which each fourth or so is a pause."""
    generator = np.random.default_rng(2)
    time = np.arange(PERIOD * RATE) / RATE
    voice = np.zeros(len(time))
    for number in range(1, 20):
        voice += np.sin(2 * np.pi * PITCH * number * time + number) / number
    syllable = time // SYLLABLE
    loudness = generator.uniform(0.3, 1.0, int(syllable[-1]) + 1) * (generator.random(int(syllable[-1]) + 1) > 0.25)
    envelope = loudness[syllable.astype(int)] * np.sin(np.pi * (time % SYLLABLE) / SYLLABLE) ** 2
    return _at_level(envelope * voice / np.std(voice), decibels)


def _at_level(signal: npt.NDArray[np.float64], decibels: float) -> Samples:
    scaled = np.clip(np.rint(signal * FULL_SCALE * 10 ** (decibels / 20)), -FULL_SCALE - 1, FULL_SCALE)
    return scaled.astype(np.int16)
