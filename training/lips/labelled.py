"""From utterances to rows of features and classes, with the sound made worse in many ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from training.lips.phones import parts
from training.lips.speech import RATE, Utterance

from mouthpiece_avatar.lips.features import BANDS, HOP, WIDTH, WINDOW, Features, Floats, mel_bank
from mouthpiece_avatar.lips.model import Class

_HOP, _WINDOW = round(RATE * HOP), round(RATE * WINDOW)
_QUIET_REST = 30.0
"""dB below the loudest hop: what is marked as a pause and is louder is left out."""


@dataclass(slots=True)
class Labelled:
    """Hops of one or more utterances of a voice."""

    voice: str
    rows: Floats
    """(hops, WIDTH)."""
    classes: npt.NDArray[np.int8]
    """(hops,); -1: not trained on."""


def classes_of(said: Utterance) -> npt.NDArray[np.int8]:
    """Return the class at the middle of each hop of an utterance."""
    count = len(said.samples) // _HOP
    classes = np.full(count, -1, np.int8)
    middles = (np.arange(count) + 0.5) * HOP
    if said.segments:
        classes[middles >= said.segments[-1].end] = Class.REST
    for segment in said.segments:
        at = segment.begin
        for share, kind in parts(segment.phone, said.table):
            end = at + share * (segment.end - segment.begin)
            inside = (middles >= at) & (middles < end)
            classes[inside] = -1 if kind is None else kind
            at = end
    squares = np.square(said.samples[: count * _HOP]).reshape(count, _HOP).mean(axis=1)
    level = 10 * np.log10(squares + 1e-12)
    classes[(classes == Class.REST) & (level > level.max(initial=-120) - _QUIET_REST)] = -1
    return classes


def joined(
    said: list[Utterance], random: np.random.Generator, *, gaps: bool = True
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Put utterances of one voice one after the other, with pauses."""
    sounds: list[Floats] = []
    kinds: list[npt.NDArray[np.int8]] = []
    for at, utterance in enumerate(said):
        pause = int(random.uniform(0.1, 1.0) * 100) if gaps else 30
        if at == 0 and gaps and random.random() < 0.3:
            pause = 0
        count = len(utterance.samples) // _HOP
        sounds += [np.zeros(pause * _HOP, np.float32), utterance.samples[: count * _HOP]]
        kinds += [np.full(pause, Class.REST, np.int8), classes_of(utterance)]
    sounds.append(np.zeros(30 * _HOP, np.float32))
    kinds.append(np.full(30, Class.REST, np.int8))
    return np.concatenate(sounds), np.concatenate(kinds)


def worse(sound: Floats, random: np.random.Generator) -> Floats:
    """Another microphone, room and distance."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    knots = np.array([0, 150, 350, 700, 1_200, 2_000, 3_200, 4_800, 8_000.0])
    gains = random.normal(0, 3.5, len(knots)) + random.uniform(-4, 4) * np.log2(np.maximum(knots, 100) / 1_000)
    spectrum *= 10 ** (np.interp(hertz, knots, gains) / 20)
    if random.random() < 0.1:
        spectrum[hertz > random.uniform(3_400, 4_200)] = 0
    changed = np.fft.irfft(spectrum, len(sound))
    changed *= 0.5 / max(1e-6, float(np.abs(changed).max()))
    if random.random() < 0.9:
        shape = 1 / np.maximum(hertz, 60) ** max(0.0, random.uniform(-0.3, 0.7))
        noise = np.fft.irfft(np.fft.rfft(random.normal(size=len(sound))) * shape, len(sound))
        voiced = np.sqrt(np.mean(np.square(changed[np.abs(changed) > 0.01])) + 1e-9)
        changed += noise / noise.std() * voiced * 10 ** (-random.triangular(14, 20, 42) / 20)
    return np.asarray(changed * 10 ** (-random.uniform(0, 30) / 20), np.float32)


def rows_of(sound: Floats, prior: Floats, warp: float = 1.0) -> Floats:
    """Return the features of a whole sound, (hops, WIDTH), as :class:`Features` gives them for its 16-bit samples."""
    features = Features(RATE, prior, bank=mel_bank(warp))
    rounded = np.rint(np.clip(sound, -1, 1) * 32767) / 32768
    decibels, levels = features.spectra(rounded.astype(np.float32))
    rows = np.empty((len(levels), WIDTH), np.float32)
    for at, (bands, level) in enumerate(zip(decibels, levels.tolist(), strict=True)):
        rows[at] = features.follow(bands, level)
    return rows


def prior_of(voices: dict[str, list[Utterance]]) -> Floats:
    """Return the mean of the bands against the peak, each voice counting the same."""
    means = []
    for said in voices.values():
        bands: list[Floats] = []
        for utterance in said[:6]:
            decibels, levels = Features(RATE, np.zeros(BANDS, np.float32)).spectra(utterance.samples)
            bands.append(decibels[levels > levels.max() - 22] - levels.max())
        means.append(np.concatenate(bands).mean(axis=0))
    return np.asarray(np.mean(means, axis=0), np.float32)
