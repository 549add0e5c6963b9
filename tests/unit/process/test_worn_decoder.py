"""A decoder whose libraries kept memory is replaced once no sound is open in it."""

from __future__ import annotations

import mmap
from types import SimpleNamespace
from typing import cast

from mouthpiece.audio.decoder import MOST_GROWN, Memory, Program, is_worn


def worn(*, grown: int, idle: bool) -> bool:
    return is_worn(cast(Program, SimpleNamespace(idle=idle)), cast(Memory, SimpleNamespace(grown=grown)))


def test_it_is_worn_when_it_has_grown_and_nothing_is_open() -> None:
    assert worn(grown=MOST_GROWN + 1, idle=True)
    assert not worn(grown=MOST_GROWN, idle=True)
    assert not worn(grown=10 * MOST_GROWN, idle=False)


def test_memory_is_measured_from_the_start() -> None:
    memory = Memory()
    with mmap.mmap(-1, MOST_GROWN) as taken:  # pages of its own: the heap may have some left
        taken.write(b"\1" * MOST_GROWN)
        assert memory.grown > 0.9 * MOST_GROWN
