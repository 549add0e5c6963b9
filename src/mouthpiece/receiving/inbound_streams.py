"""The sound that comes in byte streams: each from its header to its last sample, and all in order of arrival: one voice
at a time, from any number of senders."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from mouthpiece.audio.mix import MixDown
from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import QueueFull
from mouthpiece.wire import StreamHeader

SAMPLE_RATES = range(4_000, 192_001)
"""Hertz that a stream may have."""
MAX_CHANNELS = 2
MAX_BACKLOG = 30 * 60.0
"""Seconds of sound that may wait in a room."""


class StreamState(enum.Enum):
    """``OPEN`` → ``ENDED`` → ``OVER``; after an interrupt ``CLEARED`` → ``OVER``. :class:`InboundStream` writes it."""

    OPEN = "open"
    """More sound may come."""
    ENDED = "ended"
    """All sound has come; some of it may not have been played yet."""
    CLEARED = "cleared"
    """Interrupted; what the player has queued of it is about to be dropped."""
    OVER = "over"
    """Its end has been reported."""


def check_format(header: StreamHeader) -> None:
    """:raises ValueError: sound of this rate or with so many channels is not played; the message is for the log."""
    if header.sample_rate not in SAMPLE_RATES:
        raise ValueError(f"its sample rate must be 4,000 to 192,000 hertz, not {header.sample_rate}")
    if header.num_channels > MAX_CHANNELS:
        raise ValueError(f"it must have 1 or {MAX_CHANNELS} channels, not {header.num_channels}")


class InboundStream:
    """The sound of one byte stream: mono, at the rate that it came with. Bytes are pushed as they come from the wire;
    blocks of PCM are taken as they can be played."""

    def __init__(self, sender: str, header: StreamHeader) -> None:
        """:raises ValueError: see :func:`check_format`."""
        check_format(header)
        self.sender = sender
        """Identity."""
        self.header = header
        self.state = StreamState.OPEN
        self.broke_off = False
        """It ended without having been closed by its sender."""
        self._incomplete = b""
        """Bytes that are no whole frame yet."""
        self._mix = MixDown()
        self._blocks: deque[Pcm] = deque()
        self._seconds = 0.0

    @property
    def backlog(self) -> float:
        """Seconds that came and were not taken yet."""
        return self._seconds

    def push(self, data: bytes) -> None:
        """Add s16le, interleaved, cut anywhere. Once the stream is not ``OPEN`` this does nothing."""
        if self.state is not StreamState.OPEN:
            return
        data = self._incomplete + data
        whole = len(data) - len(data) % (2 * self.header.num_channels)
        self._incomplete = data[whole:]
        if not whole:
            return
        pcm = Pcm.from_bytes(memoryview(data)[:whole], self.header.sample_rate, self.header.num_channels)
        self._add(self._mix.push(pcm))

    def take_block(self, seconds: float) -> Pcm | None:
        """Take the next block, at most ``seconds`` (and at least one sample) long; None while nothing waits."""
        if not self._blocks:
            return None
        block = self._blocks.popleft()
        most = max(1, int(seconds * block.sample_rate))
        if block.frames > most:
            self._blocks.appendleft(Pcm(block.samples[most:], block.sample_rate))
            block = Pcm(block.samples[:most], block.sample_rate)
        self._seconds = self._seconds - block.duration if self._blocks else 0.0
        return block

    def end(self, *, whole: bool = True) -> None:
        """No more comes. An incomplete last frame is dropped.

        :param whole: whether its sender closed it.
        """
        if self.state is StreamState.OPEN:
            self.state = StreamState.ENDED
            self.broke_off = not whole
            self._incomplete = b""
            self._add(self._mix.flush())

    def clear(self) -> None:
        """Interrupt it: what was not taken yet is dropped."""
        self.state = StreamState.CLEARED
        self._blocks.clear()
        self._mix.clear()
        self._seconds = 0.0

    def close(self) -> None:
        """Its end has been reported."""
        self.state = StreamState.OVER

    def _add(self, blocks: list[Pcm]) -> None:
        for mono in blocks:
            self._blocks.append(mono)
            self._seconds += mono.duration


S = TypeVar("S", bound=InboundStream)


class StreamQueue(Generic[S]):
    """A :class:`mouthpiece.receiving.stream_receiver.StreamSink`. The player takes sound from ``first`` alone, and
    calls ``remove`` when that has been taken whole."""

    def __init__(self, make: Callable[[str, StreamHeader], S]) -> None:
        """:param make: makes the stream for a sender's identity and a header, such as ``InboundStream``."""
        self._make = make
        self._streams: deque[S] = deque()

    def __iter__(self) -> Iterator[S]:
        return iter(self._streams)

    @property
    def first(self) -> S | None:
        """The stream that is to be played now."""
        return self._streams[0] if self._streams else None

    @property
    def backlog(self) -> float:
        """Seconds of sound that came and were not taken yet."""
        return sum(stream.backlog for stream in self._streams)

    def open(self, sender: str, header: StreamHeader) -> S:
        """Put a new stream behind those that are there.

        :raises ValueError: the header announces what cannot be played.
        """
        stream = self._make(sender, header)
        self._streams.append(stream)
        return stream

    def push(self, stream: S, data: bytes) -> None:
        """Add sound to a stream; on one that is not open any more this does nothing.

        :raises QueueFull: more than ``MAX_BACKLOG`` would wait; nothing of ``data`` was taken.
        """
        if stream.state is not StreamState.OPEN:
            return
        seconds = len(data) / (2 * stream.header.num_channels * stream.header.sample_rate)
        if self.backlog + seconds > MAX_BACKLOG:
            raise QueueFull("half an hour of sound waits already: send it along with its playing")
        stream.push(data)

    def end(self, stream: S, *, whole: bool = True) -> None:
        """The stream has been closed (``whole``), or will not go on: what has come is played."""
        stream.end(whole=whole)

    def abort(self, stream: S) -> bool:
        """Interrupt one stream: nothing of it is played any more. False if it has been interrupted or reported."""
        if stream.state in (StreamState.CLEARED, StreamState.OVER):
            return False
        stream.clear()
        return True

    def clear(self, sender: str) -> bool:
        """Interrupt every stream of ``sender`` that is here; whether there was one."""
        aborted = [self.abort(stream) for stream in self._streams if stream.sender == sender]
        return any(aborted)

    def remove(self, stream: S) -> None:
        """Let go of a stream, if it is here."""
        if stream in self._streams:
            self._streams.remove(stream)
