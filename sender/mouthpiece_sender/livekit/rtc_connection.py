"""One join of one room through the LiveKit client SDK: the only file that speaks into rooms with it.

It passes what happens in the room to one listener, as values. It answers the avatars' receipts, makes itself visible
at once, and subscribes to nothing but a track that it was asked to listen to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from livekit import rtc
from livekit.rtc.participant import PublishDataTrackError, PublishTrackError  # not exported at the top

from mouthpiece import wire
from mouthpiece.data_rate import UNINVITED, DataRate
from mouthpiece.errors import LiveKitRefused, LiveKitUnavailable, MayNotPublish
from mouthpiece.room_leave import leave_room
from mouthpiece.wire import CaptionPhase, PlaybackReceipt, Status, StreamHeader
from mouthpiece_sender.livekit.connection import (
    ClearAnswer,
    ConnectionBack,
    ConnectionLost,
    Disconnected,
    Flooded,
    NotAnswered,
    ParticipantsChanged,
    ReceiptArrived,
    RoomEvent,
    TrackSink,
)
from mouthpiece_sender.livekit.server_api import LiveKitAccess, ParticipantFacts
from mouthpiece_sender.livekit.track_listening import listen, packets, voice_of
from mouthpiece_sender.playout.captions import Line

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
"""Seconds."""
RPC_ROUND_TRIP = 2.0
"""Seconds until an avatar must have acknowledged an RPC; the SDK's own 7 s are for relays far away."""
CLEAR_TIMEOUT = 3.0
"""Seconds that the answer to a clear may take."""
STATUS_TIMEOUT = 2.0
"""Seconds that the answer to ``mouthpiece.status`` and ``mouthpiece.leave`` may take."""
CAPTION_TIMEOUT = 2.0
"""Seconds that publishing a caption may take."""
LINGER = 0.3
"""Seconds to stay after the last receipt, until our RPC reply is out: a stock receiver goes deaf after three failed
calls (docs/wire.md, way 3)."""
LEAVE_TIMEOUT = 3.0
"""Seconds."""
RPC_METHODS = (wire.RPC_PLAYBACK_STARTED, wire.RPC_PLAYBACK_FINISHED, wire.RPC_PLAYBACK, wire.RPC_FLOODED)
"""That we answer."""
_LEAVING: set[asyncio.Task[None]] = set()
"""Tasks that leave a room whose join was given up: each ends once its connect has succeeded or failed."""
_SILENT_TOPICS = (wire.SESSION_TOPIC,)
_SILENT_TEXT_TOPICS = ("lk.transcription", "lk.chat", "lk.agent.events", "lk.agent.session")


