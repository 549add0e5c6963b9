"""How well the lips follow speech, on voices that nobody trained on; for comparison, loudness alone.

::

    python bench/lipsync.py [--voice slt]

Needs the packages of ``training/README.md``. Twenty-five pictures a second, each compared with the phone at its moment.
A p, b or m is hit when a picture within 40 ms of it is closed. The voices' own times of their phones are taken as true.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent.parent))  # training/ is no package of the product

from training.lips.labelled import classes_of
from training.lips.speech import RATE, Utterance

from mouthpiece_avatar.lips.features import HOP
from mouthpiece_avatar.lips.model import Class
from mouthpiece_avatar.lips.mouth import Shape, mouths

FPS = 25
SHAPES = (Shape.REST, Shape.PBM, Shape.FV, Shape.HISS, Shape.MID, Shape.WIDE, Shape.ROUND, Shape.OPEN)
SHAPE_OF = {
    Class.REST: 0, Class.LIPS: 1, Class.TEETH_ON_LIP: 2, Class.HISS: 3, Class.HUSH: 3, Class.TONGUE: 4, Class.BACK: 4,
    Class.NEUTRAL: 4, Class.FRONT: 5, Class.HALF: 5, Class.ROUND: 6, Class.PUCKER: 6, Class.OPEN: 7,
}  # fmt: skip
COARSE = np.array([0, 0, 1, 1, 1, 1, 2, 3])
"""Closed, narrow, round, open."""
TOLERANCE = 0.040
"""Seconds about a p, b or m within which a closed picture counts."""
Pictures = npt.NDArray[np.int64]
"""The number of a shape for each picture."""
System = Callable[[npt.NDArray[np.int16]], Pictures]


@dataclass(slots=True)
class Score:
    """Counts over utterances."""

    hits: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((8, 8), np.int64))
    """(wanted, shown)."""
    closures: int = 0
    closed: int = 0
    vowels: int = 0
    vowels_closed: int = 0
    held: float = 0.0
    """Seconds of held vowels."""
    flaps: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def row(self) -> str:
        recalls = [self.hits[k, k] / max(1, self.hits[k].sum()) for k in range(1, 8) if self.hits[k].sum()]
        inside = self.hits[1:]
        right = sum(inside[k - 1, shown] for k in range(1, 8) for shown in range(8) if COARSE[k] == COARSE[shown])
        rest = self.hits[0, 0] / max(1, self.hits[0].sum())
        return (
            f"macro {np.mean(recalls):.2f} · coarse {right / max(1, inside.sum()):.2f} · "
            f"pbm {self.closed / max(1, self.closures):.3f} of {self.closures} · "
            f"false {100 * self.vowels_closed / max(1, self.vowels):.1f} % · "
            f"flaps {self.flaps / max(0.1, self.held):.1f}/s · "
            f"rest {100 * rest:.1f} % · {1000 * self.cpu / max(0.1, self.seconds):.1f} ms/s"
        )


def score(said: Utterance, shown: Pictures, result: Score) -> None:
    """Compare the pictures of an utterance with its phones."""
    wanted = classes_of(said)
    hop = np.minimum(((np.arange(len(shown)) / FPS) / HOP).astype(int), len(wanted) - 1)
    classes = wanted[hop]
    runs = _runs(wanted)
    held_vowel = np.zeros(len(wanted), bool)
    for kind, begin, end in runs:
        if kind >= Class.NEUTRAL and end - begin >= 14:
            held_vowel[begin + 2 : end - 2] = True
        if kind == Class.LIPS:
            first, last = begin * HOP - TOLERANCE, end * HOP + TOLERANCE
            at = np.arange(len(shown)) / FPS
            result.closures += 1
            result.closed += bool((shown[(at >= first) & (at <= last)] == 1).any())
    pauses = np.zeros(len(wanted), bool)
    for kind, begin, end in runs:
        if kind == Class.REST and end - begin >= 20:
            pauses[begin + 8 : end - (5 if end < len(wanted) else 0)] = True
    for picture, (kind, at) in enumerate(zip(classes.tolist(), hop.tolist(), strict=True)):
        if kind < 0 or (kind == Class.REST and not pauses[at]):
            continue
        result.hits[SHAPE_OF[Class(kind)], shown[picture]] += 1
        if kind >= Class.NEUTRAL and _inside(wanted, at, 4):
            result.vowels += 1
            result.vowels_closed += int(shown[picture] == 1)
    held = held_vowel[hop]
    result.held += held.sum() / FPS
    result.flaps += int(((shown[1:] != shown[:-1]) & held[1:] & held[:-1]).sum())
    result.seconds += len(said.samples) / RATE


def _runs(classes: npt.NDArray[np.int8]) -> list[tuple[int, int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(classes)) + 1).tolist(), len(classes)]
    return [(int(classes[begin]), begin, end) for begin, end in pairwise(edges) if end > begin]


def _inside(classes: npt.NDArray[np.int8], at: int, margin: int) -> bool:
    """Whether no closure of the lips lies within ``margin`` hops, the end of a stop included."""
    return not (classes[max(0, at - margin - 3) : at + margin + 1] == Class.LIPS).any()


def ours(look_ahead: bool) -> System:
    def shown(samples: npt.NDArray[np.int16]) -> Pictures:
        return np.array([SHAPES.index(mouth.shape) for mouth in mouths(samples, RATE, FPS, look_ahead=look_ahead)])

    return shown


def energy(samples: npt.NDArray[np.int16]) -> Pictures:
    """Open by loudness alone, against a running peak: closed, narrow, mid or open."""
    step = RATE // FPS
    count = len(samples) // step
    level = 10 * np.log10(np.square(samples[: count * step].reshape(count, step) / 32768).mean(axis=1) + 1e-12)
    peak, shown = -40.0, []
    for value in level.tolist():
        peak = max(value, peak - 0.2)
        below = peak - value
        shown.append(
            0 if value < -60 else 7 if below < 6 else 4 if below < 12 else 3 if below < 18 else 1 if below < 30 else 0
        )
    return np.array(shown)


def noisy(samples: npt.NDArray[np.float32], db: float) -> npt.NDArray[np.float32]:
    voiced = np.sqrt(np.mean(np.square(samples[np.abs(samples) > 0.01])) + 1e-12)
    return samples + np.random.default_rng(5).normal(0, voiced * 10 ** (-db / 20), len(samples)).astype(np.float32)


CONDITIONS: dict[str, Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]] = {
    "clean": lambda sound: sound,
    "noise at 20 dB": lambda sound: noisy(sound, 20),
    "30 dB quieter": lambda sound: sound * np.float32(10 ** (-30 / 20)),
}


def measure(said: Sequence[Utterance], system: System, condition: str) -> Score:
    result = Score()
    for utterance in said:
        pause = np.zeros(RATE // 2, np.float32)
        sound = CONDITIONS[condition](np.concatenate((pause, utterance.samples, pause)))
        samples = np.clip(sound * 32767, -32768, 32767).astype(np.int16)
        before = time.process_time()
        shown = system(samples)
        result.cpu += time.process_time() - before
        padded = Utterance(utterance.voice, np.concatenate((pause, utterance.samples, pause)), [], utterance.table)
        padded.segments = [type(part)(part.phone, part.begin + 0.5, part.end + 0.5) for part in utterance.segments]
        first = type(padded.segments[0])("pau", 0.0, padded.segments[0].begin)
        padded.segments.insert(0, first)
        score(padded, shown[: int(len(padded.samples) / RATE * FPS)], result)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", default="", help="only the voices whose name contains this")
    options = parser.parse_args()
    from training.lips.corpus import to_test_on

    voices: dict[str, list[Utterance]] = {}
    for utterance in to_test_on():
        if options.voice in utterance.voice:
            voices.setdefault(utterance.voice, []).append(utterance)
    systems = {"look-ahead 0.08": ours(True), "look-ahead 0": ours(False), "energy": energy}
    for voice, said in voices.items():
        for name, system in systems.items():
            for condition in CONDITIONS:
                print(f"{voice} | {name} | {condition} | {measure(said, system, condition).row()}", flush=True)


if __name__ == "__main__":
    main()
