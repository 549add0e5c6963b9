"""Decides which stream is spoken, what goes into the audio source next, and what has left it. No I/O, no clock.

::

    open · push · end · clear ──▶ PlayoutQueue ──act(now)──▶ Capture | Cut | Wait   (MediaPublisher performs it)
                                       └─────────events()──▶ Started | Finished     (Receipts reports it)

The audio source keeps a queue that it plays in real time. It may be deep, because nothing has to wait behind it: an
interrupt and the onset of speech cut what is queued. So ``LEAD`` seconds of speech are kept in it, which covers a late
wake-up, and ``SILENCE`` seconds between streams; and which sample is leaving is known at every moment.

Where LiveKit acknowledges what it takes, an end is reported once it was acknowledged, and ``hold`` takes back what was
not: nothing leaves until ``resume``, which says how much of it is said again (:mod:`mouthpiece_avatar.delivery`). A
clear during a hold is settled by the ``resume``, which says how much was heard, or after ``SETTLE_WITHIN``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from mouthpiece.audio.pcm import Samples
from mouthpiece.receiving.inbound_streams import StreamQueue, StreamState
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.playout_stream import RATE, PlayoutStream
from mouthpiece_avatar.unacknowledged import Span, Unacknowledged

LEAD = 0.20
"""Seconds of speech kept in the source."""
BLOCK = 0.04
"""Seconds handed to the source at once while speaking, or as much as is there: each time costs half a millisecond."""
FLOOR = 0.02
"""Seconds of speech left in the source at which silence is put behind it: a source that runs dry sends nothing."""
SILENCE = 0.25
"""Seconds of silence kept in the source between streams."""
SILENCE_BLOCK = 0.5
REGATHER = 0.06
"""Seconds that a stream which ran dry gathers before it is spoken again."""
SETTLE_WITHIN = 1.5
"""Seconds that a clear waits for the resume. Senders wait 2 s for the receipt of a clear: ours, and livekit-agents'
``DataStreamAudioOutput`` (1.8.9, ``clear_buffer_timeout``)."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Put these samples into the source."""

    samples: Samples
    speech: bool
    """Of a stream; otherwise the silence between streams."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Clear the source's queue, then put ``keep``, which is speech or nothing, back into it."""

    keep: Samples


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for ``seconds``, or until something comes in."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Started:
    """The first sample of the stream leaves the source now."""

    stream: PlayoutStream


@dataclass(frozen=True, slots=True)
class Finished:
    """The stream has ended; ``stream.position`` is how much of it was played, in seconds."""

    stream: PlayoutStream
    interrupted: bool
    """By its sender's clear, or because it broke off."""


