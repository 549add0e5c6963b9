"""The playout decides who speaks, what goes into the audio source next, and what has left it; without I/O or clock.

::

    open · push · end · clear ──▶ PlayoutQueue ──act(now)──▶ Capture | Cut | Rest      (the publisher performs it)
                                    └───events()────▶ Started | Finished        (the receipts report it)

The audio source keeps a queue that it plays in real time. It may be deep, because nothing has to wait behind it: an
interrupt and an onset cut what is queued. So the playout keeps ``LEAD`` of speech in it, which carries us over a late
wake-up, and ``SILENCE`` between streams, and knows at every moment which sample is leaving.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from mouthpiece.audio.pcm import Samples
from mouthpiece.errors import QueueFull
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.inbound_stream import RATE, InboundStream, StreamState

LEAD = 0.20
"""Seconds of speech kept in the source."""
BLOCK = 0.02
"""Seconds handed to the source at once while speaking."""
FLOOR = 0.02
"""Seconds of speech left in the source at which silence is put behind it: a source that runs dry sends nothing."""
SILENCE = 0.25
"""Seconds of silence kept in the source between streams."""
SILENCE_BLOCK = 0.25
REGATHER = 0.06
"""Seconds that a stream which ran dry gathers before it speaks again."""
MAX_BACKLOG = 30 * 60.0
"""Seconds of sound that may wait in a room."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Put these samples into the source."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class Cut:
    """Clear the source's queue, then put ``keep`` back into it."""

    keep: Samples


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do for ``seconds``, unless something comes in."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Started:
    """The first sample of the stream leaves the source now."""

    stream: InboundStream


@dataclass(frozen=True, slots=True)
class Finished:
    """The stream is over; ``stream.position`` is how much of it was played."""

    stream: InboundStream
    interrupted: bool


@dataclass(slots=True)
class _Span:
    """Neighbouring samples of one stream (None: silence) in the source's queue."""

    stream: InboundStream | None
    samples: Samples


