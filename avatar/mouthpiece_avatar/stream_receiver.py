"""Takes in byte streams: decides whose are heard, and reads each of them to its end.

A stream can arrive up to three seconds before its sender is announced, and the handler is given an identity only.
Such a stream is read but held: neither dropped nor trusted. When its sender appears, an agent gets in line and anybody
else is refused::

    arrives ──▶ HELD ──agent announced──▶ heard, a stream on the playout
                 ├────anybody else──────▶ refused
                 └────nobody, too long──▶ refused
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Protocol

from livekit.rtc.data_stream import StreamError

from mouthpiece.errors import QueueFull
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.inbound_stream import InboundStream, StreamState, check
from mouthpiece_avatar.playout import PlayoutQueue

logger = logging.getLogger(__name__)

HOLD = 5.0
"""Seconds that a stream is held for its sender to be announced (livekit-server does that every 3 s)."""
HELD_BYTES = 64 * 1024 * 1024
"""That may be held in a room in all."""
STALL = 10.0
"""Seconds without a chunk after which a stream is taken for ended, as the stock receiver does."""
SUPERSEDED_STALL = 0.5
"""The same once a newer stream of the same sender is there: its trailer must have been lost."""

NO_AGENT = "its sender is not an agent (speak as a participant of agent kind)"


class Reader(Protocol):
    """A ``rtc.ByteStreamReader``."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def __anext__(self) -> bytes: ...
    def close(self) -> None: ...


@dataclass(eq=False, slots=True)
class _Arrival:
    sender: str
    header: StreamHeader
    reader: Reader
    stream: InboundStream | None = None
    """None while held, and for ever if refused."""
    held: list[bytes] = field(default_factory=list)
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    deadline: asyncio.TimerHandle | None = None
    """Of the holding."""
    patience: asyncio.Timeout | None = None
    """Of the chunk that is being waited for, if one is."""
    superseded: bool = False
    cleared: bool = False
    """Interrupted while held."""
    over: bool = False
    """All that will come has come."""


