"""An inbound stream as the avatar plays it: resampled to the rate of the audio source, and counted as it leaves."""

from __future__ import annotations

from collections import deque

import numpy as np

from mouthpiece.audio.pcm import Pcm, Samples
from mouthpiece.receiving.inbound_streams import InboundStream, StreamState
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.resample import Resampler

RATE = 48_000
"""Hertz at which everything leaves the avatar: what Opus codes at."""

_STEP = 0.1
"""Seconds that are resampled at once: a backlog is kept at the rate it came with, not at three times its size."""


class PlayoutStream(InboundStream):
    """Samples are taken as they can leave: mono, ``rate`` hertz."""

    def __init__(self, sender: str, header: StreamHeader, *, rate: int = RATE) -> None:
        """:raises ValueError: the header announces what cannot be played."""
        super().__init__(sender, header)
        self._rate = rate
        self.started = False
        """Its first sample has left."""
        self.starved = False
        """It ran out of sound while open, and has not gathered enough since."""
        self.taken = 0
        """Samples handed to the audio source."""
        self.left = 0
        """Samples that have left the audio source and were not taken back."""
        self._resampler = Resampler(rate)
        self._ready: deque[Samples] = deque()
        self._ready_samples = 0
        self._flushed = False

    @property
    def backlog(self) -> float:
        """Seconds that came and were not taken yet."""
        return super().backlog + self._ready_samples / self._rate

    @property
    def position(self) -> float:
        """Seconds of the stream that have left the audio source and were not taken back."""
        return self.left / self._rate

    def reopen(self) -> None:
        """Its end has not been reported, and does not count: something of it is said again."""
        self.state = StreamState.ENDED

    def clear(self) -> None:
        super().clear()
        self._ready.clear()
        self._ready_samples = 0
        self._flushed = True

    def ready(self, samples: int) -> int:
        """Resample until ``samples`` samples are ready or no sound is left; return how many are ready."""
        while self._ready_samples < samples and (block := self.take_block(_STEP)) is not None:
            self._keep(self._resampler.push(block))
        if self._ready_samples < samples and self.state is StreamState.ENDED and not self._flushed:
            self._flushed = True
            self._keep(self._resampler.flush())
        return self._ready_samples

    def take(self, samples: int) -> Samples:
        """Take the next samples, at most ``samples`` of them."""
        blocks: list[Samples] = []
        wanted = min(samples, self.ready(samples))
        self._ready_samples -= wanted
        self.taken += wanted
        while wanted:
            block = self._ready.popleft()
            if len(block) > wanted:
                self._ready.appendleft(block[wanted:])
                block = block[:wanted]
            wanted -= len(block)
            blocks.append(block)
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)

    def _keep(self, blocks: list[Pcm]) -> None:
        for block in blocks:
            self._ready.append(block.samples)
            self._ready_samples += block.frames