class PlayoutQueue:
    """See the module. ``now`` is monotonic, in seconds; sample counts are at ``RATE``."""

    def __init__(self, *, acknowledged: bool = False) -> None:
        """:param acknowledged: :meth:`acknowledge` is called; otherwise what has left counts as taken."""
        self._acknowledged = acknowledged
        self._line = StreamQueue(PlayoutStream)
        """Streams that have not been handed to the source whole."""
        self._queue: deque[Span] = deque()
        """In the source."""
        self._unacknowledged = Unacknowledged()
        self._again: deque[Span] = deque()
        """What was taken back out of the source and is put into it once more, before anything else."""
        self._source_is_empty = False
        """What was in the source when it was held has been dropped there too."""
        self._drained_until = 0.0
        self._left = 0  # samples that have left since the beginning, speech and silence
        self._queued = 0
        self._cleared = False
        self._settle_at: float | None = None
        """When a clear is settled that waits for the resume."""
        self._events: deque[Started | Finished] = deque()

    # -- input: a StreamSink of mouthpiece.receiving -----------------------------------------------------------------

    def open(self, sender: str, header: StreamHeader) -> PlayoutStream:
        """A stream begins; it is spoken after those that are there.

        :raises ValueError: the header announces what cannot be played.
        """
        return self._line.open(sender, header)

    def push(self, stream: PlayoutStream, data: bytes) -> None:
        """:raises QueueFull: more sound than ``inbound_streams.MAX_BACKLOG`` would wait; ``data`` was not taken."""
        self._line.push(stream, data)

    def end(self, stream: PlayoutStream, *, whole: bool = True) -> None:
        """The stream has been closed (``whole``), or will not go on: what has come is spoken, and then ``Finished``
        says that it was interrupted."""
        self._line.end(stream, whole=whole)

    def clear(self, sender: str) -> bool:
        """Interrupt every stream of ``sender`` that is not over; return whether there was one."""
        streams = self.streams(sender)
        for stream in streams:
            self.abort(stream)
        return bool(streams)

    def abort(self, stream: PlayoutStream) -> None:
        """Interrupt one stream: nothing of it is spoken any more."""
        if self._line.abort(stream):
            self._cleared = True

    # -- output ------------------------------------------------------------------------------------------------------

    def act(self, now: float) -> Capture | Cut | Wait:
        """Return what to do next. Call again when that is done, or when something came in."""
        self._drain(now)
        if self._cleared and not self._settles_later(now) and (cut := self._settle(self._streams())):
            return cut
        if self._unacknowledged.held:
            return self._act_held(now)
        stream = self._again[0].stream if self._again else self._speaker()
        if stream is None:
            return self._idle()
        if self._queue and self._queue[0].stream is None:
            return self._drop_silence()
        speech = sum(len(span.samples) for span in self._queue if span.stream is not None)
        if speech < self._queued:  # silence is behind the last of the speech: cut it once that has left
            return Wait(self._seconds(speech))
        if self._queued >= LEAD * RATE:
            return self._wait(self._seconds(self._queued) - LEAD)
        samples = self._take_again() if self._again else stream.take(int(BLOCK * RATE))
        self._put(stream, samples)
        return Capture(samples, speech=True)

    def events(self) -> list[Started | Finished]:
        """Return what has happened since the last call, in order. Ends wait for one that is not acknowledged; a start
        does not: a sender whose avatar dies must know that it began."""
        unacknowledged = self._unacknowledged.streams()
        events = list(self._events)
        first = next((i for i, event in enumerate(events) if self._waits(event, unacknowledged)), len(events))
        self._events = deque(event for event in events[first:] if isinstance(event, Finished))
        return events[:first] + [event for event in events[first:] if isinstance(event, Started)]

    # -- whether LiveKit takes it: Deliverable of mouthpiece_avatar.delivery -----------------------------------------

    def acknowledge(self, until: float) -> None:
        """What left the source by ``until`` was taken."""
        self._unacknowledged.acknowledge(until)

    def hold(self, now: float) -> None:
        """Take back what was not acknowledged and what is in the source; nothing leaves until :meth:`resume`."""
        self._source_is_empty = False
        if self._unacknowledged.held:
            self._keep([])
            return
        self._drain(now)
        self._unacknowledged.hold(now)
        self._again.extendleft(reversed([span for span in self._queue if span.stream is not None]))
        self._keep([])
        for event in list(self._events):
            if self._waits(event, self._unacknowledged.streams()):
                self._events.remove(event)
                event.stream.reopen()
        for event in [event for event in self._events if isinstance(event, Started) and not event.stream.left]:
            self._events.remove(event)
            event.stream.started = False

    def resume(self, lost: float | None) -> float:
        """Go on after a hold.

        :param lost: say again what left in so many seconds before the hold; None: all that was taken back.
        :returns: how many seconds are said again.
        """
        if not self._unacknowledged.held:
            return 0.0
        streams, heard = self._streams(), self._unacknowledged.streams()
        again = self._unacknowledged.resume(lost)
        self._again.extendleft(reversed(again))
        for stream in heard:
            if stream.left:
                self._begin(stream)
            if stream.left == stream.taken and stream not in self._line:
                self._over(stream, interrupted=stream.broke_off)  # even if it was cleared: that came after its end
        seconds = self._seconds(sum(len(span.samples) for span in again if not _is_cleared(span.stream)))
        self._settle(streams)
        return seconds

    @property
    def unheard(self) -> bool:
        """Whether speech is about to leave, or left and was not acknowledged."""
        return self.speaking or bool(self._unacknowledged) or self._unacknowledged.held

    @property
    def end_waits(self) -> bool:
        """Whether the end of a stream waits to be acknowledged."""
        return bool(self._events) and self._waits(self._events[0], self._unacknowledged.streams())

    # -- state -------------------------------------------------------------------------------------------------------

    def streams(self, sender: str) -> list[PlayoutStream]:
        """Return the streams of ``sender`` whose end was not among the :meth:`events` yet, in order."""
        ended = [event.stream for event in self._events if isinstance(event, Finished)]
        return [stream for stream in (*ended, *self._streams()) if stream.sender == sender]

    @property
    def backlog(self) -> float:
        """Seconds of sound that came and were not handed to the source yet."""
        return self._line.backlog

    def advance(self, now: float) -> None:
        """Count what has left by ``now``; :meth:`events` says what that brought about."""
        self._drain(now)

    def leaving(self, now: float) -> int:
        """Return the index of the sample that leaves the source at ``now``, counted over speech and silence.

        ``now`` may be a moment in the past, as long as the source did not run dry since.
        """
        since = int((now - self._drained_until) * RATE)
        return max(0, self._left + min(since, self._queued))

    @property
    def next_index(self) -> int:
        """Index of the next sample that will be put into the source, counted as :meth:`leaving` does."""
        return self._left + self._queued

    @property
    def speaking(self) -> bool:
        """Whether speech is in the source or can be put into it now."""
        return bool(self._again) or any(span.stream is not None for span in self._queue) or self._speaker() is not None

    # -- internals ---------------------------------------------------------------------------------------------------

    def _streams(self) -> list[PlayoutStream]:
        """Every stream that is not over, in order."""
        held = self._unacknowledged.streams() if self._unacknowledged.held else []
        leaving = [span.stream for span in (*self._queue, *self._again) if span.stream is not None]
        return list(dict.fromkeys([*held, *leaving, *self._line]))

    def _speaker(self) -> PlayoutStream | None:
        """Return the first stream in line if it has sound to speak now; those that were taken whole leave the line."""
        while (stream := self._line.first) is not None and not _is_cleared(stream):
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
            self._line.remove(stream)
            if stream.left == stream.taken:
                self._over(stream, interrupted=stream.broke_off)
        return None

    def _act_held(self, now: float) -> Cut | Wait:
        if not self._source_is_empty:
            self._source_is_empty = True
            return Cut(np.zeros(0, np.int16))
        return Wait(SILENCE if self._settle_at is None else min(SILENCE, self._settle_at - now))

    def _take_again(self) -> Samples:
        span = self._again[0]
        samples, span.samples = span.samples[: int(BLOCK * RATE)], span.samples[int(BLOCK * RATE) :]
        if not len(span.samples):
            self._again.popleft()
        return samples

    def _waits(self, event: Started | Finished, unacknowledged: list[PlayoutStream]) -> bool:
        """Whether ``event`` is an end that was not acknowledged."""
        return isinstance(event, Finished) and event.stream in unacknowledged

    def _idle(self) -> Capture | Wait:
        speech = bool(self._queue) and self._queue[-1].stream is not None
        wanted = FLOOR if speech else SILENCE
        if self._queued > wanted * RATE:
            return self._wait(self._seconds(self._queued) - wanted)
        samples: Samples = np.zeros(int(SILENCE_BLOCK * RATE), np.int16)
        self._put(None, samples)
        return Capture(samples, speech=False)

    def _settles_later(self, now: float) -> bool:
        """Whether a resume may still say how much was heard of a cleared stream."""
        if not self._unacknowledged.held or not any(map(_is_cleared, self._unacknowledged.streams())):
            return False
        if self._settle_at is None:
            self._settle_at = now + SETTLE_WITHIN
        return now < self._settle_at

    def _settle(self, streams: list[PlayoutStream]) -> Cut | None:
        """End the cleared ones of ``streams``, all that are not over; return a cut if something of them is queued."""
        self._cleared, self._settle_at = False, None
        cleared = [stream for stream in streams if _is_cleared(stream)]
        kept = [span for span in self._queue if span.stream not in cleared]
        cut = len(kept) < len(self._queue)
        self._again = deque(span for span in self._again if span.stream not in cleared)
        if cut:
            kept = [span for span in kept if span.stream is not None]
            self._keep(kept)
        for stream in cleared:
            self._unacknowledged.forget(stream)
            self._over(stream, interrupted=True)
        if not cut:
            return None
        return Cut(np.concatenate([span.samples for span in kept]) if kept else np.zeros(0, np.int16))

    def _drop_silence(self) -> Cut:
        self._keep([])  # silence is at the front only when no speech is behind it
        return Cut(np.zeros(0, np.int16))

    def _keep(self, spans: list[Span]) -> None:
        self._queue = deque(spans)
        self._queued = sum(len(span.samples) for span in spans)

    def _over(self, stream: PlayoutStream, *, interrupted: bool) -> None:
        stream.close()
        self._line.remove(stream)
        self._events.append(Finished(stream, interrupted))

    def _put(self, stream: PlayoutStream | None, samples: Samples) -> None:
        self._queued += len(samples)
        if self._queue and self._queue[-1].stream is stream:
            self._queue[-1].samples = np.concatenate((self._queue[-1].samples, samples))
        else:
            self._queue.append(Span(stream, samples))
        self._start()

    def _drain(self, now: float) -> None:
        """Drop what the source has played by ``now``."""
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
            left, span.samples = span.samples[:step], span.samples[step:]
            if span.stream is not None:
                span.stream.left += step
                if self._acknowledged:
                    self._unacknowledged.left(span.stream, left, self._drained_until)
            if not len(span.samples):
                self._queue.popleft()
                if span.stream is not None and span.stream not in self._line and span.stream.left == span.stream.taken:
                    self._over(span.stream, interrupted=span.stream.broke_off)
                self._start()

    def _start(self) -> None:
        if self._queue and (stream := self._queue[0].stream) is not None:
            self._begin(stream)

    def _begin(self, stream: PlayoutStream) -> None:
        if not stream.started:
            stream.started = True
            self._events.append(Started(stream))

    def _wait(self, seconds: float) -> Wait:
        """Wait so long, but not past the moment at which a stream begins or has ended."""
        return Wait(min(seconds, self._seconds(len(self._queue[0].samples))) if self._queue else seconds)

    @staticmethod
    def _seconds(samples: int) -> float:
        return samples / RATE


def _is_cleared(stream: PlayoutStream | None) -> bool:
    return stream is not None and stream.state is StreamState.CLEARED