@dataclass
class RtcConnection:
    """``async with RtcConnection(…) as room:`` joins and leaves.

    :raises LiveKitUnavailable: on entering: the server cannot be reached.
    :raises LiveKitRefused: on entering: it does not accept the token; ``MayNotPublish``: somebody took our right to
        publish data.
    """

    access: LiveKitAccess
    token: str
    listener: Callable[[RoomEvent], None]
    """Called on the event loop; must not block."""
    data_limit: float = 0.0
    """Bytes a second of data that a participant may send before ``Flooded`` says so; 0: any number."""
    new_room: Callable[[], rtc.Room] = rtc.Room
    _room: rtc.Room = field(init=False)
    _presence: rtc.LocalDataTrack | None = None
    _last_receipt: float = float("-inf")
    _may_not_publish: asyncio.Event = field(default_factory=asyncio.Event)
    _data_rate: DataRate = field(init=False)
    _left: bool = False

    def __post_init__(self) -> None:
        self._data_rate = DataRate(self.data_limit)

    async def __aenter__(self) -> Self:
        self._room = self.new_room()
        self._subscribe()
        options = rtc.RoomOptions(auto_subscribe=False)
        connecting = asyncio.create_task(self._room.connect(self.access.url, self.token, options), name="connect")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await asyncio.shield(connecting)
        except rtc.ConnectError as error:
            raise _connect_error(error, self.access.url) from None
        except TimeoutError:
            await self._take_back(connecting)
            raise LiveKitUnavailable(f"LiveKit at {self.access.url} did not answer in time.") from None
        except BaseException:
            await self._take_back(connecting)
            raise
        try:
            self._answer_receipts()
            await self._become_visible_or_refused()
        except (PublishDataTrackError, PublishTrackError, RuntimeError):
            await self._leave()
            raise LiveKitUnavailable(f"LiveKit at {self.access.url} let us in and then broke off.") from None
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    @property
    def connected(self) -> bool:
        return bool(self._room.isconnected())

    def participants(self) -> list[ParticipantFacts]:
        """Every other participant of the room."""
        if not self._room.isconnected():
            return []
        return [
            ParticipantFacts(
                identity=participant.identity,
                sid=participant.sid,
                is_agent=_is_agent(participant),
                attributes=dict(participant.attributes),
                is_viewer=participant.kind
                in (rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, rtc.ParticipantKind.PARTICIPANT_KIND_SIP),
                name=participant.name,
            )
            for participant in self._room.remote_participants.values()
        ]

    async def open_stream(self, destination: str, header: StreamHeader) -> rtc.ByteStreamWriter:
        """Open a byte stream to an avatar. Closing it ends the segment, and it must be closed whatever happens."""
        return await self._room.local_participant.stream_bytes(
            name=wire.STREAM_NAME_PREFIX + uuid.uuid4().hex[:8],
            topic=wire.AUDIO_STREAM_TOPIC,
            destination_identities=[destination],
            attributes=header.attributes(),
        )

    async def clear_buffer(self, destination: str) -> ClearAnswer:
        """Call ``lk.clear_buffer``. Raises nothing."""
        try:
            answer = await self._call(destination, wire.RPC_CLEAR_BUFFER, CLEAR_TIMEOUT)
        except rtc.RpcError as error:
            return ClearAnswer.UNSUPPORTED if _is_unsupported(error) else ClearAnswer.NONE
        return ClearAnswer.REJECT if answer == ClearAnswer.REJECT else ClearAnswer.OK

    async def status(self, destination: str) -> Status | NotAnswered:
        """Call ``mouthpiece.status``. Raises nothing."""
        try:
            return Status.loads(await self._call(destination, wire.RPC_STATUS, STATUS_TIMEOUT))
        except rtc.RpcError as error:
            return NotAnswered.UNSUPPORTED if _is_unsupported(error) else NotAnswered.NONE
        except ValueError:
            logger.warning("a status that cannot be read was ignored")
            return NotAnswered.NONE

    async def ask_to_leave(self, destination: str) -> None:
        """Call ``mouthpiece.leave``. Raises nothing, whatever is answered."""
        with contextlib.suppress(rtc.RpcError):
            await self._call(destination, wire.RPC_LEAVE, STATUS_TIMEOUT)

    async def _call(self, destination: str, method: str, timeout: float) -> str:
        """:raises rtc.RpcError: there was no answer."""
        if self._left:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.SEND_FAILED, "the room has been left")
        return await self._room.local_participant.perform_rpc(
            destination_identity=destination,
            method=method,
            payload="",
            response_timeout=timeout,
            max_round_trip_latency=min(RPC_ROUND_TRIP, 0.75 * timeout),
        )

    def has_voice(self, speaker: str) -> bool:
        """Whether a participant publishes an audio track."""
        return voice_of(self._room, speaker) is not None

    def is_muted(self, speaker: str) -> bool:
        voice = voice_of(self._room, speaker)
        return voice is not None and voice.muted

    async def listen(self, speaker: str, sink: TrackSink) -> None:
        """Subscribe to the audio track of a participant, now or once it publishes one, until cancelled."""
        await listen(self._room, speaker, sink)

    async def packets(self, speaker: str) -> int | None:
        """Count the packets that came over the audio track of a participant that is listened to; None: not known."""
        publication = voice_of(self._room, speaker)
        return None if publication is None or publication.track is None else await packets(publication.track)

    async def publish_caption(self, speaker: str, line: Line) -> bool:
        """Show every viewer what ``speaker`` says now, or that it was said. Returns False if that failed: a lost
        caption is no reason to stop speaking. Raises nothing, and takes at most ``CAPTION_TIMEOUT`` seconds.

        livekit-agents 1.8.9 publishes a transcript that still changes in the same form (``voice/room_io/_output.py``):
        whole text streams of one segment id in the name of the participant that is heard, the last one final. Front
        ends show it beside that participant's track.
        """
        attributes = {
            wire.ATTR_CAPTION: line.id,
            wire.ATTR_CAPTION_FINAL: "false" if line.phase is CaptionPhase.PLAYING else "true",
            wire.ATTR_CAPTION_PHASE: line.phase.value,
        }
        if track := voice_of(self._room, speaker):
            attributes[wire.ATTR_CAPTION_TRACK] = track.sid
        try:
            async with asyncio.timeout(CAPTION_TIMEOUT):
                writer = await self._room.local_participant.stream_text(
                    topic=wire.CAPTION_TOPIC, attributes=attributes, sender_identity=speaker
                )
                try:
                    await writer.write(line.text)
                finally:
                    await writer.aclose()
        except Exception as error:  # the SDK raises bare RuntimeError, StreamError and more here
            logger.debug("a caption was not published: %s", type(error).__name__)
            return False
        return True

    def _subscribe(self) -> None:
        def changed(*_: object) -> None:
            self.listener(ParticipantsChanged())

        def left(participant: rtc.RemoteParticipant) -> None:
            by_itself = participant.disconnect_reason == rtc.DisconnectReason.CLIENT_INITIATED
            self.listener(ParticipantsChanged(participant.sid if by_itself else None))

        def permitted(participant: rtc.Participant, permission: Any) -> None:
            if participant.identity == self._room.local_participant.identity and not permission.can_publish_data:
                self._may_not_publish.set()
                self.listener(Disconnected("MAY_NOT_PUBLISH"))

        self._room.on("participant_permissions_changed", permitted)
        for event in ("participant_connected", "participant_attributes_changed"):
            self._room.on(event, changed)
        self._room.on("participant_disconnected", left)
        self._room.on("reconnecting", lambda: self.listener(ConnectionLost()))
        self._room.on("reconnected", lambda: self.listener(ConnectionBack()))
        self._room.on(
            "disconnected",
            lambda reason: self.listener(Disconnected(rtc.DisconnectReason.Name(reason))),
        )
        self._room.on("data_received", lambda packet: self._count(packet.participant, len(packet.data)))
        self._room.register_byte_stream_handler(wire.AUDIO_STREAM_TOPIC, self._refuse_stream)
        for topic in _SILENT_TOPICS:
            self._room.register_byte_stream_handler(topic, lambda reader, _: reader.close())
        for topic in _SILENT_TEXT_TOPICS:
            self._room.register_text_stream_handler(topic, lambda reader, _: reader.close())

    def _count(self, participant: rtc.RemoteParticipant | None, size: int) -> None:
        if participant is None or _is_agent(participant):
            return
        if self._data_rate.came(participant.identity, size, asyncio.get_running_loop().time()):
            self.listener(Flooded(participant.identity))

    def _refuse_stream(self, reader: rtc.ByteStreamReader, identity: str) -> None:
        reader.close()
        self._count(self._room.remote_participants.get(identity), UNINVITED)

    def _on_flooded(self, data: rtc.RpcInvocationData) -> str:
        """An avatar has more data from a participant than it can take: it is believed as any agent is."""
        caller = self._room.remote_participants.get(data.caller_identity)
        if caller is None or not _is_agent(caller):
            self._count(caller, UNINVITED)
            return "ok"
        try:
            flooded = self._room.remote_participants.get(wire.Flooded.loads(data.payload).identity)
        except ValueError:
            logger.warning("a report of a flood that cannot be read was ignored")
        else:
            if self.data_limit > 0 and flooded is not None and not _is_agent(flooded):
                self.listener(Flooded(flooded.identity))
        return "ok"

    def _answer_receipts(self) -> None:
        """Answer every receipt, whatever it says: three failed calls deafen a stock receiver (docs/wire.md, way 3)."""

        def answer(read: Callable[[str], PlaybackReceipt]) -> Callable[[rtc.RpcInvocationData], str]:
            def received(data: rtc.RpcInvocationData) -> str:
                self._count(self._room.remote_participants.get(data.caller_identity), UNINVITED)
                try:
                    receipt = read(data.payload)
                except ValueError:
                    logger.warning("a receipt that cannot be read was ignored")
                else:
                    self._last_receipt = asyncio.get_running_loop().time()
                    self.listener(ReceiptArrived(data.caller_identity, receipt))
                return "ok"

            return received

        participant = self._room.local_participant
        participant.register_rpc_method(wire.RPC_PLAYBACK_STARTED, answer(PlaybackReceipt.loads_started))
        participant.register_rpc_method(wire.RPC_PLAYBACK_FINISHED, answer(PlaybackReceipt.loads_finished))
        participant.register_rpc_method(wire.RPC_PLAYBACK, answer(PlaybackReceipt.loads))
        participant.register_rpc_method(wire.RPC_FLOODED, self._on_flooded)

    async def _become_visible_or_refused(self) -> None:
        """:raises MayNotPublish: our right to publish data was taken."""
        visible = asyncio.create_task(self._become_visible(), name="become visible")
        refused = asyncio.create_task(self._may_not_publish.wait(), name="may not publish")
        try:
            await asyncio.wait([visible, refused], return_when=asyncio.FIRST_COMPLETED)
            if self._may_not_publish.is_set():
                raise MayNotPublish
            visible.result()
        finally:
            visible.cancel()
            refused.cancel()
            await asyncio.wait([visible, refused])

    async def _become_visible(self) -> None:
        """Publish a data track: livekit-server announces a participant that publishes nothing in batches, every 3 s,
        and one with a track at once (docs/wire.md, way 1). A server without data tracks gets a muted audio track."""
        participant = self._room.local_participant
        try:
            async with asyncio.timeout(RPC_ROUND_TRIP):
                self._presence = await participant.publish_data_track(name="mouthpiece")
        except (PublishDataTrackError, TimeoutError):
            track = rtc.LocalAudioTrack.create_audio_track("mouthpiece", rtc.AudioSource(48_000, 1))
            track.mute()
            await participant.publish_track(track)

    async def _take_back(self, connecting: asyncio.Task[None]) -> None:
        """Leave once ``connecting`` has ended. A connect cannot be cancelled: one that succeeds later leaves a
        participant behind that nobody owns, and the SDK ends the process some seconds after ("timed out waiting for
        ReadyForRoomEventRequest", livekit 1.1.21).
        """

        async def leave_once_joined() -> None:
            with contextlib.suppress(rtc.ConnectError):
                await connecting
                await self._leave()

        leaving = asyncio.create_task(leave_once_joined(), name="leave once joined")
        _LEAVING.add(leaving)
        leaving.add_done_callback(_LEAVING.discard)
        await asyncio.wait([leaving], timeout=LEAVE_TIMEOUT)

    async def _leave(self) -> None:
        if self._room.isconnected():
            await asyncio.sleep(max(0.0, self._last_receipt + LINGER - asyncio.get_running_loop().time()))
        self.listener = _ignore
        try:
            await leave_room(self._room, RPC_METHODS, LEAVE_TIMEOUT)
        except (TimeoutError, RuntimeError):
            logger.warning("leaving the room took too long; the connection was dropped")
        self._left = True
        # Who has been in the room is an object of many circles, which wait for a collection, and that is rare: what the
        # SDK holds of it, 0.7 MB, does not wait.
        self._room, self._presence = rtc.Room(), None


def _ignore(_: RoomEvent) -> None:
    """What happens while a room is left concerns nobody."""


def _is_agent(participant: rtc.RemoteParticipant) -> bool:
    return bool(participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)


def _is_unsupported(error: rtc.RpcError) -> bool:
    return bool(error.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD)


def _connect_error(error: rtc.ConnectError, url: str) -> LiveKitUnavailable | LiveKitRefused:
    text = str(error)
    if "401" in text or "unauthorized" in text.lower() or "invalid token" in text.lower():
        return LiveKitRefused(
            f"LiveKit at {url} does not accept our key and secret: check LIVEKIT_API_KEY and LIVEKIT_API_SECRET."
        )
    return LiveKitUnavailable(f"LiveKit at {url} cannot be reached: check LIVEKIT_URL, and that it runs.")
