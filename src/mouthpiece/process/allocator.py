"""Memory that a flood of requests took goes back to the system once it is over."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
RETURNED: Final = 65_536
"""Bytes."""


def return_large_blocks() -> None:
    """Have each block of ``RETURNED`` bytes or more mapped by itself, and unmapped once it is freed.

    For a process that is fed by strangers: pieces of a few hundred bodies that are read at once otherwise leave holes
    between the small objects that stay, which the C library keeps. It raises its own threshold up to 32 MB as blocks
    are freed (mallopt(3), ``M_MMAP_THRESHOLD``); one that is set stays. glibc only.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_MMAP_THRESHOLD, RETURNED)
