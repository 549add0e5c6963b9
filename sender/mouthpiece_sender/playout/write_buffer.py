"""Cuts the sound of a stream into writes. No I/O, no clock.

What is there whole is written as the pace grants it, with a short beginning: a viewer waits for a stream's first write,
and each kilobyte takes a millisecond on its way. What still comes in, as a voice or a microphone sends it, must be
written as it comes: a receiver that plays in real time is silent for as long as we hold back what it needs.
"""

from __future__ import annotations

from typing import Final

from mouthpiece.audio.mix import MixDown
from mouthpiece.audio.pcm import Chain, Chunker, Pcm, Resampler
from mouthpiece.playback.pacing import QUANTUM, write_length

FIRST: Final = 0.1
"""Seconds of the first write of a sound that is there whole: less than the way of the second one would let its receiver
run dry."""
GATHERED: Final = 0.2
"""Seconds of the first write of a sound that still comes in: less ``PATIENCE``, what may be late of the rest."""
PATIENCE: Final = 0.05
"""Seconds that what has come waits for more; it is written then, however short."""
DRY: Final = GATHERED - PATIENCE
"""Seconds of waiting after a write by which a receiver has played what it had of a sound that comes in as it is spoken.
What comes then is another beginning."""
_SHORTEST: Final = 0.01
"""Seconds; a shorter rest of a quantum is written with the next one."""


class WriteBuffer:
    """Blocks of a sound in; out, mono at ``sample_rate``, what is written at once.

    :param quantum: seconds a write, at first (see ``pacing.write_length``).
    :param first: seconds of the first write, ``quantum`` at most; a beginning waits as long for more.
    :param patience: seconds that what comes later waits for more.
    """

    def __init__(
        self, sample_rate: int, *, quantum: float = QUANTUM, first: float = FIRST, patience: float = PATIENCE
    ) -> None:
        self._quantum, self._first, self._patience = quantum, min(first, quantum), patience
        self._transforms = Chain(MixDown(), Resampler(sample_rate))
        self._chunker = Chunker(self._length)
        self._waited = 0.0

    @property
    def patience(self) -> float | None:
        """Seconds that what is held waits for the next block; None: nothing is held."""
        if not self._chunker.held:
            return None
        patience = self._patience if self._chunker.given else max(self._first, self._patience)
        return max(0.0, patience - self._waited)

    def push(self, block: Pcm, waited: float) -> list[Pcm]:
        """:param waited: seconds that the block was waited for."""
        if self._chunker.held:
            self._waited += waited
        elif waited >= DRY:
            self._chunker.clear()
        writes = self._cut(self._transforms.push(block))
        if writes:
            self._waited = 0.0
        return [*writes, *self.give()] if self.patience == 0.0 else writes

    def give(self) -> list[Pcm]:
        """What is held, however short. The sound goes on."""
        self._waited = 0.0
        return self._chunker.give()

    def flush(self) -> list[Pcm]:
        """The rest, down to the last sample. What comes after it is another beginning."""
        self._waited = 0.0
        return [*self._cut(self._transforms.flush()), *self._chunker.flush()]

    def _cut(self, blocks: list[Pcm]) -> list[Pcm]:
        return [write for block in blocks for write in self._chunker.push(block)]

    def _length(self, given: float) -> float:
        """A write ends where the pace grants it: at whole quanta."""
        if not given:
            return self._first
        whole = write_length(given, self._quantum)
        rest = whole - given % whole
        return rest if rest >= _SHORTEST else rest + whole
