"""One avatar in one room, from joining to leaving."""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections.abc import Callable, Coroutine

from livekit import rtc

from mouthpiece import wire
from mouthpiece.errors import LiveKitRefused, LiveKitUnavailable, RoomError
from mouthpiece.receiving.ended_streams import EndedStreams
from mouthpiece.receiving.stream_receiver import StreamReceiver, agent_kind
from mouthpiece_avatar.alone import Alone
from mouthpiece_avatar.calls import RoomCalls
from mouthpiece_avatar.closing_room import ClosingRoom
from mouthpiece_avatar.conduct import Conduct, SessionParts
from mouthpiece_avatar.data_floods import DataFloods
from mouthpiece_avatar.hosting import SessionInfo
from mouthpiece_avatar.livekit_address import LiveKitAddress
from mouthpiece_avatar.playout import Finished, PlayoutQueue, Started
from mouthpiece_avatar.publisher import MediaPublisher
from mouthpiece_avatar.receipts import Receipts
from mouthpiece_avatar.renderer import Renderer
from mouthpiece_avatar.token import Claims

logger = logging.getLogger(__name__)

JOIN_WITHIN = 20.0
"""Seconds to be in the room with both tracks published."""
ABSENCE = 60.0
"""Seconds without LiveKit after which a session ends: it cannot renew its token."""
LEAVE_WITHIN = 5.0
"""Seconds that leaving the room may take."""
ANSWER_OUT = 0.2
"""Seconds for an answer and an attribute to be out before the avatar leaves."""


BY_LIVEKIT = "LiveKit: "
"""How the reason begins of a session whose room was closed by LiveKit, or which was removed from it."""


class SessionState(enum.Enum):
    """``JOINING`` → ``LIVE`` (⇄ ``ABSENT``) → ``ENDED``. Written by :class:`Session` alone."""

    JOINING = "joining"
    LIVE = "live"
    ABSENT = "absent"
    """The connection to LiveKit is lost; the SDK tries to restore it."""
    ENDED = "ended"


