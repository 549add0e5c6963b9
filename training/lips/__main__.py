"""Makes the weights of the lip model from packages alone: speech, features, training. ``make lips`` runs it.

::

    python -m training.lips [--out avatar/mouthpiece_avatar/lips/weights.npz] [--steps 50000] [--seed 1]

About ten minutes of two cores, and 2 GB of memory. ``bench/lipsync.py`` measures what came of it, on voices
that are not in here.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from training.lips import network
from training.lips.corpus import missing, to_train_on
from training.lips.labelled import joined, prior_of, rows_of, worse
from training.lips.speech import Utterance

from mouthpiece_avatar.lips.features import Floats, silent_row
from mouthpiece_avatar.lips.model import OFFSETS, Class

_SHORTEST = 3_200
"""Samples."""
_FEW = 12
"""Utterances below which a voice is heard twice as often."""
_NAMES = {True: "ahead", False: "now"}
"""Of the networks in the file, by whether they hear ahead."""
_GAP = 20
"""Hops of silence between two sounds, more than a network looks at to one side."""
NATURAL = {"hibari:heart": 1.0, "piper:joe": 1.0, "flite:awb": 1.5}
"""Voices that come from recordings of people, and how much they count beside one another."""
_SHARE = {"natural": 0.62, "espeak": 0.17, "other": 0.21}
"""Of all training. All espeak voices count the same, and so do all others."""
_RARE = 0.55
"""Classes count in inverse proportion to this power of their frequency."""
_WEIGHT = {
    Class.REST: 1.3, Class.LIPS: 1.25, Class.TEETH_ON_LIP: 1.5, Class.NEUTRAL: 0.85, Class.OPEN: 1.15,
    Class.PUCKER: 2.0,
}  # fmt: skip


@dataclass(slots=True)
class Corpus:
    """All hops, one after the other."""

    rows: Floats
    classes: npt.NDArray[np.int8]
    voices: npt.NDArray[np.int16]
    names: list[str]


def gather(said: dict[str, list[Utterance]], prior: Floats, random: np.random.Generator, versions: int) -> Corpus:
    """Join two utterances at a time; the first version is as it was said, the others are made worse."""
    silence = np.tile(silent_row(prior), (_GAP, 1))
    unused = np.full(_GAP, -1, np.int8)
    rows: list[Floats] = []
    classes: list[npt.NDArray[np.int8]] = []
    voices: list[npt.NDArray[np.int16]] = []
    for number, (voice, utterances) in enumerate(said.items()):
        for version in range(versions * (2 if len(utterances) < _FEW else 1)):
            order = random.permutation(len(utterances))
            for at in range(0, len(order), 2):
                sound, kinds = joined([utterances[pick] for pick in order[at : at + 2]], random)
                sound = worse(sound, random) if version else sound * np.float32(10 ** (-random.uniform(0, 20) / 20))
                heard = rows_of(sound, prior, float(random.uniform(0.86, 1.16)) if version else 1.0)
                count = min(len(heard), len(kinds))
                rows += [silence, heard[:count]]
                classes += [unused, kinds[:count]]
                voices.append(np.full(_GAP + count, number, np.int16))
        sys.stderr.write(f"{voice}: {sum(len(part.samples) for part in utterances) / 16_000:.0f} s\n")
    rows.append(silence)
    classes.append(unused)
    voices.append(np.zeros(_GAP, np.int16))
    return Corpus(np.concatenate(rows), np.concatenate(classes), np.concatenate(voices), list(said))


def importance(corpus: Corpus, usable: npt.NDArray[np.intp]) -> Floats:
    """Return how much each hop counts, so that no synthesiser and no class drowns the others."""
    kinds = [_kind(name) for name in corpus.names]
    counts = np.zeros(len(corpus.classes), np.float32)
    beside = [NATURAL.get(name, 1.0) for name in corpus.names]
    for number, kind in enumerate(kinds):
        hops = usable[corpus.voices[usable] == number]
        whole = sum(count for count, other in zip(beside, kinds, strict=True) if other == kind)
        counts[hops] = _SHARE[kind] * beside[number] / whole / max(1, len(hops))
    frequency = np.array([counts[usable][corpus.classes[usable] == kind].sum() for kind in Class])
    weight = np.maximum(frequency / frequency.sum(), 1e-3) ** -_RARE
    for raised, factor in _WEIGHT.items():
        weight[raised] *= factor
    counts[usable] *= weight[corpus.classes[usable]].astype(np.float32)
    return counts


def _kind(voice: str) -> str:
    return "espeak" if voice.startswith("espeak") else "natural" if voice in NATURAL else "other"


def _report(name: str, step: int, loss: float) -> None:
    sys.stderr.write(f"{name}, step {step}: loss {loss:.3f}\n")


def main() -> int:
    parser = argparse.ArgumentParser("python -m training.lips", description="Trains the lip model.")
    default = Path(__file__).parents[2] / "avatar" / "mouthpiece_avatar" / "lips" / "weights.npz"
    parser.add_argument("--out", type=Path, default=default)
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--versions", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if absent := missing():
        sys.stderr.write(f"not installed: {', '.join(absent)}. training/README.md names the packages\n")
        return 1
    said: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in to_train_on():
        if len(utterance.samples) > _SHORTEST:
            said[utterance.voice].append(utterance)
    prior = prior_of(said)
    corpus = gather(said, prior, np.random.default_rng(options.seed), options.versions)
    usable = np.flatnonzero(corpus.classes >= 0)
    usable = usable[(usable > 2 * _GAP) & (usable < len(corpus.classes) - 2 * _GAP)]
    counts = importance(corpus, usable)
    kept: dict[str, npt.NDArray[np.generic]] = {"prior": prior}

    def fitted(look_ahead: bool) -> list[Floats]:
        return network.train(
            corpus.rows,
            corpus.classes,
            counts,
            usable,
            OFFSETS[look_ahead],
            len(Class),
            steps=options.steps,
            seed=options.seed,
            report=lambda step, loss: _report(_NAMES[look_ahead], step, loss),
        )

    with ThreadPoolExecutor() as pool:  # numpy lets go of the interpreter in its products
        for look_ahead, layers in zip(OFFSETS, pool.map(fitted, OFFSETS), strict=True):
            for at in range(len(layers) // 2):
                kept[f"{_NAMES[look_ahead]}_w{at}"] = layers[2 * at].T.astype(np.float16)
                kept[f"{_NAMES[look_ahead]}_b{at}"] = layers[2 * at + 1].astype(np.float16)
    np.savez_compressed(options.out, **kept)  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main())
