"""Streams in order of arrival: one voice at a time, from any number of senders."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from mouthpiece.errors import QueueFull
from mouthpiece.receiving.inbound_stream import InboundStream, StreamState
from mouthpiece.wire import StreamHeader

MAX_BACKLOG = 30 * 60.0
"""Seconds of sound that may wait in a room."""

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
