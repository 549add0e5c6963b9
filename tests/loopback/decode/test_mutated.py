"""Damaged files of every format: each is played or refused, and the decoders stay. `bench/abuse.py` tries many more."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

from bench.abuse import mutated, outcome, seeds

from mouthpiece.audio.decoders import Decoders


async def test_damaged_files_are_played_or_refused(tmp_path: Path, decoders: Decoders) -> None:
    chance, outcomes = random.Random(14), Counter[str]()
    await asyncio.to_thread((tmp_path / "seeds").mkdir)
    sounds = await asyncio.to_thread(seeds, tmp_path / "seeds")
    for number in range(160):
        path = tmp_path / f"{number}"
        await asyncio.to_thread(path.write_bytes, mutated(sounds[number % len(sounds)], chance))
        outcomes[await outcome(decoders, path)] += 1
    assert outcomes["hung"] == outcomes["busy"] == 0
    assert outcomes["played"] > 0
    assert sum(count for what, count in outcomes.items() if what.startswith("refused")) > 0
