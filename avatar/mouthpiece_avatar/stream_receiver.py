"""The ears: takes in byte streams, decides whose are heard, and reads them to their end, whatever that is.

A stream can arrive up to three seconds before its sender is announced, and the handler is given an identity only.
Such a stream is read but held: neither dropped nor trusted. When its sender appears, an agent gets in line and anybody
else is refused::

    arrives ──▶ HELD ──agent announced──▶ heard, a turn on the stage
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
from mouthpiece_avatar.inbound_stream import Turn, TurnState, check
from mouthpiece_avatar.playout import Stage

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
class _Stream:
    sender: str
    header: StreamHeader
    reader: Reader
    turn: Turn | None = None
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


class Ears:
    """``kind`` says of an identity whether it is an agent, or None while it is not announced.

    ``spawn`` starts a task that the session owns; ``wake`` tells the pump that the stage has changed.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        kind: Callable[[str], bool | None],
        wake: Callable[[], None],
        spawn: Callable[[Coroutine[None, None, None]], object],
        hold: float = HOLD,
        stall: float = STALL,
        superseded_stall: float = SUPERSEDED_STALL,
    ) -> None:
        self._stage = stage
        self._kind = kind
        self._wake = wake
        self._spawn = spawn
        self._hold = hold
        self._stall = stall
        self._superseded_stall = superseded_stall
        self._streams: dict[str, list[_Stream]] = {}
        self._held_bytes = 0
        self.streams: Counter[str] = Counter()
        """How many were ``opened``, ``held``, ``refused``, ``broken`` (no trailer), ``stalled``, and
        ``overflowed`` (interrupted, because half an hour of sound waited)."""

    def stream_opened(self, reader: Reader, sender: str, attributes: dict[str, str] | None) -> None:
        """The header of a byte stream has come."""
        self.streams["opened"] += 1
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
        stream = _Stream(sender, header, reader)
        streams = self._streams.setdefault(sender, [])
        for older in streams:
            self._supersede(older)
        streams.append(stream)
        if agent:
            self._admit(stream)
        else:
            self.streams["held"] += 1
            loop = asyncio.get_running_loop()
            stream.deadline = loop.call_later(self._hold, self._refuse, stream, "nobody was announced as its sender")
        self._spawn(self._listen(stream))

    def announced(self, sender: str) -> None:
        """A participant appeared: decides about the streams of his that are held."""
        agent = self._kind(sender)
        for stream in self._streams.get(sender, ()):
            if stream.decided.is_set() or agent is None:
                continue
            if agent:
                self._admit(stream)
            else:
                self._refuse(stream, NO_AGENT)

    def clear(self, sender: str) -> None:
        """Interrupts every stream of ``sender`` that was opened before, and nobody else's."""
        for stream in self._streams.get(sender, ()):
            if not stream.decided.is_set():
                stream.cleared = True
                self._forget(stream)
        self._stage.clear(sender)
        self._wake()

    def _admit(self, stream: _Stream) -> None:
        self._decide(stream)
        stream.turn = self._stage.open(stream.sender, stream.header)
        if stream.cleared:
            self._stage.abort(stream.turn)
        for data in stream.held:
            self._push(stream, stream.turn, data)
        self._forget(stream)
        if stream.over:
            self._stage.end(stream.turn)
        self._wake()

    def _refuse(self, stream: _Stream, why: str) -> None:
        self._decide(stream)
        self._forget(stream)
        self._turn_away(stream.reader, why)

    def _decide(self, stream: _Stream) -> None:
        stream.decided.set()
        if stream.deadline is not None:
            stream.deadline.cancel()

    def _turn_away(self, reader: Reader, why: str) -> None:
        reader.close()
        self.streams["refused"] += 1
        logger.warning("an audio stream was refused: %s", why)

    def _supersede(self, stream: _Stream) -> None:
        """A newer stream is there: a chunk that is on its way still counts, a lost trailer is not waited for."""
        stream.superseded = True
        if stream.patience is not None and not stream.patience.expired():
            stream.patience.reschedule(asyncio.get_running_loop().time() + self._superseded_stall)

    def _forget(self, stream: _Stream) -> None:
        self._held_bytes -= sum(len(data) for data in stream.held)
        stream.held.clear()

    async def _listen(self, stream: _Stream) -> None:
        try:
            await self._read(stream)
            stream.over = True
            await stream.decided.wait()
        finally:
            stream.reader.close()  # an abandoned reader stays subscribed for the life of the process
            self._decide(stream)
            self._forget(stream)
            streams = self._streams[stream.sender]
            streams.remove(stream)
            if not streams:
                del self._streams[stream.sender]
            if stream.turn is not None:
                self._stage.end(stream.turn)
                self._wake()

    async def _read(self, stream: _Stream) -> None:
        while True:
            try:
                patience = self._superseded_stall if stream.superseded else self._stall
                async with asyncio.timeout(patience) as stream.patience:
                    try:
                        data = await anext(stream.reader)
                    finally:
                        stream.patience = None
            except StopAsyncIteration:
                return
            except StreamError:
                self.streams["broken"] += 1
                logger.warning("an audio stream broke off: what has come of it is spoken")
                return
            except TimeoutError:
                self.streams["stalled"] += 1
                logger.warning("an audio stream brought nothing for %g s: it is taken for ended", patience)
                return
            if stream.turn is not None:
                self._push(stream, stream.turn, data)
                self._wake()
            elif not stream.cleared:
                self._held(stream, data)

    def _held(self, stream: _Stream, data: bytes) -> None:
        if self._held_bytes + len(data) > HELD_BYTES:
            self._refuse(stream, "too much came before its sender was announced")
            return
        stream.held.append(data)
        self._held_bytes += len(data)

    def _push(self, stream: _Stream, turn: Turn, data: bytes) -> None:
        if turn.state is not TurnState.OPEN:
            return  # interrupted; its sender may take a while to stop
        try:
            self._stage.push(turn, data)
        except QueueFull as error:
            self.streams["overflowed"] += 1
            logger.warning("an audio stream was interrupted: %s", error)
            self._stage.abort(turn)
            stream.reader.close()
