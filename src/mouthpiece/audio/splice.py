"""A file made of pieces of another one and of bytes of our own, without a copy."""

from __future__ import annotations

import bisect
import io
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes ``start`` to ``end`` of the file."""

    start: int
    end: int


class Splice(io.RawIOBase):
    """Reads ``pieces`` of the open file ``descriptor`` one after the other; closing it leaves that file open."""

    def __init__(self, descriptor: int, pieces: Sequence[Piece | bytes]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._pieces = pieces
        sizes = [len(one) if isinstance(one, bytes) else one.end - one.start for one in pieces]
        self._starts = list(itertools.accumulate(sizes, initial=0))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._at < self._starts[-1]:
            index = bisect.bisect_right(self._starts, self._at) - 1
            piece, inside = self._pieces[index], self._at - self._starts[index]
            count = min(len(view) - done, self._starts[index + 1] - self._at)
            if isinstance(piece, bytes):
                data = piece[inside : inside + count]
            else:
                data = os.pread(self._descriptor, count, piece.start + inside)
            if not data:
                break  # the file became shorter
            view[done : done + len(data)] = data
            done += len(data)
            self._at += len(data)
        return done
