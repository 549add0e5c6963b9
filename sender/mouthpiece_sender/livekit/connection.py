"""What a room session needs of a connection to its room, and the values that come out of one.

``rtc_connection.py`` is the real one; tests hand in another.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from mouthpiece import wire
from mouthpiece.errors import DuplicateIdentity, LiveKitUnavailable, MayNotPublish, RoomClosed
from mouthpiece.segments import Problem
from mouthpiece.wire import PlaybackReceipt, Status, StreamHeader
from mouthpiece_sender.livekit.server_api import LiveKitAccess, ParticipantFacts
from mouthpiece_sender.playout.attempt_stream import Writer
from mouthpiece_sender.playout.captions import Line

LISTENING_RATE: Final = 16_000
"""Hertz of what is heard on a track."""
TrackSink = Callable[[npt.NDArray[np.int16] | None], None]
"""Takes the mono samples of a track as they come, and None before the first of each subscription."""
CONNECTION_LOST: Final = Problem.of(LiveKitUnavailable("The connection to LiveKit was lost."))


@dataclass(frozen=True, slots=True)
class ParticipantsChanged:
    """A participant joined, left or changed its attributes: call ``participants()`` again."""

    gone: str | None = None
    """SID of one that left by itself; one that LiveKit lost may come back."""


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The SDK is reconnecting; nothing reaches the room meanwhile."""


@dataclass(frozen=True, slots=True)
class ConnectionBack:
    """The SDK has reconnected."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """For good. ``reason`` is LiveKit's name for it, e.g. ``DUPLICATE_IDENTITY`` or ``ROOM_CLOSED``; ours is
    ``MAY_NOT_PUBLISH``: without the right to publish data nothing can be said there."""

    reason: str

    @property
    def ends_room(self) -> bool:
        """The room was ended, or we were thrown out: nothing that was sent there can be asked for."""
        return self.reason in ("ROOM_CLOSED", "ROOM_DELETED", "PARTICIPANT_REMOVED")

    @property
    def problem(self) -> Problem:
        """The problem that segments are reported with."""
        match self.reason:
            case "DUPLICATE_IDENTITY":
                return Problem.of(
                    DuplicateIdentity(
                        "Another sender joined the room under our identity; "
                        "give one of them another MOUTHPIECE_INSTANCE."
                    )
                )
            case "ROOM_CLOSED" | "ROOM_DELETED":
                return Problem.of(RoomClosed(f"LiveKit closed the room ({self.reason})."))
            case "MAY_NOT_PUBLISH":
                return Problem.of(MayNotPublish())
            case "PARTICIPANT_REMOVED":
                return Problem.of(RoomClosed("We were removed from the room."))
        return Problem.of(LiveKitUnavailable(f"The connection to LiveKit was lost ({self.reason})."))


@dataclass(frozen=True, slots=True)
class ReceiptArrived:
    """An avatar reports that it began to play a stream, or ended one."""

    caller: str
    receipt: PlaybackReceipt


@dataclass(frozen=True, slots=True)
class Flooded:
    """A participant that is no agent sends more data into the room than it may."""

    identity: str


RoomEvent = ParticipantsChanged | ConnectionLost | ConnectionBack | Disconnected | ReceiptArrived | Flooded


class ClearAnswer(enum.StrEnum):
    """The outcomes of a call of ``lk.clear_buffer``: two payloads, and two kinds of failure."""

    OK = wire.CLEAR_OK
    REJECT = wire.CLEAR_REJECT
    UNSUPPORTED = "unsupported"
    NONE = "none"


class NotAnswered(enum.Enum):
    """A call of ``mouthpiece.status`` that brought no status."""

    UNSUPPORTED = "unsupported"
    """The participant has no such method: it is there, and of an earlier version."""
    NONE = "none"


class Connection(Protocol):
    """One join of one room, for as long as its context lasts.

    :raises LiveKitUnavailable: on entering: the server cannot be reached.
    :raises LiveKitRefused: on entering: it does not accept the token.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def connected(self) -> bool: ...

    def participants(self) -> list[ParticipantFacts]:
        """Every other participant of the room."""
        ...

    async def open_stream(self, destination: str, header: StreamHeader) -> Writer:
        """Open a byte stream to an avatar. Closing it ends the segment, and it must be closed whatever happens."""
        ...

    async def clear_buffer(self, destination: str) -> ClearAnswer:
        """Call ``lk.clear_buffer``. Raises nothing."""
        ...

    async def status(self, destination: str) -> Status | NotAnswered:
        """Call ``mouthpiece.status``. Raises nothing."""
        ...

    async def ask_to_leave(self, destination: str) -> None:
        """Call ``mouthpiece.leave``. Raises nothing, whatever is answered."""
        ...

    def has_voice(self, speaker: str) -> bool:
        """Whether a participant publishes an audio track."""
        ...

    def is_muted(self, speaker: str) -> bool:
        """Whether that track is muted."""
        ...

    async def listen(self, speaker: str, sink: TrackSink) -> None:
        """Subscribe to the audio track of a participant, now or once it publishes one, until cancelled."""
        ...

    async def packets(self, speaker: str) -> int | None:
        """Count the packets that came over the audio track of a participant that is listened to; None: not known."""
        ...

    async def publish_caption(self, speaker: str, line: Line) -> bool:
        """Show every viewer a caption of ``speaker``; False if it was lost. Bounded in time; raises nothing."""
        ...


ConnectionFactory = Callable[[LiveKitAccess, str, Callable[[RoomEvent], None]], Connection]
"""Makes a connection from the server's address, a token, and a listener that is called on the event loop."""