class Session:
    """Call ``run`` once, as a task; the other methods may be called while it runs. Owns ``renderer``."""

    def __init__(
        self,
        session_id: str,
        request: wire.StartAvatar,
        claims: Claims,
        renderer: Renderer,
        *,
        conduct: Conduct | None = None,
        alone: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """:param alone: seconds after which it leaves a room in which nobody else is; 0 is never."""
        self.id = session_id
        self.claims = claims
        self.avatar = request.avaluma_avatar_id
        self.state = SessionState.JOINING
        self.reason = ""
        """Why it ended."""
        self.joined = asyncio.Event()
        """Set once the avatar is in the room, seen, and listens."""
        self._conduct = Conduct() if conduct is None else conduct
        self.playout = PlayoutQueue(acknowledged=self._conduct.acknowledged)
        self._request = request
        self._renderer = renderer
        self._clock = clock
        self._requested_at = clock()
        self._ending = asyncio.Event()
        self._absence: asyncio.TimerHandle | None = None
        self._late_leave: asyncio.Task[None] | None = None
        """Leaves the room again when a connect that was given up succeeds after all."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = rtc.Room()
        self._closing = ClosingRoom(self._room, self._on_room_closes)
        self._alone = Alone(self._room, alone, lambda: self.end(f"it was alone in its room for {alone:g} s"))
        self.receipts = Receipts(self._perform_rpc, spawn=self._spawn, present=self._present)
        self._floods = DataFloods(self._room, self._call, spawn=self._spawn, clock=clock)
        self._ended_streams = EndedStreams()
        self.publisher = MediaPublisher(
            self.playout,
            renderer,
            clock=clock,
            report=self._report,
            track=self._conduct.track,
            acknowledged=self._conduct.acknowledged,
        )
        parts = SessionParts(self.playout, self.receipts, self.publisher.wake, self._spawn, self.end)
        self.receiver = StreamReceiver(
            self._conduct.sink(parts),
            is_agent=lambda identity: agent_kind(self._room, identity),
            spawn=self._spawn,
            changed=self.publisher.wake,
            uninvited=self._floods.uninvited,
        )
        self._calls = RoomCalls(
            self._conduct,
            is_agent=lambda identity: agent_kind(self._room, identity),
            clear=self.receiver.clear,
            status=self.status,
            leave=lambda: self._spawn(self._leave_in_peace("a sender asked it to leave")),
            set_mood=renderer.set_mood,
            uninvited=self._floods.uninvited,
        )

    async def run(self) -> None:
        """Join, speak what comes, and leave when :meth:`end` is called or the connection ends for good.

        :raises RoomError: it could not join, or was ended before it had joined.
        """
        self._listen()
        try:
            await self._join_unless_ended()
        except BaseException:
            await self._leave("could not join")
            raise
        try:
            async with asyncio.TaskGroup() as tasks:
                publisher = tasks.create_task(self.publisher.run())
                self._set_state(SessionState.LIVE)
                self.joined.set()
                await self._ending.wait()
                publisher.cancel()
        finally:
            await self._leave(self.reason or "failed")

    def end(self, reason: str) -> None:
        """Make ``run`` leave the room. The first reason is kept."""
        self.reason = self.reason or reason
        self._ending.set()

    def is_same_place(self, request: wire.StartAvatar, claims: Claims) -> bool:
        """Whether ``request`` asks for the same identity in the same room of the same server."""
        servers = [LiveKitAddress.parse(asked.livekit_url) for asked in (self._request, request)]
        return self.claims == claims and servers[0] == servers[1]

    def status(self, sender: str) -> wire.Status:
        """Return what became of the streams of ``sender``, an identity, that carried the id of a segment."""
        self.playout.advance(self._clock())
        streams = self.playout.streams(sender)
        playing = next((stream for stream in streams if stream.started), None)
        waiting = [stream.header for stream in streams if stream is not playing] + self.receiver.held(sender)
        return wire.Status(
            None
            if playing is None or playing.header.segment is None
            else wire.StatusPlaying(playing.header.segment, playing.position, playing.header.attempt),
            tuple(header.segment for header in waiting if header.segment is not None),
            self._ended_streams.of(sender),
        )

    def info(self) -> SessionInfo:
        return SessionInfo(
            self.id,
            self.claims.room,
            self.claims.identity,
            self.avatar,
            self.state.value,
            self.playout.speaking,
            self.publisher.pictures.drawn,
            round(self.playout.backlog, 3),
            round(self._clock() - self._requested_at, 3),
        )

    # -- joining and leaving -----------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Register what must be there before connecting: a stream may come with the first packet."""
        room = self._room
        self.receiver.register(room)
        room.register_byte_stream_handler(wire.SESSION_TOPIC, lambda reader, _: reader.close())
        room.on("data_received", self._floods.came)
        room.on("participant_connected", lambda _: self._look())
        room.on("participant_disconnected", self._on_participant_left)
        room.on("local_track_subscribed", self.publisher.pictures.subscribed)
        room.on("local_track_republished", lambda publication, _: self.publisher.pictures.republished(publication))
        room.on("reconnecting", self._on_reconnecting)
        room.on("reconnected", self._on_reconnected)
        room.on("disconnected", self._on_disconnected)

    async def _join_unless_ended(self) -> None:
        """:raises RoomError: it could not join, did not within ``JOIN_WITHIN``, or was ended before it had joined."""
        joining = asyncio.create_task(self._join(), name="join")
        ending = asyncio.create_task(self._ending.wait(), name="end of the session")
        try:
            await asyncio.wait({joining, ending}, timeout=JOIN_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            if joining.done():
                joining.result()
            elif ending.done():
                raise RoomError(f"the avatar was called back before it had joined: {self.reason}")
            else:
                self.reason = "could not join in time"
                raise LiveKitUnavailable(f"LiveKit did not let the avatar in within {JOIN_WITHIN:g} seconds")
        finally:
            joining.cancel()
            ending.cancel()
            await asyncio.gather(joining, ending, return_exceptions=True)

    async def _join(self) -> None:
        await self._conduct.before_joining()
        options = rtc.RoomOptions(auto_subscribe=False, dynacast=True, connect_timeout=5.0)
        connecting = asyncio.create_task(self._connect(options))
        try:
            await asyncio.shield(connecting)
        except rtc.ConnectError as error:
            raise _refusal(error) from None
        except BaseException:
            self._late_leave = asyncio.create_task(self._take_back(connecting), name="leave once joined")
            self._late_leave.add_done_callback(self._done)
            raise
        for identity in self._room.remote_participants:
            self.receiver.participant_announced(identity)
        self._look()
        await self.publisher.publish(self._room.local_participant)
        await self._announce_listening()

    async def _connect(self, options: rtc.RoomOptions) -> None:
        """Connect, and register the methods before the loop is free to deliver a call: a room has none without a
        connection."""
        await self._room.connect(self._request.livekit_url, self._request.livekit_token, options)
        self._calls.register(self._room.local_participant)

    async def _announce_listening(self) -> None:
        """Set our attribute beside those of the token: the avatar listens.

        Without the grant ``can_update_own_metadata``, which Avaluma's plugin does not give, livekit-server ignores
        this, and senders treat the avatar as one of Avaluma's.
        """
        if not self._conduct.announces:
            return
        info = wire.AvatarInfo(avatar=self.avatar, session=self.id)
        await self._room.local_participant.set_attributes({wire.ATTR_AVATAR: info.dumps()})

    async def _leave(self, reason: str) -> None:
        self.reason = self.reason or reason
        self._set_state(SessionState.ENDED)
        self._closing.stop()
        self._alone.stop()
        if self._absence is not None:
            self._absence.cancel()
        await self._cancel_tasks()
        if self._late_leave is None:
            await self._disconnect()
        else:
            await asyncio.wait(
                {self._late_leave}, timeout=LEAVE_WITHIN
            )  # it is not cancelled after that, see _take_back
        await self._cancel_tasks()  # streams may have come while leaving
        try:
            await self.publisher.aclose()
        finally:
            await self._renderer.aclose()

    async def _take_back(self, connecting: asyncio.Task[None]) -> None:
        """Wait for a connect that was given up, and disconnect.

        A connect that is cancelled and succeeds leaves a participant in the room, and the SDK ends the process some
        seconds later ("timed out waiting for ReadyForRoomEventRequest", livekit 1.1.21).
        """
        try:
            await connecting
        except rtc.ConnectError:
            return
        await self._disconnect()

    async def _disconnect(self) -> None:
        try:
            async with asyncio.timeout(LEAVE_WITHIN):
                await self._room.disconnect()
        except TimeoutError:
            logger.warning("LiveKit did not answer when the avatar left", extra={"session": self.id})

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- events of the room ------------------------------------------------------------------------------------------

    def _on_participant_left(self, participant: rtc.RemoteParticipant) -> None:
        self.receipts.gone(participant.identity)
        self._look()

    def _look(self) -> None:
        self._closing.look()
        self._alone.look()

    def _on_room_closes(self) -> None:
        if self.state is SessionState.LIVE:  # otherwise the viewers may be there by now
            self._spawn(self._leave_in_peace("its room is about to close: no viewer is left"))

    def _on_reconnecting(self) -> None:
        self._set_state(SessionState.ABSENT)
        if self._absence is None:
            loop = asyncio.get_running_loop()
            self._absence = loop.call_later(ABSENCE, self.end, "LiveKit was away for too long")

    def _on_reconnected(self) -> None:
        if self._absence is not None:
            self._absence.cancel()
            self._absence = None
        self._set_state(SessionState.LIVE)
        self._look()
        self._spawn(self._announce_listening())  # a full reconnect makes a new participant, with the token's attributes

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self.end(BY_LIVEKIT + rtc.DisconnectReason.Name(reason).lower().replace("_", " "))

    async def _leave_in_peace(self, reason: str) -> None:
        """Say that this is meant, so that the worker does not start the avatar again at once, and leave."""
        try:
            async with asyncio.timeout(ANSWER_OUT):
                await self._room.local_participant.set_attributes({wire.ATTR_LEAVING: "true"})
                await asyncio.sleep(ANSWER_OUT)
        except TimeoutError:
            pass  # the answer to the caller is out
        self.end(reason)

    def _report(self, event: Started | Finished) -> None:
        if isinstance(event, Finished):
            self._ended_streams.record(event.stream, event.stream.position, interrupted=event.interrupted)
        self._conduct.report(event, self.receipts)

    # -- for the parts -----------------------------------------------------------------------------------------------

    def _set_state(self, state: SessionState) -> None:
        if self.state is not SessionState.ENDED:
            self.state = state

    def _present(self, identity: str) -> bool:
        return identity in self._room.remote_participants

    async def _perform_rpc(
        self, *, destination_identity: str, method: str, payload: str, response_timeout: float | None
    ) -> str:
        return await self._room.local_participant.perform_rpc(
            destination_identity=destination_identity,
            method=method,
            payload=payload,
            response_timeout=response_timeout,
        )

    async def _call(self, identity: str, method: str, payload: str, timeout: float) -> str:
        return await self._perform_rpc(
            destination_identity=identity, method=method, payload=payload, response_timeout=timeout
        )

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a stream or a receipt failed", exc_info=error, extra={"session": self.id})


def _refusal(error: rtc.ConnectError) -> RoomError:
    """The SDK raises one error for everything; the status in its message separates a wrong token from a server away."""
    message = str(error.message)
    if any(status in message for status in ("401", "403", "Unauthorized", "unauthorized", "invalid token")):
        return LiveKitRefused("LiveKit did not accept the token: key and secret must be those of that server")
    return LiveKitUnavailable("LiveKit cannot be reached at the address that was given: is it running?")
