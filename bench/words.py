"""Texts for the benches' voices: the same for the same seed."""

from __future__ import annotations

import numpy as np

TEXT = (
    "the avatar says what any service sends it and the sender learns when it was heard while rivers of morning light "
    "fall over quiet streets where seven patient clockmakers wind their silver bells"
)
WORDS = TEXT.split()


def sentence(random: np.random.Generator, words: int) -> str:
    return " ".join(random.choice(WORDS, size=words)).capitalize() + "."
