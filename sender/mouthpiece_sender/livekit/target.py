"""Avatars in LiveKit rooms."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from mouthpiece.errors import AvatarAmbiguous, MouthpieceError
from mouthpiece.wire import SENDER_IDENTITY_PREFIX, SENDER_NAME
from mouthpiece_sender.livekit.attendance import Attendance, Note, not_noted
from mouthpiece_sender.livekit.avatar_slot import unmarked
from mouthpiece_sender.livekit.connection import ConnectionFactory
from mouthpiece_sender.livekit.joins import Joins
from mouthpiece_sender.livekit.open_streams import OpenStreams
from mouthpiece_sender.livekit.room import RoomSession
from mouthpiece_sender.livekit.rtc_connection import RtcConnection
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.livekit.shared_look import SharedLook
from mouthpiece_sender.livekit.track_checks import TrackChecks
from mouthpiece_sender.playout.driver import Recorded, at_once
from mouthpiece_sender.target import ReportListener, Room, SpeakRequest

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveKitTarget:
    """How long rooms are waited for, and under which identity they are joined. Times are seconds."""

    access: LiveKitAccess
    api: LiveKitApi
    instance: str = "1"
    """Part of our identity in each room: another one for each sender that runs, the same after a restart."""
    identity: str | None = None
    """Replaces the made identity, for a receiver that is bound to a fixed one; use it in one room only."""
    name: str = SENDER_NAME
    avatar_timeout: float = 30.0
    warm: float = 60.0
    clock: Callable[[], float] = time.monotonic
    connect: ConnectionFactory | None = None
    """None: the LiveKit SDK's."""
    data_limit: float = 0.0
    """Bytes of data a second that a participant, no agent, may send into a room; 0: any number."""
    waits_for_livekit: bool = True
    """The time in which LiveKit cannot be reached does not count as time without an avatar."""
    listens: bool = True
    """The audio track of an avatar is listened to while it speaks: always where its own reports prove little, else
    until its track sounds, and again from time to time."""
    note: Note = not_noted
    """Notes what happens in rooms."""
    joins: Joins = field(default_factory=Joins)
    open_streams: OpenStreams | None = None
    """None: the next process need not know which streams this one leaves open."""
    _look: SharedLook = field(init=False, repr=False)
    _checks: TrackChecks = field(init=False, default_factory=TrackChecks, repr=False)

    def __post_init__(self) -> None:
        self._look = SharedLook(self.api, self.clock)

    def room(
        self,
        name: str,
        listener: ReportListener,
        dormant: Callable[[Room], None],
        recorded: Recorded = at_once,
        holder: str = "",
    ) -> RoomSession:
        streams = self.open_streams
        return RoomSession(
            name,
            self.access,
            self._look,
            self.identity or self._identity(name),
            self.name,
            listener,
            dormant,
            self.clock,
            self.avatar_timeout,
            self.warm,
            self.connect or partial(RtcConnection, data_limit=self.data_limit),
            self.waits_for_livekit,
            self.joins.of(holder),
            self._forbid_data,
            recorded,
            Attendance(name, self.note),
            self._checks if self.listens else None,
            unmarked if streams is None else partial(streams.marking, name),
            None if streams is None else streams.left_open_at(name),
        )

    async def admit(self, request: SpeakRequest, rooms: Mapping[str, Room], arriving: Collection[str]) -> None:
        """
        :raises AvatarAmbiguous: several avatars are in the room, and the request names none.
        :raises LiveKitUnavailable: the server cannot be reached.
        :raises LiveKitRefused: it does not accept our key and secret.
        """
        if request.avatar is not None:
            return
        there = rooms.get(request.room)
        if isinstance(there, RoomSession) and there.livekit_is_away:
            return  # we know the room, and what is said in it waits until LiveKit is back
        if there is not None and there.connected:
            identities = [avatar.identity for avatar in there.avatars if avatar.profile is not None]
        else:
            identities = [
                facts.identity for facts in await self.api.participants(request.room) or () if facts.profile is not None
            ]
        if len(identities) > 1:
            names = ", ".join(sorted(str(identity) for identity in identities))
            raise AvatarAmbiguous(f"Several avatars are in the room ({names}): name one with avatar=<identity>.")

    async def _forbid_data(self, room: str, identity: str) -> None:
        try:
            done = await self.api.forbid_data(room, identity)
        except MouthpieceError as error:
            logger.warning("a participant sends more data into its room than it may (MOUTHPIECE_DATA_LIMIT): %s", error)
        else:
            if done:
                logger.warning(
                    "a participant sent more data into its room than it may (MOUTHPIECE_DATA_LIMIT), and has lost the "
                    "right to publish data: what is said there would have come late"
                )

    def _identity(self, room: str) -> str:
        """Another one for each room: a stock receiver keeps handlers by identity, and a clear in one room would clear
        another (docs/wire.md, way 9)."""
        digest = hashlib.sha256(room.encode()).hexdigest()[:8]
        return f"{SENDER_IDENTITY_PREFIX}-{self.instance}-{digest}"
