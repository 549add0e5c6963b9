"""One room: the shell that carries out what ledgers, readiness and presence decide.

Everything here runs on the event loop, and inputs are handled as they come, so a decision is never late. Tasks: one
that waits for the time to act, one a stream, one an RPC, one a join. A room has one ledger an avatar, and one for
segments that were addressed to no one and wait for whichever avatar comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from mouthpiece import profiles
from mouthpiece.errors import (
    AvatarAmbiguous,
    AvatarBoundElsewhere,
    AvatarLeft,
    AvatarTimeout,
    DuplicateIdentity,
    LiveKitUnavailable,
    MouthpieceError,
    RoomClosed,
)
from mouthpiece.playback.commands import Clear, Close, Command, Open, Report, Send, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.profiles import Profile
from mouthpiece.segments import Attempt, Mode, Problem, State
from mouthpiece.wire import ATTR_PUBLISH_ON_BEHALF, CaptionPhase, StreamHeader
from mouthpiece_sender.livekit.connection import (
    ClearAnswer,
    ConnectionBack,
    ConnectionLost,
    Disconnected,
    ParticipantsChanged,
    ReceiptFinished,
    ReceiptStarted,
    RoomConnection,
    RoomEvent,
)
from mouthpiece_sender.livekit.presence import Act, Presence, Whereabouts
from mouthpiece_sender.livekit.readiness import AvatarReadiness, Listening
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi, ParticipantFacts
from mouthpiece_sender.livekit.tokens import sender_token
from mouthpiece_sender.playout.attempt_stream import (
    AttemptStream,
    NotOpened,
    Progress,
    SourceFailed,
    StreamEvent,
    WriteFailed,
)
from mouthpiece_sender.playout.captions import CaptionClock, Line, Outbox, Worded
from mouthpiece_sender.playout.waking import changed_within
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.target import Told

logger = logging.getLogger(__name__)

LOST_GRACE = 1.0
"""Seconds that a connection may be away before what was playing counts as unknown."""
SETTLE = 0.25
"""Seconds from an avatar's leaving, or a broken stream, until it counts: a room that is closed sends its avatar out
first, and says why after."""
FOREVER = 3600.0
"""Seconds ahead, at which all that was sent by now has been played."""
CLOSE_TIMEOUT = 1.5
"""Seconds that the receipt of what was interrupted may take when we leave."""

AVATAR_LEFT = Problem.of(AvatarLeft("The avatar left the room."))
CONNECTION_LOST = Problem.of(LiveKitUnavailable("The connection to LiveKit was lost."))


@dataclass
class _Seat:
    """An avatar's place in the room: its ledger outlives the avatar."""

    identity: str | None
    ledger: Ledger
    sid: str | None = None
    """Of the avatar session that is there; None while nobody is."""
    profile: Profile | None = None
    on_behalf_of: str | None = None
    """The agent whose avatar it is, by its own word."""
    readiness: AvatarReadiness | None = None
    stream: AttemptStream | None = None
    """The last one that was opened."""
    captions: dict[str, CaptionClock] = field(default_factory=dict)
    """Of the segments that play and know their words."""
    outbox: Outbox = field(default_factory=Outbox)
    publishing: bool = False
    """A task publishes what is in the outbox: one at a time, or a caption's end could overtake its beginning."""

    @property
    def profile_name(self) -> str | None:
        return None if self.profile is None else self.profile.name

    @property
    def ready(self) -> bool:
        return self.readiness is not None and self.readiness.state is Listening.YES


