"""A bar that says how far a film is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TextIO, TypeVar

_Item = TypeVar("_Item")
_WIDTH: Final = 30
_EVERY: Final = 0.1
"""Seconds."""


def watched(
    items: Iterable[_Item], total: int, out: TextIO, *, per_second: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[_Item]:
    """Yield the items; on a terminal draw a bar of how many of ``total`` are done, elsewhere nothing.

    :param per_second: items that make up a second of film.
    """
    shows = out.isatty()
    start = clock()
    due = start
    for done, item in enumerate(items, 1):
        yield item
        now = clock()
        if shows and (now >= due or done == total):
            due = now + _EVERY
            out.write(f"\r{_line(done, total, now - start, per_second)}")
            out.flush()
    if shows:
        out.write("\n")


def _line(done: int, total: int, seconds: float, per_second: float) -> str:
    filled = _WIDTH * done // total
    speed = done / per_second / seconds if seconds > 0 else 0.0
    return (
        f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {100 * done // total:3d} %  "
        f"{done / per_second:.1f} of {total / per_second:.1f} s, {speed:.1f} times real time "
    )
