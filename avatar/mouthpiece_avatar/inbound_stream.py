"""A stream: the sound of one byte stream, from its header to the last sample that leaves the avatar."""

from __future__ import annotations

import enum
from collections import deque

import numpy as np

from mouthpiece.audio.pcm import MixDown, Pcm, Samples
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.resample import Resampler

RATE = 48_000
"""Hertz at which everything leaves the avatar: what Opus codes at."""
SAMPLE_RATES = range(4_000, 192_001)
"""Hertz that a stream may have."""
MAX_CHANNELS = 2

_STEP = 0.1
"""Seconds that are resampled at once: a backlog is kept as it came, mixed down, not at three times its size."""


class StreamState(enum.Enum):
    """``OPEN`` → ``ENDED`` → ``OVER``; after an interrupt ``CLEARED`` → ``OVER``. :class:`InboundStream` writes it."""

    OPEN = "open"
    """More sound may come."""
    ENDED = "ended"
    """All sound has come; some of it may not have been spoken yet."""
    CLEARED = "cleared"
    """Interrupted; what lies in the source is about to be thrown out."""
    OVER = "over"
    """Reported."""


def check(header: StreamHeader) -> None:
    """Whether we can play what the header announces.

    :raises ValueError: in words for the log.
    """
    if header.sample_rate not in SAMPLE_RATES:
        raise ValueError(f"its sample rate must be 4,000 to 192,000 hertz, not {header.sample_rate}")
    if header.num_channels > MAX_CHANNELS:
        raise ValueError(f"it must have 1 or {MAX_CHANNELS} channels, not {header.num_channels}")


class InboundStream:
    """Sound is pushed as it comes from the wire and taken as it can leave: mono, ``RATE`` hertz."""

    def __init__(self, sender: str, header: StreamHeader) -> None:
        """:raises ValueError: the header announces what we cannot play."""
        check(header)
        self.sender = sender
        self.header = header
        self.state = StreamState.OPEN
        self.started = False
        self.starved = False
        """It ran out of sound while open, and has not gathered enough since."""
        self.taken = 0
        """Samples handed to the audio source."""
        self.left = 0
        """Samples that have left it."""
        self._odd = b""
        self._mix = MixDown()
        self._resampler = Resampler(RATE)
        self._waiting: deque[Pcm] = deque()
        self._waiting_seconds = 0.0
        self._ready: deque[Samples] = deque()
        self._ready_samples = 0
        self._flushed = False

    @property
    def backlog(self) -> float:
        """Seconds that came and were not taken yet."""
        return self._waiting_seconds + self._ready_samples / RATE

    @property
    def position(self) -> float:
        """Seconds of the stream that have left the audio source."""
        return self.left / RATE

    def push(self, data: bytes) -> None:
        """s16le, interleaved, cut anywhere; what is no whole frame waits for the next push."""
        if self.state is not StreamState.OPEN:
            return
        data = self._odd + data
        whole = len(data) - len(data) % (2 * self.header.num_channels)
        self._odd = data[whole:]
        if not whole:
            return
        pcm = Pcm.from_bytes(memoryview(data)[:whole], self.header.sample_rate, self.header.num_channels)
        for mono in self._mix.push(pcm):
            self._waiting.append(mono)
            self._waiting_seconds += mono.duration

    def end(self) -> None:
        """No more comes. An incomplete last frame is dropped."""
        if self.state is StreamState.OPEN:
            self.state = StreamState.ENDED
            self._odd = b""

    def over(self) -> None:
        """It has been reported."""
        self.state = StreamState.OVER

    def clear(self) -> None:
        """Interrupts it: what was not taken yet will not be."""
        self.state = StreamState.CLEARED
        self._waiting.clear()
        self._waiting_seconds = 0.0
        self._ready.clear()
        self._ready_samples = 0
        self._flushed = True

    def ready(self, samples: int) -> int:
        """Makes up to ``samples`` samples ready, and says how many are."""
        while self._ready_samples < samples and self._waiting:
            self._convert()
        if self._ready_samples < samples and self.state is StreamState.ENDED and not self._flushed:
            self._flushed = True
            self._keep(self._resampler.flush())
        return self._ready_samples

    def take(self, samples: int) -> Samples:
        """The next samples, at most ``samples`` of them."""
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

    def _convert(self) -> None:
        pcm = self._waiting.popleft()
        step = max(1, int(_STEP * pcm.sample_rate))
        if pcm.frames > step:
            self._waiting.appendleft(Pcm(pcm.samples[step:], pcm.sample_rate))
            pcm = Pcm(pcm.samples[:step], pcm.sample_rate)
        self._waiting_seconds = self._waiting_seconds - pcm.duration if self._waiting else 0.0
        self._keep(self._resampler.push(pcm))

    def _keep(self, blocks: list[Pcm]) -> None:
        for block in blocks:
            self._ready.append(block.samples)
            self._ready_samples += block.frames