@dataclass
class RoomSession:
    """``run`` is its life; the other methods are inputs. ``listener`` hears every report, in order."""

    room: str
    access: LiveKitAccess
    api: LiveKitApi
    identity: str
    name: str
    listener: Callable[[Told], None]
    dormant: Callable[[RoomSession], None]
    """Called when we are out and nothing is left to say: from there on it takes no more inputs, and ``run`` ends."""
    clock: Callable[[], float]
    avatar_timeout: float
    """Seconds that a segment waits for an avatar."""
    warm: float
    """Seconds to stay in a room that has gone quiet."""
    _seats: dict[str | None, _Seat] = field(default_factory=dict)
    _sounds: dict[str, Sound] = field(default_factory=dict)
    _addressee: dict[str, str | None] = field(default_factory=dict)
    _viewers: int | None = None
    _likely_agent: str | None = None
    _connection: RoomConnection | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _lost_at: float | None = None
    _lost_told: bool = False
    """What played when the connection was lost has been ended."""
    _sync_at: float | None = None
    _presence: Presence = field(init=False)
    _tasks: asyncio.TaskGroup = field(init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _landed: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False
    _over: bool = False
    """``run`` has ended: what a ledger says now is told, and nothing else can be done about it."""

    def __post_init__(self) -> None:
        self._presence = Presence(self.warm)

    # What others may ask

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def barred(self) -> bool:
        """Thrown out as a duplicate: it says nothing any more."""
        return self._presence.state is Whereabouts.BARRED

    @property
    def viewers(self) -> int | None:
        """People in the room; None while we are not there."""
        return self._viewers if self.connected else None

    @property
    def idle(self) -> bool:
        return all(seat.ledger.idle for seat in self._seats.values())

    @property
    def seats(self) -> Sequence[tuple[str | None, str | None, bool, Ledger]]:
        """For each avatar: identity, profile's name, whether it listens, its ledger."""
        return [
            (seat.identity, seat.profile_name, seat.ready, seat.ledger)
            for seat in self._seats.values()
            if seat.sid is not None or not seat.ledger.idle
        ]

    def position(self, segment: str) -> float | None:
        """Seconds of a segment that have been played by now; None if it is not on its way."""
        seat = self._holder(segment)
        return seat.ledger.position(segment, self.clock()) if seat else None

    # Inputs

    def submit(self, utterance: Utterance, sound: Sound, avatar: str | None, mode: Mode) -> None:
        """A new segment, for the avatar of that identity or, with None, for the only one there is or will be."""
        self._sounds[utterance.segment] = sound
        self._addressee[utterance.segment] = avatar
        seat = self._seat(avatar if avatar is not None else self._only_avatar())
        if seat.readiness is not None and seat.readiness.state is Listening.ELSEWHERE:
            seat.readiness.again()
        self._do(seat, seat.ledger.enqueue(utterance, mode, self.clock()))
        self._changed.set()

    def cancel(self, segment: str) -> None:
        if seat := self._holder(segment):
            self._do(seat, seat.ledger.cancel(segment, self.clock()))

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        """Stops what plays, of one avatar or of all; ids of the segments that this is about."""
        concerned = []
        for seat in self._seats.values():
            if avatar is None or seat.identity == avatar:
                concerned += seat.ledger.would_end(drop_queued=drop_queued)
                self._do(seat, seat.ledger.interrupt(self.clock(), drop_queued=drop_queued))
        return concerned

    def expect(self) -> None:
        """Something will be said here soon."""
        self._presence.expect(self.clock())
        self._changed.set()

    def give_up(self, problem: Problem) -> None:
        """The room was ended: nothing of what waits will be said."""
        for seat in self._seats.values():
            self._do(seat, seat.ledger.give_up(problem, self.clock()))

    # Life

    async def run(self) -> None:
        """Until ``close``. Every task of the room ends with it, and every open stream is closed."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                while not self._closing:
                    now = self.clock()
                    self._changed.clear()
                    self._tick(now)
                    if self.idle and self._presence.dormant(now):
                        self.dormant(self)
                        break
                    wakeup = self._next_wakeup(now)
                    await changed_within(self._changed, None if wakeup is None else wakeup - self.clock())
                await self._stop_streams()
        finally:
            self._over = True
            await self._disconnect()

    async def close(self, *, drop_queued: bool) -> None:
        """Interrupts what plays, waits a little for its receipt, and lets ``run`` end. What waits is not begun."""
        for seat in self._seats.values():
            seat.ledger.hold()
        self.interrupt(None, drop_queued=drop_queued)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._quiet()
        except TimeoutError:
            pass
        for seat in self._seats.values():
            self._do(seat, seat.ledger.avatar_left(AVATAR_LEFT, self.clock()))
        self.stop()

    def stop(self) -> None:
        """Lets ``run`` end, without waiting for anything."""
        self._closing = True
        self._changed.set()

    async def _quiet(self) -> None:
        """Returns once nothing of ours plays anywhere."""
        while self.connected and not all(seat.ledger.quiet for seat in self._seats.values()):
            self._landed.clear()
            await self._landed.wait()

    def _tick(self, now: float) -> None:
        if self._lost_at is not None and not self._lost_told and now >= self._lost_at + LOST_GRACE:
            self._lost_told = True
            self._all_left(CONNECTION_LOST)
        if self._sync_at is not None and now >= self._sync_at:
            self._sync()
        for identity, seat in list(self._seats.items()):
            if seat.sid is None and seat.ledger.idle:
                del self._seats[identity]  # it was named once, and is not there
                continue
            self._do(seat, seat.ledger.tick(now))
            self._upgrade(seat, now)
            self._caption(seat, now)
            if seat.readiness is not None and self._lost_at is None and seat.ledger.quiet and seat.readiness.due(now):
                seat.readiness.probing()
                self._tasks.create_task(self._probe(seat, seat.readiness), name="probe")
        match self._presence.decide(not self.idle, now):
            case Act.LOOK:
                self._tasks.create_task(self._look(), name="look")
            case Act.JOIN:
                self._tasks.create_task(self._join(), name="join")
            case Act.LEAVE:
                self._tasks.create_task(self._leave(), name="leave")

    def _next_wakeup(self, now: float) -> float | None:
        times = [seat.ledger.next_wakeup(now) for seat in self._seats.values()]
        times.append(self._presence.next_wakeup(not self.idle, now))
        times += [
            max(now, seat.readiness.next_probe)
            for seat in self._seats.values()
            if seat.readiness is not None and seat.readiness.state is Listening.UNKNOWN and seat.ledger.quiet
        ]
        times += [now + wait for seat in self._seats.values() if (wait := _next_caption(seat, now)) is not None]
        if self._lost_at is not None:
            times.append(None if self._lost_told else self._lost_at + LOST_GRACE)
        elif self._sync_at is not None and self.connected:
            times.append(self._sync_at)
        return min((time for time in times if time is not None), default=None)

    # Presence

    async def _look(self) -> None:
        try:
            found = await self.api.participants(self.room)
        except MouthpieceError as error:
            self._absent(Problem.of(error))
            self._presence.failed(self.clock())
        else:
            avatars = [facts for facts in found or () if _profile(facts)]
            viewers = sum(facts.is_viewer for facts in found or ())
            for seat in self._seats.values():
                self._do(seat, seat.ledger.viewers(viewers, self.clock()))
            if found is None:
                self._absent(Problem.of(AvatarTimeout("There is no such room on the LiveKit server.")))
            elif not avatars:
                self._absent(Problem.of(AvatarTimeout("No avatar came into the room in time.")))
            self._presence.looked(bool(avatars), self.clock())
        self._changed.set()

    async def _join(self) -> None:
        token = sender_token(self.access, self.room, self.identity, self.name)
        connection = RoomConnection(self.access, token, self._on_event)
        try:
            await self._stack.enter_async_context(connection)
        except MouthpieceError as error:
            self._absent(Problem.of(error))
            self._presence.failed(self.clock())
        else:
            if connection.connected:
                self._connection = connection
                self._presence.joined()
                self._sync()
            else:  # thrown out again before it was ours
                await self._stack.aclose()
                self._presence.failed(self.clock())
        self._changed.set()

    async def _leave(self) -> None:
        self._all_left(AVATAR_LEFT)  # what comes while we are on our way out waits until we are back
        await self._disconnect()
        self._presence.left(self.clock())
        self._changed.set()

    async def _disconnect(self) -> None:
        self._connection = None
        for seat in self._seats.values():
            seat.sid = seat.profile = seat.readiness = None
        await self._stack.aclose()

    def _absent(self, problem: Problem) -> None:
        for seat in self._seats.values():
            seat.ledger.absence = problem

    # Events of the room

    def _on_event(self, event: RoomEvent) -> None:
        now = self.clock()
        match event:
            case ParticipantsChanged() if self._somebody_left():
                self._sync_at = now + SETTLE
            case ParticipantsChanged():
                self._sync()
            case ConnectionLost():
                self._lost_at = self._lost_at or now
            case ConnectionBack():
                self._found_again()
                self._sync()
            case Disconnected(reason):
                self._on_disconnected(reason, now)
            case ReceiptStarted(caller, segment):
                if seat := self._receipt_seat(caller, segment):
                    self._do(seat, seat.ledger.started(segment, now))
            case ReceiptFinished(caller, segment, position, interrupted):
                if seat := self._receipt_seat(caller, segment):
                    self._do(seat, seat.ledger.finished(segment, position, interrupted, now))
        self._changed.set()

    def _receipt_seat(self, caller: str, segment: str | None) -> _Seat | None:
        """Receipts count only from the avatar that was spoken to, and by id only where it gives ids."""
        seat = self._seats.get(caller)
        if seat is None or seat.profile is None or seat.profile.segment_ids != (segment is not None):
            return None
        return seat

    def _on_disconnected(self, reason: str, now: float) -> None:
        if self._connection is None or reason == "CLIENT_INITIATED":
            return
        duplicate = reason == "DUPLICATE_IDENTITY"
        problem = _disconnect_problem(reason)
        self._connection = None
        self._found_again()
        self._presence.left(now, duplicate=duplicate)
        self._all_left(problem)
        self._absent(problem)
        if duplicate:
            self.give_up(problem)
        self._tasks.create_task(self._disconnect(), name="disconnect")

    def _found_again(self) -> None:
        self._lost_at, self._lost_told = None, False

    def _all_left(self, problem: Problem) -> None:
        for seat in list(self._seats.values()):
            if seat.sid is not None:
                self._gone(seat, problem)

    def _somebody_left(self) -> bool:
        """Whether an avatar that we had is not there any more."""
        if self._connection is None:
            return False
        there = {facts.sid for facts in self._connection.participants()}
        return any(seat.sid is not None and seat.sid not in there for seat in self._seats.values())

    def _sync(self) -> None:
        """Who is there now, against who was."""
        if self._connection is None or self._lost_at is not None:
            return
        now = self.clock()
        self._sync_at = None
        present = self._connection.participants()
        self._likely_agent = next((facts.identity for facts in present if _is_agent(facts)), None)
        self._viewers = sum(facts.is_viewer for facts in present)
        avatars = {facts.identity: (facts, profile) for facts in present if (profile := _profile(facts))}
        for seat in list(self._seats.values()):
            if seat.sid is not None and (seat.identity not in avatars or avatars[seat.identity][0].sid != seat.sid):
                self._gone(seat, AVATAR_LEFT)
        for identity, (facts, profile) in avatars.items():
            seat = self._seat(identity)
            if seat.sid is None:
                seat.sid, seat.profile = facts.sid, profile
                seat.on_behalf_of = facts.attributes.get(ATTR_PUBLISH_ON_BEHALF)
                seat.readiness = AvatarReadiness(profile, now)
                seat.ledger.absence = Problem.of(AvatarTimeout("The avatar is in the room but does not listen to us."))
            elif seat.readiness is not None and seat.readiness.profile != profile:
                seat.profile = profile
                self._upgrade(seat, now)
        for seat in self._seats.values():
            self._do(seat, seat.ledger.viewers(self._viewers, now))
        self._address(avatars)

    def _upgrade(self, seat: _Seat, now: float) -> None:
        """Our own avatar is known by its attribute, which may come after it: once nothing plays, it is taken anew."""
        if seat.readiness is None or seat.profile is None or seat.readiness.profile == seat.profile:
            return
        if seat.ledger.quiet:
            seat.readiness = AvatarReadiness(seat.profile, now)
            self._changed.set()

    def _gone(self, seat: _Seat, problem: Problem) -> None:
        seat.sid = seat.readiness = None
        self._do(seat, seat.ledger.avatar_left(problem, self.clock()))
        seat.profile = None
        # What was addressed to no one in particular may be said by another avatar.
        free = [segment for segment in seat.ledger.queued if self._addressee.get(segment) is None]
        self._move(seat, self._seat(None), free)

    def _address(self, avatars: dict[str, tuple[ParticipantFacts, Profile]]) -> None:
        """Gives what waits for whichever avatar to the one that is there."""
        waiting = self._seats.get(None)
        if waiting is None or waiting.ledger.idle or not avatars:
            return
        if len(avatars) == 1:
            self._move(waiting, self._seat(next(iter(avatars))), waiting.ledger.queued)
        else:
            error = AvatarAmbiguous("Several avatars are in the room: name one with avatar=<identity>.")
            self._do(waiting, waiting.ledger.give_up(Problem.of(error), self.clock()))

    def _move(self, source: _Seat, target: _Seat, segments: Sequence[str]) -> None:
        if source is target:
            return
        for segment in segments:
            source.captions.pop(segment, None)
            if (waiting := source.ledger.withdraw(segment)) is not None:
                self._do(target, target.ledger.admit(waiting, self.clock()))

    # Commands of the ledgers

    def _do(self, seat: _Seat, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Report() as report:
                    self._tell(seat, report)
                case _ if self._over:
                    pass
                case Open(attempt):
                    self._open(seat, attempt)
                case Send(attempt, up_to):
                    if seat.stream is not None and seat.stream.attempt == attempt:
                        seat.stream.grant(up_to)
                case Close(attempt):
                    if seat.stream is not None and seat.stream.attempt == attempt:
                        self._tasks.create_task(seat.stream.stop(), name="stop-stream")
                case Clear():
                    self._tasks.create_task(self._clear(seat), name="clear")
        if commands:
            self._changed.set()

    def _open(self, seat: _Seat, attempt: Attempt) -> None:
        assert seat.identity is not None
        assert seat.profile is not None
        assert self._connection is not None
        sound = self._sounds[attempt.segment]
        profile = seat.readiness.profile if seat.readiness else seat.profile
        rate = profile.sample_rate_for(sound.info.sample_rate)
        header = StreamHeader(rate, 1, attempt.segment if profile.segment_ids else None)
        connection, identity = self._connection, seat.identity
        seat.stream = AttemptStream(
            attempt,
            sound,
            rate,
            lambda: connection.open_stream(identity, header),
            lambda event: self._on_stream(seat, event),
            after=seat.stream,
        )
        seat.stream.start(self._tasks)

    def _on_stream(self, seat: _Seat, event: StreamEvent) -> None:
        now = self.clock()
        match event:
            case Progress(attempt, sent, whole):
                self._do(seat, seat.ledger.progress(attempt, sent, now, whole=whole))
            case NotOpened(attempt, problem):
                self._do(seat, seat.ledger.opened_failed(attempt, problem, now))
            case SourceFailed(attempt, problem):
                self._do(seat, seat.ledger.source_failed(attempt, problem, now))
            case WriteFailed(_, problem):
                self._tasks.create_task(self._broke(seat, seat.sid, problem), name="broken-stream")
        self._changed.set()

    async def _broke(self, seat: _Seat, sid: str | None, problem: Problem) -> None:
        """A stream broke: if nothing else explains it in a moment, the avatar counts as gone."""
        await asyncio.sleep(SETTLE)
        if sid is not None and seat.sid == sid:
            self._gone(seat, problem)
            self._sync()

    def _tell(self, seat: _Seat, report: Report) -> None:
        sound = self._sounds.get(report.segment)
        if report.state.terminal:
            self._sounds.pop(report.segment, None)
            self._addressee.pop(report.segment, None)
        self._caption_report(seat, report, sound)
        self._landed.set()
        self.listener(Told.of(report, sound, avatar=seat.identity, profile=seat.profile_name, viewers=self.viewers))

    def _caption_report(self, seat: _Seat, report: Report, sound: Sound | None) -> None:
        """What a report begins or ends of the captions: a line that is shown must not outlive its sound."""
        clock = seat.captions.get(report.segment)
        if report.state.terminal:
            if clock is not None:
                del seat.captions[report.segment]
                self._publish(seat, clock.over(whole=report.state is State.FINISHED))
        elif report.type == "attempt.ended" and clock is not None:
            self._publish(seat, clock.pause(CaptionPhase.CUT))
        elif report.type == "segment.playing":
            for other in seat.captions.values():
                self._publish(seat, other.pause(CaptionPhase.SAID))
            if clock is None and isinstance(sound, Worded):
                clock = seat.captions[report.segment] = CaptionClock(report.segment, sound)
            if clock is not None:
                clock.begin(report.position)

    def _caption(self, seat: _Seat, now: float) -> None:
        """Publishes the sentences that have begun to play, and the ends of those that have been said."""
        for segment, clock in seat.captions.items():
            if (reach := _reach(seat, segment, now)) is not None:
                self._publish(seat, clock.due(now, *reach))

    def _publish(self, seat: _Seat, lines: Sequence[Line]) -> None:
        if not lines or self._over:
            return
        seat.outbox.put(lines)
        if not seat.publishing:
            seat.publishing = True
            self._tasks.create_task(self._publish_all(seat), name="captions")

    async def _publish_all(self, seat: _Seat) -> None:
        async def publish(line: Line) -> bool:
            if self._connection is None or seat.identity is None:
                return False
            return await self._connection.publish_caption(seat.identity, line)

        try:
            await seat.outbox.drain(publish, lambda: self._closing or self._connection is None)
        finally:
            seat.publishing = False

    async def _clear(self, seat: _Seat) -> None:
        connection, sid = self._connection, seat.sid
        if connection is None or seat.identity is None:
            return
        answer = await connection.clear_buffer(seat.identity)
        if seat.sid == sid:
            self._do(seat, seat.ledger.clear_answered(answer == ClearAnswer.OK, self.clock()))

    async def _probe(self, seat: _Seat, readiness: AvatarReadiness) -> None:
        connection = self._connection
        if connection is None or seat.identity is None:
            return
        answer = await connection.clear_buffer(seat.identity)
        if seat.readiness is not readiness:
            return  # it left, or turned out to be of another kind, meanwhile
        now = self.clock()
        match readiness.answered(answer, now):
            case Listening.YES:
                self._do(seat, seat.ledger.avatar_ready(readiness.profile, now))
            case Listening.ELSEWHERE:
                self._do(seat, seat.ledger.give_up(self._elsewhere(seat), now))
        self._changed.set()

    def _elsewhere(self, seat: _Seat) -> Problem:
        whom = seat.on_behalf_of or self._likely_agent
        likely = f", most likely to the room's agent “{whom}”" if whom else ""
        return Problem.of(
            AvatarBoundElsewhere(
                f"The avatar “{seat.identity}” listens to another sender{likely}. "
                "Start its receiver without a fixed sender, or take that sender's identity with --identity."
            )
        )

    async def _stop_streams(self) -> None:
        for seat in self._seats.values():
            if seat.stream is not None:
                await seat.stream.stop()

    # Seats

    def _seat(self, identity: str | None) -> _Seat:
        if identity not in self._seats:
            self._seats[identity] = _Seat(identity, Ledger(avatar_timeout=self.avatar_timeout))
        return self._seats[identity]

    def _holder(self, segment: str) -> _Seat | None:
        for seat in self._seats.values():
            if segment in seat.ledger.queued or segment in seat.ledger.in_flight:
                return seat
        return None

    def _only_avatar(self) -> str | None:
        there = [seat.identity for seat in self._seats.values() if seat.sid is not None]
        return there[0] if len(there) == 1 else None


def _next_caption(seat: _Seat, now: float) -> float | None:
    """Seconds until a sentence begins, or may count as said."""
    waits = [
        clock.next(now, *reach)
        for segment, clock in seat.captions.items()
        if (reach := _reach(seat, segment, now)) is not None
    ]
    return min((wait for wait in waits if wait is not None), default=None)


def _reach(seat: _Seat, segment: str, now: float) -> tuple[float, float] | None:
    """Seconds of a segment that have been played, and that will have been once all that was sent has."""
    position, known = seat.ledger.position(segment, now), seat.ledger.position(segment, now + FOREVER)
    return None if position is None or known is None else (position, known)


def _profile(facts: ParticipantFacts) -> Profile | None:
    return profiles.recognise(facts.identity, facts.attributes, facts.is_agent)


def _is_agent(facts: ParticipantFacts) -> bool:
    """The room's agent, by the rule of LiveKit's front ends: agent kind, and on nobody's behalf."""
    return facts.is_agent and ATTR_PUBLISH_ON_BEHALF not in facts.attributes and _profile(facts) is None


def _disconnect_problem(reason: str) -> Problem:
    match reason:
        case "DUPLICATE_IDENTITY":
            return Problem.of(
                DuplicateIdentity(
                    "Another sender joined the room under our identity; give one of them another MOUTHPIECE_INSTANCE."
                )
            )
        case "ROOM_CLOSED" | "ROOM_DELETED":
            return Problem.of(RoomClosed(f"LiveKit closed the room ({reason})."))
        case "PARTICIPANT_REMOVED":
            return Problem.of(RoomClosed("We were removed from the room."))
    return Problem.of(LiveKitUnavailable(f"The connection to LiveKit was lost ({reason})."))
