"""A fake of the connection to a LiveKit room, and of the avatar in it. Nothing here touches LiveKit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from mouthpiece import wire
from mouthpiece.errors import LiveKitUnavailable
from mouthpiece.wire import PlaybackReceipt, Status, StatusEnded, StatusPlaying, StreamHeader
from mouthpiece_sender.livekit.connection import (
    ClearAnswer,
    ConnectionBack,
    ConnectionLost,
    Disconnected,
    NotAnswered,
    ParticipantsChanged,
    ReceiptArrived,
    RoomEvent,
    TrackSink,
)
from mouthpiece_sender.livekit.server_api import LiveKitAccess, ParticipantFacts
from mouthpiece_sender.playout.captions import Line
from tests.virtual_time import now

STEP: Final = 0.01
"""Seconds of the avatar's playout."""
UNANSWERED: Final = 2.0
"""Seconds after which a call that does not arrive has failed."""


@dataclass(eq=False)
class FakeStream:
    """A byte stream that keeps when what was written, and what of it arrived."""

    room: FakeRoom
    connection: FakeConnection
    header: StreamHeader
    pcm: bytearray = field(default_factory=bytearray)
    """Of what arrived."""
    opened_at: float = field(default_factory=now)
    closed_at: float | None = None
    writes: list[tuple[float, int]] = field(default_factory=list)
    """Moments, and the bytes that were written by then."""
    arrived: float = 0.0
    """Seconds."""
    end_arrived: bool = False
    position: float = 0.0
    """Seconds that were played."""
    started: bool = False

    @property
    def seconds(self) -> float:
        """Seconds of audio so far."""
        return self.writes[-1][1] / 2 / self.header.sample_rate if self.writes else 0.0

    async def write(self, data: bytes) -> None:
        assert self.closed_at is None
        self.writes.append((now(), (self.writes[-1][1] if self.writes else 0) + len(data)))
        if self.connection.arrives:
            self.pcm += data
            self.arrived += len(data) / 2 / self.header.sample_rate

    async def aclose(self) -> None:
        await asyncio.sleep(self.room.close_takes)
        self.closed_at = now()
        if self.connection.arrives:
            self.end_arrived = True


