"""A fake of the connection to a LiveKit room, and of the avatar in it. Nothing here touches LiveKit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from mouthpiece.wire import StreamHeader
from mouthpiece_sender.livekit.connection import ClearAnswer, Disconnected, ReceiptFinished, ReceiptStarted, RoomEvent
from mouthpiece_sender.livekit.server_api import LiveKitAccess, ParticipantFacts
from mouthpiece_sender.playout.captions import Line
from tests.virtual_time import now


@dataclass
class FakeStream:
    """A byte stream that keeps when what was written."""

    header: StreamHeader
    close_takes: float
    opened_at: float = field(default_factory=now)
    closed_at: float | None = None
    writes: list[tuple[float, int]] = field(default_factory=list)
    """Moments, and the bytes that were written by then."""

    @property
    def seconds(self) -> float:
        """Seconds of audio so far."""
        return self.writes[-1][1] / 2 / self.header.sample_rate if self.writes else 0.0

    async def write(self, data: bytes) -> None:
        assert self.closed_at is None
        self.writes.append((now(), (self.writes[-1][1] if self.writes else 0) + len(data)))

    async def aclose(self) -> None:
        await asyncio.sleep(self.close_takes)
        self.closed_at = now()


@dataclass
class FakeRoom:
    """The room of a test, with one avatar. Give ``connect`` to the target."""

    avatar: ParticipantFacts
    clear_answers: list[ClearAnswer] = field(default_factory=list)
    """Answers to the first clears; later ones are ``ok``."""
    close_takes: float = 0.0
    """Seconds that closing a stream takes."""
    plays: bool = True
    """The avatar plays what it gets, and sends receipts."""
    streams: list[FakeStream] = field(default_factory=list)
    connections: list[FakeConnection] = field(default_factory=list)
    heard: list[tuple[FakeStream, float]] = field(default_factory=list)
    """Streams that have been played, and how many seconds of each."""
    cut_off: list[FakeStream] = field(default_factory=list)
    """Streams that were open when the sender left."""

    def connect(self, access: LiveKitAccess, token: str, listener: Callable[[RoomEvent], None]) -> FakeConnection:
        self.connections.append(FakeConnection(self, token, listener))
        return self.connections[-1]

    @property
    def open_streams(self) -> list[FakeStream]:
        return [stream for stream in self.streams if stream.closed_at is None]


class FakeConnection:
    """One join of a :class:`FakeRoom`. Its avatar plays one stream after the other, as livekit-agents' receiver does:
    a clear drops the stream that plays, and none of those behind it."""

    def __init__(self, room: FakeRoom, token: str, listener: Callable[[RoomEvent], None]) -> None:
        self.room, self.token, self.listener = room, token, listener
        self.connected = False
        self._streams: asyncio.Queue[FakeStream] = asyncio.Queue()
        self._cleared = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.connected = True
        self._avatar = asyncio.create_task(self._play())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connected = False
        self.room.cut_off += self.room.open_streams
        self._avatar.cancel()

    def disconnect(self, reason: str) -> None:
        self.connected = False
        self.listener(Disconnected(reason))

    def participants(self) -> list[ParticipantFacts]:
        return [self.room.avatar]

    async def open_stream(self, destination: str, header: StreamHeader) -> FakeStream:
        assert destination == self.room.avatar.identity
        stream = FakeStream(header, self.room.close_takes)
        self.room.streams.append(stream)
        self._streams.put_nowait(stream)
        return stream

    async def clear_buffer(self, destination: str) -> ClearAnswer:
        self._cleared.set()
        return self.room.clear_answers.pop(0) if self.room.clear_answers else ClearAnswer.OK

    async def publish_caption(self, speaker: str, line: Line) -> bool:
        return True

    async def _play(self) -> None:
        avatar = self.room.avatar.identity
        while self.room.plays:
            stream = await self._streams.get()
            while not stream.writes and stream.closed_at is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            began = now()
            self._cleared.clear()
            self.listener(ReceiptStarted(avatar, stream.header.segment))
            while self._plays(stream, began):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            position = min(now() - began, stream.seconds)
            self.room.heard.append((stream, position))
            self.listener(ReceiptFinished(avatar, stream.header.segment, position, self._cleared.is_set()))

    def _plays(self, stream: FakeStream, began: float) -> bool:
        return not self._cleared.is_set() and (stream.closed_at is None or now() < began + stream.seconds)
