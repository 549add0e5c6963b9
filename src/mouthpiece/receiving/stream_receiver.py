"""Reads the byte streams of a room: the shell around :class:`mouthpiece.receiving.admission.Admission`."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from livekit import rtc
from livekit.rtc.data_stream import StreamError

from mouthpiece import wire
from mouthpiece.errors import QueueFull
from mouthpiece.process.log_context import about, shown_id
from mouthpiece.receiving.admission import Admission, Arrival, Verdict
from mouthpiece.wire import StreamHeader

logger = logging.getLogger(__name__)

HOLD = 5.0
"""Seconds that a stream is held for its sender to be announced (livekit-server does that every 3 s)."""
STALL = 10.0
"""Seconds without a chunk after which a stream is taken for broken off, as the stock receiver does."""
SUPERSEDED_STALL = 0.5
"""The same once a newer stream of the same sender is there: its trailer must have been lost."""

S = TypeVar("S")


class StreamSink(Protocol[S]):
    """Where admitted streams go. ``S`` is how the sink knows a stream."""

    def open(self, sender: str, header: StreamHeader) -> S:
        """A stream begins. Streams are to be played in the order of these calls."""

    def push(self, stream: S, data: bytes) -> None:
        """s16le, interleaved, cut anywhere. On a stream that was aborted or cleared this does nothing.

        :raises QueueFull: too much waits; nothing of ``data`` was taken.
        """

    def end(self, stream: S, *, whole: bool) -> None:
        """No more comes. May follow an ``abort`` or a ``clear``, and may come twice: the first counts.

        :param whole: its sender closed it. Otherwise what has come is played, and then reported as interrupted: its
            sender left or stalled, or opened another stream without closing this one.
        """

    def abort(self, stream: S) -> object:
        """Nothing of this stream is to be played any more."""

    def clear(self, sender: str) -> object:
        """As ``abort``, for every stream of ``sender``."""


class Reader(Protocol):
    """A ``rtc.ByteStreamReader``."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def __anext__(self) -> bytes: ...
    def close(self) -> None: ...


@dataclass(eq=False, slots=True)
class _Reading(Generic[S]):
    """A stream that is being read."""

    arrival: Arrival
    reader: Reader
    stream: S | None = None
    """None until it is admitted."""
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    hold_timer: asyncio.TimerHandle | None = None
    next_chunk: asyncio.Timeout | None = None
    """Of the chunk that is being waited for, if one is."""
    read: bool = False
    """All chunks have come that will."""
    whole: bool = False
    """Its sender closed it."""