class PlayoutQueue:
    """See the module. ``now`` is monotonic seconds; sample counts are at ``RATE``."""

    def __init__(self) -> None:
        self._line: deque[InboundStream] = deque()
        self._queue: deque[_Span] = deque()
        self._drained_until = 0.0
        self._left = 0  # samples that have left since the beginning, speech and silence
        self._queued = 0
        self._cleared = False
        self._events: list[Started | Finished] = []

    # -- what comes in -----------------------------------------------------------------------------------------------

    def open(self, sender: str, header: StreamHeader) -> InboundStream:
        """A stream's header has come: it gets in line.

        :raises ValueError: the header announces what we cannot play.
        """
        stream = InboundStream(sender, header)
        self._line.append(stream)
        return stream

    def push(self, stream: InboundStream, data: bytes) -> None:
        """:raises QueueFull: more sound waits than ``MAX_BACKLOG``; the data was not taken."""
        seconds = len(data) / (2 * stream.header.num_channels * stream.header.sample_rate)
        if self.backlog + seconds > MAX_BACKLOG:
            raise QueueFull("half an hour of sound waits already: send it along with its playing")
        stream.push(data)

    def end(self, stream: InboundStream) -> None:
        """The stream has been closed, or will not go on: what has come is spoken."""
        stream.end()

    def clear(self, sender: str) -> bool:
        """Interrupts every stream of ``sender`` there is by now; whether there was one."""
        streams = [stream for stream in self._streams() if stream.sender == sender]
        for stream in streams:
            self.abort(stream)
        return bool(streams)

    def abort(self, stream: InboundStream) -> None:
        """Interrupts one stream; nothing of it is spoken any more."""
        if stream.state in (StreamState.CLEARED, StreamState.OVER):
            return
        stream.clear()
        self._cleared = True

    # -- what is to be done ------------------------------------------------------------------------------------------

    def act(self, now: float) -> Capture | Cut | Rest:
        """The next thing to do. Afterwards call again; after a ``Rest``, when it is over or something came in."""
        self._drain(now)
        if self._cleared and (cut := self._settle()):
            return cut
        stream = self._speaker()
        if stream is None:
            return self._idle()
        if self._queue and self._queue[0].stream is None:
            return self._drop_silence()
        speech = sum(len(span.samples) for span in self._queue if span.stream is not None)
        if speech < self._queued:  # silence lies behind a rest of speech: it is cut when that has left
            return Rest(self._seconds(speech))
        if self._queued >= LEAD * RATE:
            return self._rest(self._seconds(self._queued) - LEAD)
        samples = stream.take(int(BLOCK * RATE))
        self._put(stream, samples)
        return Capture(samples)

    def events(self) -> list[Started | Finished]:
        """What has happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    # -- what is to be seen ------------------------------------------------------------------------------------------

    @property
    def backlog(self) -> float:
        """Seconds of sound that came and were not handed to the source yet."""
        return sum(stream.backlog for stream in self._line)

    def leaving(self, now: float) -> int:
        """Index of the sample that leaves the source at ``now``, counted over speech and silence from the start.

        A moment in the past is answered too, as long as the source did not run dry since.
        """
        since = int((now - self._drained_until) * RATE)
        return max(0, self._left + min(since, self._queued))

    @property
    def put(self) -> int:
        """Index of the next sample that will be put into the source."""
        return self._left + self._queued

    @property
    def speaking(self) -> bool:
        """Whether speech lies in the source or is about to."""
        return any(span.stream is not None for span in self._queue) or self._speaker() is not None

    # -- inside ------------------------------------------------------------------------------------------------------

    def _streams(self) -> list[InboundStream]:
        """Every stream that is not over, in order."""
        leaving = [span.stream for span in self._queue if span.stream is not None]
        return list(dict.fromkeys([*leaving, *self._line]))

    def _speaker(self) -> InboundStream | None:
        """The first stream in line, if it has something to say now. Turns that have said all leave the line."""
        while self._line:
            stream = self._line[0]
            if stream.state is StreamState.OPEN and stream.starved:
                enough = stream.ready(int(REGATHER * RATE)) >= int(REGATHER * RATE)
            else:
                enough = stream.ready(1) > 0
            if enough:
                stream.starved = False
                return stream
            if stream.state is StreamState.OPEN:
                stream.starved = stream.taken > 0
                return None
            self._line.popleft()
            if stream.left == stream.taken:
                self._over(stream, interrupted=False)
        return None

    def _idle(self) -> Capture | Rest:
        speech = bool(self._queue) and self._queue[-1].stream is not None
        wanted = FLOOR if speech else SILENCE
        if self._queued > wanted * RATE:
            return self._rest(self._seconds(self._queued) - wanted)
        samples: Samples = np.zeros(int(SILENCE_BLOCK * RATE), np.int16)
        self._put(None, samples)
        return Capture(samples)

    def _settle(self) -> Cut | None:
        """Ends the cleared streams, in order; a cut if something of them lies in the source."""
        self._cleared = False
        kept = [span for span in self._queue if span.stream is None or span.stream.state is not StreamState.CLEARED]
        cut = len(kept) < len(self._queue)
        streams = self._streams()
        if cut:
            kept = [span for span in kept if span.stream is not None]
            self._keep(kept)
        for stream in streams:
            if stream.state is StreamState.CLEARED:
                self._over(stream, interrupted=True)
        if not cut:
            return None
        return Cut(np.concatenate([span.samples for span in kept]) if kept else np.zeros(0, np.int16))

    def _drop_silence(self) -> Cut:
        self._keep([])  # silence is at the front only when no speech is behind it
        return Cut(np.zeros(0, np.int16))

    def _keep(self, spans: list[_Span]) -> None:
        self._queue = deque(spans)
        self._queued = sum(len(span.samples) for span in spans)

    def _over(self, stream: InboundStream, *, interrupted: bool) -> None:
        stream.over()
        if stream in self._line:
            self._line.remove(stream)
        self._events.append(Finished(stream, interrupted))

    def _put(self, stream: InboundStream | None, samples: Samples) -> None:
        self._queued += len(samples)
        if self._queue and self._queue[-1].stream is stream:
            self._queue[-1].samples = np.concatenate((self._queue[-1].samples, samples))
        else:
            self._queue.append(_Span(stream, samples))
        self._start()

    def _drain(self, now: float) -> None:
        """Lets go of what the source has played by ``now``."""
        gone = min(int((now - self._drained_until) * RATE), self._queued)
        if gone == self._queued:
            self._drained_until = now
        else:
            self._drained_until += gone / RATE
        self._queued -= gone
        self._left += gone
        while gone:
            span = self._queue[0]
            step = min(gone, len(span.samples))
            gone -= step
            span.samples = span.samples[step:]
            if span.stream is not None:
                span.stream.left += step
            if not len(span.samples):
                self._queue.popleft()
                if span.stream is not None and span.stream not in self._line and span.stream.left == span.stream.taken:
                    self._over(span.stream, interrupted=False)
                self._start()

    def _start(self) -> None:
        stream = self._queue[0].stream if self._queue else None
        if stream is not None and not stream.started:
            stream.started = True
            self._events.append(Started(stream))

    def _rest(self, seconds: float) -> Rest:
        """As long, but not past the moment when a stream begins or has ended."""
        return Rest(min(seconds, self._seconds(len(self._queue[0].samples))) if self._queue else seconds)

    @staticmethod
    def _seconds(samples: int) -> float:
        return samples / RATE