class StreamReceiver:
    """``kind`` says of an identity whether it is an agent, or None while it is not announced.

    ``spawn`` starts a task that the session owns; ``wake`` tells the publisher that the playout has changed.
    """

    def __init__(
        self,
        playout: PlayoutQueue,
        *,
        kind: Callable[[str], bool | None],
        wake: Callable[[], None],
        spawn: Callable[[Coroutine[None, None, None]], object],
        hold: float = HOLD,
        stall: float = STALL,
        superseded_stall: float = SUPERSEDED_STALL,
    ) -> None:
        self._playout = playout
        self._kind = kind
        self._wake = wake
        self._spawn = spawn
        self._hold = hold
        self._stall = stall
        self._superseded_stall = superseded_stall
        self._arrivals: dict[str, list[_Arrival]] = {}
        self._held_bytes = 0
        self.counts: Counter[str] = Counter()
        """How many were ``opened``, ``held``, ``refused``, ``broken`` (no trailer), ``stalled``, and
        ``overflowed`` (interrupted, because half an hour of sound waited)."""

    def stream_opened(self, reader: Reader, sender: str, attributes: dict[str, str] | None) -> None:
        """The header of a byte stream has come."""
        self.counts["opened"] += 1
        try:
            header = StreamHeader.parse(attributes)
            check(header)
        except ValueError as error:
            self._turn_away(reader, str(error))
            return
        agent = self._kind(sender)
        if agent is False:
            self._turn_away(reader, NO_AGENT)
            return
        arrival = _Arrival(sender, header, reader)
        arrivals = self._arrivals.setdefault(sender, [])
        for older in arrivals:
            self._supersede(older)
        arrivals.append(arrival)
        if agent:
            self._admit(arrival)
        else:
            self.counts["held"] += 1
            loop = asyncio.get_running_loop()
            arrival.deadline = loop.call_later(self._hold, self._refuse, arrival, "nobody was announced as its sender")
        self._spawn(self._listen(arrival))

    def announced(self, sender: str) -> None:
        """A participant appeared: decides about the streams of his that are held."""
        agent = self._kind(sender)
        for arrival in self._arrivals.get(sender, ()):
            if arrival.decided.is_set() or agent is None:
                continue
            if agent:
                self._admit(arrival)
            else:
                self._refuse(arrival, NO_AGENT)

    def clear(self, sender: str) -> None:
        """Interrupts every stream of ``sender`` that was opened before, and nobody else's."""
        for arrival in self._arrivals.get(sender, ()):
            if not arrival.decided.is_set():
                arrival.cleared = True
                self._forget(arrival)
        self._playout.clear(sender)
        self._wake()

    def _admit(self, arrival: _Arrival) -> None:
        self._decide(arrival)
        arrival.stream = self._playout.open(arrival.sender, arrival.header)
        if arrival.cleared:
            self._playout.abort(arrival.stream)
        for data in arrival.held:
            self._push(arrival, arrival.stream, data)
        self._forget(arrival)
        if arrival.over:
            self._playout.end(arrival.stream)
        self._wake()

    def _refuse(self, arrival: _Arrival, why: str) -> None:
        self._decide(arrival)
        self._forget(arrival)
        self._turn_away(arrival.reader, why)

    def _decide(self, arrival: _Arrival) -> None:
        arrival.decided.set()
        if arrival.deadline is not None:
            arrival.deadline.cancel()

    def _turn_away(self, reader: Reader, why: str) -> None:
        reader.close()
        self.counts["refused"] += 1
        logger.warning("an audio stream was refused: %s", why)

    def _supersede(self, arrival: _Arrival) -> None:
        """A newer stream is there: a chunk that is on its way still counts, a lost trailer is not waited for."""
        arrival.superseded = True
        if arrival.patience is not None and not arrival.patience.expired():
            arrival.patience.reschedule(asyncio.get_running_loop().time() + self._superseded_stall)

    def _forget(self, arrival: _Arrival) -> None:
        self._held_bytes -= sum(len(data) for data in arrival.held)
        arrival.held.clear()

    async def _listen(self, arrival: _Arrival) -> None:
        try:
            await self._read(arrival)
            arrival.over = True
            await arrival.decided.wait()
        finally:
            arrival.reader.close()  # an abandoned reader stays subscribed for the life of the process
            self._decide(arrival)
            self._forget(arrival)
            arrivals = self._arrivals[arrival.sender]
            arrivals.remove(arrival)
            if not arrivals:
                del self._arrivals[arrival.sender]
            if arrival.stream is not None:
                self._playout.end(arrival.stream)
                self._wake()

    async def _read(self, arrival: _Arrival) -> None:
        while True:
            try:
                patience = self._superseded_stall if arrival.superseded else self._stall
                async with asyncio.timeout(patience) as arrival.patience:
                    try:
                        data = await anext(arrival.reader)
                    finally:
                        arrival.patience = None
            except StopAsyncIteration:
                return
            except StreamError:
                self.counts["broken"] += 1
                logger.warning("an audio stream broke off: what has come of it is spoken")
                return
            except TimeoutError:
                self.counts["stalled"] += 1
                logger.warning("an audio stream brought nothing for %g s: it is taken for ended", patience)
                return
            if arrival.stream is not None:
                self._push(arrival, arrival.stream, data)
                self._wake()
            elif not arrival.cleared:
                self._held(arrival, data)

    def _held(self, arrival: _Arrival, data: bytes) -> None:
        if self._held_bytes + len(data) > HELD_BYTES:
            self._refuse(arrival, "too much came before its sender was announced")
            return
        arrival.held.append(data)
        self._held_bytes += len(data)

    def _push(self, arrival: _Arrival, stream: InboundStream, data: bytes) -> None:
        if stream.state is not StreamState.OPEN:
            return  # interrupted; its sender may take a while to stop
        try:
            self._playout.push(stream, data)
        except QueueFull as error:
            self.counts["overflowed"] += 1
            logger.warning("an audio stream was interrupted: %s", error)
            self._playout.abort(stream)
            arrival.reader.close()