class StreamReceiver(Generic[S]):
    """Takes the audio streams of one room and gives those of agents to ``sink``.

    ``register`` before the room is connected: a stream may come with the first packet. The caller owns the
    tasks, and cancels them when it leaves the room.
    """

    def __init__(
        self,
        sink: StreamSink[S],
        *,
        is_agent: Callable[[str], bool | None],
        spawn: Callable[[Coroutine[None, None, None]], object],
        changed: Callable[[], None] = lambda: None,
        uninvited: Callable[[str], None] = lambda _: None,
        hold: float = HOLD,
        stall: float = STALL,
        superseded_stall: float = SUPERSEDED_STALL,
    ) -> None:
        """
        :param is_agent: for an identity: whether that participant is of agent kind; None while it is not announced.
            :func:`agent_kind` asks a room.
        :param spawn: starts a task that the caller owns.
        :param changed: called after each call of the sink.
        :param uninvited: called with the identity whose stream was refused.
        """
        self._sink = sink
        self._is_agent = is_agent
        self._spawn = spawn
        self._changed = changed
        self._uninvited = uninvited
        self._hold = hold
        self._stall = stall
        self._superseded_stall = superseded_stall
        self._admission = Admission()
        self._readings: dict[Arrival, _Reading[S]] = {}
        self.counts: Counter[str] = Counter()
        """Streams that were ``opened``, ``held``, ``refused``, ``broken`` (no trailer), ``stalled``, and
        ``overflowed`` (interrupted, because half an hour of sound waited)."""

    def register(self, room: rtc.Room) -> None:
        """Take the audio streams of ``room``, and notice the participants that are announced later."""
        room.register_byte_stream_handler(
            wire.AUDIO_STREAM_TOPIC,
            lambda reader, identity: self.stream_opened(reader, identity, reader.info.attributes),
        )
        room.on("participant_connected", lambda participant: self.participant_announced(participant.identity))

    def stream_opened(self, reader: Reader, sender: str, attributes: Mapping[str, str] | None) -> None:
        """The header of a byte stream has come."""
        self.counts["opened"] += 1
        try:
            arrival = self._admission.open(sender, attributes, is_agent=self._is_agent(sender))
        except ValueError as error:
            self._turn_away(reader, sender, str(error))
            return
        if arrival.verdict is Verdict.REFUSED:
            self._turn_away(reader, sender, arrival.reason)
            return
        for older in self._admission.of(sender):
            if older is not arrival and older in self._readings:
                self._hurry(self._readings[older])
        reading: _Reading[S] = _Reading(arrival, reader)
        self._readings[arrival] = reading
        if arrival.verdict is Verdict.HELD:
            self.counts["held"] += 1
            loop = asyncio.get_running_loop()
            reading.hold_timer = loop.call_later(self._hold, self._give_up, reading)
        else:
            self._settle(reading)
        self._spawn(self._listen(reading))

    def participant_announced(self, identity: str) -> None:
        """A participant is known now: decide about its streams that are held."""
        is_agent = self._is_agent(identity)
        if is_agent is None:
            return
        for arrival in self._admission.announce(identity, is_agent=is_agent):
            self._settle(self._readings[arrival])

    def held(self, sender: str) -> list[StreamHeader]:
        """Return the headers of the streams of ``sender`` that the sink was not given yet, oldest first."""
        arrivals = self._admission.of(sender)
        return [arrival.header for arrival in arrivals if arrival.verdict is Verdict.HELD]

    def clear(self, sender: str) -> None:
        """Interrupt every stream that ``sender`` has opened so far. Streams of others go on."""
        self._admission.clear(sender)
        self._sink.clear(sender)
        self._changed()

    def _settle(self, reading: _Reading[S]) -> None:
        """Act on a verdict."""
        reading.decided.set()
        if reading.hold_timer is not None:
            reading.hold_timer.cancel()
        if reading.arrival.verdict is Verdict.REFUSED:
            self._turn_away(reading.reader, reading.arrival.sender, reading.arrival.reason)
            return
        reading.stream = self._sink.open(reading.arrival.sender, reading.arrival.header)
        if reading.arrival.cleared:
            self._sink.abort(reading.stream)
        for data in self._admission.release(reading.arrival):
            self._push(reading, reading.stream, data)
        if reading.read:
            self._sink.end(reading.stream, whole=reading.whole)
        self._changed()

    def _give_up(self, reading: _Reading[S]) -> None:
        self._admission.give_up(reading.arrival)
        self._settle(reading)

    def _turn_away(self, reader: Reader, sender: str, why: str) -> None:
        reader.close()
        self._uninvited(sender)
        self.counts["refused"] += 1
        logger.warning("an audio stream was refused: %s", why)

    def _hurry(self, reading: _Reading[S]) -> None:
        """Its sender has opened a newer stream: chunks on their way still count, a lost trailer is not waited for."""
        if reading.next_chunk is not None and not reading.next_chunk.expired():
            reading.next_chunk.reschedule(asyncio.get_running_loop().time() + self._superseded_stall)

    async def _listen(self, reading: _Reading[S]) -> None:
        try:
            with about(shown_id(reading.arrival.header.segment)):
                reading.whole = await self._read(reading)
            reading.read = True
            await reading.decided.wait()
        finally:
            reading.reader.close()  # an abandoned reader stays subscribed for the life of the process
            if reading.hold_timer is not None:
                reading.hold_timer.cancel()
            self._admission.close(reading.arrival)
            del self._readings[reading.arrival]
            if reading.stream is not None:
                self._sink.end(reading.stream, whole=reading.whole)
                self._changed()

    async def _read(self, reading: _Reading[S]) -> bool:
        """Read chunks until the stream is closed; return False if it broke off or stalled instead."""
        while True:
            try:
                within = self._superseded_stall if reading.arrival.superseded else self._stall
                async with asyncio.timeout(within) as reading.next_chunk:
                    try:
                        data = await anext(reading.reader)
                    finally:
                        reading.next_chunk = None
            except StopAsyncIteration:
                return True
            except StreamError:
                self.counts["broken"] += 1
                logger.warning("an audio stream broke off: what has come of it is spoken")
                return False
            except TimeoutError:
                self.counts["stalled"] += 1
                logger.warning("an audio stream brought nothing for %g s: what has come of it is spoken", within)
                return False
            if reading.stream is not None:
                self._push(reading, reading.stream, data)
                self._changed()
            elif reading.arrival.verdict is Verdict.HELD:
                self._admission.hold(reading.arrival, data)
                if reading.arrival.verdict is not Verdict.HELD:
                    self._settle(reading)

    def _push(self, reading: _Reading[S], stream: S, data: bytes) -> None:
        try:
            self._sink.push(stream, data)
        except QueueFull as error:
            self.counts["overflowed"] += 1
            logger.warning("an audio stream was interrupted: %s", error)
            self._sink.abort(stream)
            reading.reader.close()


def agent_kind(room: rtc.Room, identity: str) -> bool | None:
    """Whether a remote participant is of agent kind; None while LiveKit has not announced it."""
    participant = room.remote_participants.get(identity)
    if participant is None:
        return None
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