@dataclass(eq=False)
class FakeRoom:
    """The room of a test, with one avatar, which outlives the connections. Give ``connect`` to the target.

    The avatar plays one stream after the other. Ours keeps its word: it remembers its ends, and a clear drops all that
    it has; livekit-agents' receiver drops the stream that plays, and none of those behind it.
    """

    avatar: ParticipantFacts
    clear_answers: list[ClearAnswer] = field(default_factory=list)
    """Answers to the first clears; later ones are ``ok``."""
    open_takes: float = 0.0
    """Seconds that opening a stream takes."""
    close_takes: float = 0.0
    """Seconds that closing a stream takes."""
    plays: bool = True
    """The avatar plays what it gets, and sends receipts."""
    answers_status: bool = True
    """An avatar of an earlier version does not know ``mouthpiece.status``."""
    line_is_up: bool = True
    """LiveKit is there."""
    deaf: bool = False
    """The avatar answers nothing."""
    present: bool = True
    """The avatar is shown in the room."""
    streams: list[FakeStream] = field(default_factory=list)
    connections: list[FakeConnection] = field(default_factory=list)
    heard: list[tuple[FakeStream, float]] = field(default_factory=list)
    """Streams that have been played, and how many seconds of each."""
    cut_off: list[FakeStream] = field(default_factory=list)
    """Streams that were open when the sender left."""
    clears: int = 0
    has_track: bool = True
    """The avatar publishes sound."""
    lag: float = 0.2
    """Seconds from the avatar to those who listen to its track."""
    is_muted: bool = False
    """The track is."""
    track_arrives: bool = True
    """False: a subscription to the avatar's track brings nothing."""
    heard_as: Callable[[npt.NDArray[np.int16]], npt.NDArray[np.int16]] = lambda sound: sound
    """What the track makes of 10 ms of the avatar's sound, or of its silence."""
    listeners: int = 0
    """Subscriptions to the track, now."""
    packets: int = 0
    """That came over the track."""
    _track: dict[int, npt.NDArray[np.int16]] = field(default_factory=dict)
    """What the avatar says, by its 10 ms."""
    asked_to_leave: int = 0
    ended: list[StatusEnded] = field(default_factory=list)
    _streams: deque[FakeStream] = field(default_factory=deque)
    _playing: asyncio.Task[None] | None = None

    def connect(self, access: LiveKitAccess, token: str, listener: Callable[[RoomEvent], None]) -> FakeConnection:
        self.connections.append(FakeConnection(self, token, listener))
        return self.connections[-1]

    @property
    def open_streams(self) -> list[FakeStream]:
        return [stream for stream in self.streams if stream.closed_at is None]

    @property
    def ours(self) -> bool:
        return wire.ATTR_AVATAR in self.avatar.attributes

    def heard_of(self, segment: str) -> list[tuple[int, float]]:
        """The attempts of a segment that were heard, and how many seconds of each."""
        known = [(stream, position) for stream, position in self.heard if stream.header.segment == segment]
        return [(stream.header.attempt or 0, round(position, 2)) for stream, position in known if position > 0]

    # What happens

    def lose_line(self) -> None:
        """LiveKit is away, and the SDK notices at once."""
        self.line_is_up = False
        self.tell(ConnectionLost())

    def restore_line(self) -> None:
        self.line_is_up = True
        self.tell(ConnectionBack())

    def stall(self) -> None:
        """LiveKit stalled: the SDK says that all is well, and what the present connections carry is lost."""
        for connection in self.connections:
            connection.dead = True
        self.tell(ConnectionLost())
        self.tell(ConnectionBack())

    def avatar_leaves(self, *, by_itself: bool = True) -> None:
        self.present = False
        self._streams.clear()
        self.tell(ParticipantsChanged(self.avatar.sid if by_itself else None))

    def avatar_comes(self, *, sid: str, session: str | None = None, identity: str | None = None) -> None:
        """It comes back, or, with a ``session``, another one comes in its place."""
        attributes = dict(self.avatar.attributes)
        if session is not None:
            self.ended = []
            self._streams.clear()
            attributes[wire.ATTR_AVATAR] = wire.AvatarInfo(session=session).dumps()
        self.avatar = replace(self.avatar, identity=identity or self.avatar.identity, sid=sid, attributes=attributes)
        self.present = True
        self.tell(ParticipantsChanged())

    def tell(self, event: RoomEvent) -> None:
        for connection in self.connections:
            if connection.connected:
                connection.listener(event)

    # The avatar

    def clear(self) -> None:
        self.clears += 1
        for stream in list(self._streams) if self.ours else list(self._streams)[:1]:
            self._end(stream, interrupted=True)

    def status(self) -> Status:
        first = self._streams[0] if self._streams and self._streams[0].started else None
        playing = first and StatusPlaying(first.header.segment or "", first.position, first.header.attempt)
        return Status(
            playing or None,
            tuple(stream.header.segment or "" for stream in self._streams if stream is not first),
            tuple(self.ended),
        )

    def take(self, stream: FakeStream) -> None:
        self.streams.append(stream)
        if stream.connection.arrives:
            self._streams.append(stream)

    def start(self) -> None:
        if self._playing is None and self.plays:
            self._playing = asyncio.create_task(self._play(), name="avatar")

    async def _play(self) -> None:
        while True:
            await asyncio.sleep(STEP)
            if not self._streams:
                continue
            stream = self._streams[0]
            if not stream.started and (stream.arrived > 0 or stream.end_arrived):
                stream.started = True
                self.report(stream, "started")
            self._say(stream)
            stream.position = min(stream.position + STEP, stream.arrived)
            if stream.end_arrived and stream.position >= stream.arrived:
                self._end(stream, interrupted=False)

    def _say(self, stream: FakeStream) -> None:
        first = round(stream.position * stream.header.sample_rate)
        count = round(STEP * stream.header.sample_rate)
        samples = np.frombuffer(stream.pcm, dtype="<i2")[first : first + count]
        self._track[round(now() / STEP)] = samples[:: stream.header.sample_rate // 8_000].repeat(2)

    def track(self, step: int) -> npt.NDArray[np.int16]:
        """16 kHz of the 10 ms that reach a listener at ``step``."""
        said = self._track.pop(step - round(self.lag / STEP), np.zeros(0, dtype=np.int16))
        if not self.line_is_up:
            return np.zeros(160, dtype=np.int16)
        samples = np.zeros(0, dtype=np.int16) if self.is_muted else said
        return self.heard_as(np.pad(samples, (0, 160 - len(samples))))

    def _end(self, stream: FakeStream, *, interrupted: bool) -> None:
        self._streams.remove(stream)
        self.heard.append((stream, stream.position))
        segment = stream.header.segment
        self.ended.append(StatusEnded(segment or "", stream.position, interrupted, attempt=stream.header.attempt))
        self.report(stream, "finished", interrupted=interrupted)

    def report(self, stream: FakeStream, event: str, *, interrupted: bool = False) -> None:
        header = stream.header
        receipt = PlaybackReceipt(header.segment, event, stream.position, interrupted, header.attempt)
        there = [connection for connection in self.connections if connection.connected]
        to = stream.connection if stream.connection in there else next(reversed(there), None)
        if to is not None and to.arrives and self.present:
            asyncio.get_running_loop().call_soon(to.listener, ReceiptArrived(self.avatar.identity, receipt))


class FakeConnection:
    """One join of a :class:`FakeRoom`."""

    def __init__(self, room: FakeRoom, token: str, listener: Callable[[RoomEvent], None]) -> None:
        self.room, self.token, self.listener = room, token, listener
        self.connected = self.dead = False

    @property
    def arrives(self) -> bool:
        """What is sent arrives, in both directions."""
        return self.room.line_is_up and not self.room.deaf and not self.dead

    async def __aenter__(self) -> Self:
        if not self.room.line_is_up or self.dead:
            raise LiveKitUnavailable("LiveKit cannot be reached.")
        self.connected = True
        self.room.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connected = False
        self.room.cut_off += [stream for stream in self.room.open_streams if stream.connection is self]

    def disconnect(self, reason: str) -> None:
        self.connected = False
        self.listener(Disconnected(reason))

    def participants(self) -> list[ParticipantFacts]:
        return [self.room.avatar] if self.room.present else []

    async def open_stream(self, destination: str, header: StreamHeader) -> FakeStream:
        assert destination == self.room.avatar.identity
        await asyncio.sleep(self.room.open_takes)
        stream = FakeStream(self.room, self, header)
        self.room.take(stream)
        return stream

    async def clear_buffer(self, destination: str) -> ClearAnswer:
        if not self.arrives:
            await asyncio.sleep(UNANSWERED)
            return ClearAnswer.NONE
        self.room.clear()
        return self.room.clear_answers.pop(0) if self.room.clear_answers else ClearAnswer.OK

    async def status(self, destination: str) -> Status | NotAnswered:
        if not self.arrives:
            await asyncio.sleep(UNANSWERED)
            return NotAnswered.NONE
        return self.room.status() if self.room.answers_status else NotAnswered.UNSUPPORTED

    async def ask_to_leave(self, destination: str) -> None:
        self.room.asked_to_leave += 1
        asyncio.get_running_loop().call_later(0.1, self.room.avatar_leaves)

    def has_voice(self, speaker: str) -> bool:
        return self.room.has_track

    def is_muted(self, speaker: str) -> bool:
        return self.room.is_muted

    async def listen(self, speaker: str, sink: TrackSink) -> None:
        assert speaker == self.room.avatar.identity
        self.room.listeners += 1
        try:
            if not self.room.has_track or not self.room.track_arrives:
                await asyncio.Event().wait()
            sink(None)
            while True:
                first = round(now() / STEP)
                await asyncio.sleep(5 * STEP)
                if self.room.line_is_up:
                    self.room.packets += 1
                sink(np.concatenate([self.room.track(first + step) for step in range(5)]))
        finally:
            self.room.listeners -= 1

    async def packets(self, speaker: str) -> int | None:
        """One each 20 ms, and one in 400 ms of silence, while the line is up."""
        there = self.room.has_track and self.room.track_arrives
        return self.room.packets if self.room.listeners and there else None

    async def publish_caption(self, speaker: str, line: Line) -> bool:
        return True
