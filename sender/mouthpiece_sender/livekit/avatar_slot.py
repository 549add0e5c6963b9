"""An avatar's place in a room. Its ledger stays when the avatar leaves, and serves the avatar that comes back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from mouthpiece.errors import AvatarBoundElsewhere, AvatarLeft, AvatarTimeout
from mouthpiece.playback.commands import Report
from mouthpiece.playback.ledger import Ledger
from mouthpiece.playback.receiver import TEST_LENGTH
from mouthpiece.profiles import Profile
from mouthpiece.segments import Attempt, EndedBy, Problem
from mouthpiece.wire import ATTR_AVATAR, ATTR_PUBLISH_ON_BEHALF, AvatarInfo, Status, StreamHeader
from mouthpiece_sender.livekit.caption_publisher import CaptionPublisher
from mouthpiece_sender.livekit.connection import LISTENING_RATE, ClearAnswer, Connection, NotAnswered
from mouthpiece_sender.livekit.listener import Listener
from mouthpiece_sender.livekit.readiness import AvatarReadiness, Listening
from mouthpiece_sender.livekit.server_api import ParticipantFacts
from mouthpiece_sender.livekit.track_checks import TrackChecks
from mouthpiece_sender.playout.attempt_stream import AttemptStream, Writer
from mouthpiece_sender.playout.captions import Line
from mouthpiece_sender.playout.driver import LedgerDriver, PlayoutItem, Recorded, StreamPlan
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.target import AvatarActivity

logger = logging.getLogger(__name__)

NOT_LISTENING: Final = Problem.of(AvatarTimeout("The avatar is in the room but does not listen to us."))
AVATAR_LEFT: Final = Problem.of(AvatarLeft("The avatar left the room."))
RETURN_GRACE: Final = 10.0
"""Seconds in which an avatar that LiveKit lost may come back and say what it played."""

Opening = Callable[[], Awaitable[Writer]]
"""Opens a stream."""
Marking = Callable[[Opening], Opening]
"""Wraps what opens a stream to a receiver that goes deaf if its sender is killed meanwhile."""


def unmarked(open: Opening) -> Opening:
    """A ``Marking`` for a process that no other one goes on with."""
    return open


def session_of(facts: ParticipantFacts) -> str:
    """Return the name of an avatar's session: our own avatar gives it, and keeps it when it reconnects."""
    try:
        return AvatarInfo.loads(facts.attributes.get(ATTR_AVATAR, "")).session or facts.sid
    except ValueError:
        return facts.sid


class AvatarSlot:
    """The transport of its own driver: it knows who the avatar is, whether it listens, and how it is reached."""

    def __init__(
        self,
        identity: str | None,
        ledger: Ledger,
        *,
        connection: Callable[[], Connection | None],
        listener: Callable[[AvatarSlot, Report, PlayoutItem], None],
        on_broken: Callable[[AvatarSlot, Problem], None],
        on_call: Callable[[bool], None],
        leaving: Callable[[], bool],
        clock: Callable[[], float],
        changed: asyncio.Event,
        tasks: asyncio.TaskGroup,
        recorded: Recorded,
        checks: TrackChecks | None = None,
        marking: Marking = unmarked,
    ) -> None:
        """
        :param identity: the avatar's; None: a slot for segments that are addressed to no avatar in particular.
        :param connection: returns the room's connection, None while there is none.
        :param on_broken: called when a stream of ours did not take the audio.
        :param on_call: called with whether the avatar answered, after each call while it was shown in the room.
        :param changed: set whenever the room should decide again.
        :param checks: of the service, among which the avatar is listened to; None: it is not.
        """
        self.identity = identity
        self._facts: ParticipantFacts | None = None
        """Of the avatar that is present; None while there is none."""
        self.readiness: AvatarReadiness | None = None
        self.likely_agent: str | None = None
        """The room's agent, as far as the room knows."""
        self._returns_by: float | None = None
        """When an avatar that LiveKit lost counts as gone."""
        self._connection = connection
        self._report = listener
        self._marking = marking
        self._on_broken = on_broken
        self._on_call = on_call
        self._clock = clock
        self._changed = changed
        self._tasks = tasks
        self._listener = Listener(
            identity,
            self._pass_on,
            lambda heard: self.driver.judged(heard),
            checks=checks,
            connection=connection,
            clock=clock,
            changed=changed,
            tasks=tasks,
        )
        self.driver = LedgerDriver(ledger, self, self._on_report, clock, changed, tasks, recorded)
        self.captions = CaptionPublisher(self._publish, self.driver.reach, leaving, tasks)

    # Queries

    @property
    def sid(self) -> str | None:
        """Of the avatar that is present; None while there is none."""
        return None if self._facts is None else self._facts.sid

    @property
    def session(self) -> str:
        """Of the avatar that is present; empty while there is none."""
        return "" if self._facts is None else session_of(self._facts)

    @property
    def profile(self) -> Profile | None:
        return None if self._facts is None else self._facts.profile

    @property
    def answers_status(self) -> bool:
        """The avatar is there, and can be asked later what it played."""
        return self.readiness is not None and self.readiness.profile.status

    @property
    def profile_name(self) -> str | None:
        return None if self.profile is None else self.profile.name

    @property
    def idle(self) -> bool:
        """Nothing is queued, and nothing awaits its end or its verdict."""
        return self.driver.ledger.idle and not self._listener.pending

    @property
    def matters(self) -> bool:
        """Its avatar is in the room, something waits for it, or it may be deaf when it is back."""
        return self.sid is not None or not self.idle or self.driver.ledger.may_be_deafened

    @property
    def quiet(self) -> bool:
        """Nothing of ours may be playing, or awaits its verdict."""
        return self.driver.ledger.quiet and not self._listener.pending

    @property
    def plays_unasked(self) -> bool:
        """Something of ours may be playing at an avatar that cannot be asked later what it played."""
        return self.readiness is not None and not self.answers_status and not self.driver.ledger.quiet

    @property
    def sounded_at(self) -> float:
        """When there was sound on the avatar's track last, as far as it was listened to."""
        return self._listener.sounded_at

    def position(self, segment: str) -> float | None:
        """Seconds of a segment that have been played by now; None if it is not on its way."""
        position = self.driver.position(segment)
        return self._listener.position(segment) if position is None else position

    @property
    def activity(self) -> AvatarActivity:
        listens = self.readiness is not None and self.readiness.state is Listening.YES
        ready = listens and not self.driver.ledger.deaf
        return AvatarActivity.of(self.identity, self.profile_name, ready, self.driver.ledger, self.driver.lag)

    # The avatar comes, changes and leaves

    def arrive(self, facts: ParticipantFacts) -> None:
        assert facts.profile is not None
        self._listener.forget()
        self._facts, self._returns_by = facts, None
        self.readiness = AvatarReadiness(facts.profile, self._clock())
        self.driver.ledger.absence = NOT_LISTENING

    def change(self, facts: ParticipantFacts) -> None:
        """Its attributes have changed."""
        self._facts = facts
        self._greet_anew()

    def _greet_anew(self) -> None:
        """Begin anew with the avatar's present profile, once nothing plays: our own avatar is known by an attribute
        that may come after the avatar."""
        facts, readiness = self._facts, self.readiness
        if facts is None or readiness is None or readiness.recognised == facts.profile or not self.quiet:
            return
        self.driver.avatar_left(AVATAR_LEFT)
        self.arrive(facts)
        self._changed.set()

    def leave(self, problem: Problem, by: EndedBy = EndedBy.AVATAR) -> None:
        """It left for good."""
        self._forget()
        self.driver.avatar_left(problem, by)

    def vanish(self, problem: Problem) -> None:
        """LiveKit lost it. If the same session comes back, it is asked what it played; it has ``RETURN_GRACE``."""
        self._forget()
        self.driver.connection_lost(problem)
        self.driver.connection_back()
        self.driver.ledger.absence = problem
        self.miss()

    def miss(self) -> None:
        """It is not in the room. If it left while we were away it may still come back, for ``RETURN_GRACE``."""
        if self._returns_by is None and not self.quiet:
            self._returns_by = self._clock() + RETURN_GRACE

    def lose_connection(self, problem: Problem) -> None:
        """LiveKit is away, and the avatar with it. The ledger decides what has to be asked when it is back."""
        self._forget()
        self.driver.connection_lost(problem)

    def _forget(self) -> None:
        self._listener.flush()
        self._facts = self.readiness = self._returns_by = None

    @property
    def next_wakeup(self) -> float | None:
        now = self._clock()
        times = (
            self.driver.next_wakeup,
            self.captions.next_wakeup(now),
            self._listener.next_wakeup(now),
            self._returns_by,
        )
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> None:
        if self._returns_by is not None and now >= self._returns_by:
            self.leave(AVATAR_LEFT)
        self.driver.tick(now)
        self._listener.tick(now, playing=not self.driver.ledger.quiet)
        self._greet_anew()
        self.captions.tick(now)

    # Readiness

    def ask_again(self) -> None:
        """Probe once more an avatar that listened to another sender."""
        if self.readiness is not None and self.readiness.state is Listening.ELSEWHERE:
            self.readiness.again()

    @property
    def next_probe(self) -> float | None:
        """When to ask the avatar whether it listens to us; None: not now."""
        if self.readiness is None or self.readiness.state is not Listening.UNKNOWN:
            return None
        return self.readiness.next_probe

    def probe(self) -> None:
        """Begin to ask the avatar whether it listens to us."""
        assert self.readiness is not None
        self.readiness.probing()
        self._tasks.create_task(self._probe(self.readiness), name="probe")

    async def _probe(self, readiness: AvatarReadiness) -> None:
        connection = self._connection()
        if connection is None or self.identity is None:
            return
        if readiness.profile.status:
            status = await connection.status(self.identity)
            answered, decide = status is not NotAnswered.NONE, partial(readiness.reported, status)
        else:
            answer = await connection.clear_buffer(self.identity)
            answered, decide = answer is not ClearAnswer.NONE, partial(readiness.answered, answer)
        if self.readiness is readiness:
            self._on_call(answered)
        if self.readiness is not readiness:
            return  # it left, got another profile, or the connection is made anew
        match decide(self._clock()):
            case Listening.YES:
                self.driver.avatar_ready(readiness.profile, self.session)
            case Listening.ELSEWHERE:
                self.driver.give_up(self._bound_elsewhere())
        self._changed.set()

    def _bound_elsewhere(self) -> Problem:
        facts = self._facts
        agent = (facts and facts.attributes.get(ATTR_PUBLISH_ON_BEHALF)) or self.likely_agent
        likely = f", most likely to the room's agent “{agent}”" if agent else ""
        return Problem.of(
            AvatarBoundElsewhere(
                f"The avatar “{self.identity}” listens to another sender{likely}. "
                "Start its receiver without a fixed sender, or take the identity of the sender that it is bound to "
                "(MOUTHPIECE_SENDER_IDENTITY, --identity), unless that is the agent: LiveKit would throw the agent out."
            )
        )

    # The driver's transport

    def open(self, attempt: Attempt, sound: Sound) -> StreamPlan:
        connection, identity = self._connection(), self.identity
        profile = self.readiness.profile if self.readiness else self.profile
        assert connection is not None
        assert identity is not None
        assert profile is not None
        rate = profile.sample_rate_for(sound.info.sample_rate)
        named = profile.segment_ids
        header = StreamHeader(rate, 1, attempt.segment if named else None, attempt.number if named else None)
        stream: Opening = partial(connection.open_stream, identity, header)
        if not profile.status:
            stream = self._marking(stream)
        return StreamPlan(rate, self._listener.noting(attempt, rate, stream, profile.track_check))

    async def clear(self, stream: AttemptStream | None) -> bool | None:
        connection, readiness = self._connection(), self.readiness
        if connection is None or self.identity is None or readiness is None:
            return None
        answer = await connection.clear_buffer(self.identity)
        return answer is ClearAnswer.OK if self.readiness is readiness else None

    async def send_silence(self) -> None:
        connection, identity, readiness = self._connection(), self.identity, self.readiness
        if connection is None or identity is None or readiness is None:
            return
        header = StreamHeader(readiness.profile.sample_rate or LISTENING_RATE, 1)
        try:
            writer = await self._marking(partial(connection.open_stream, identity, header))()
            try:
                await writer.write(bytes(2 * round(TEST_LENGTH * header.sample_rate)))
            finally:
                await writer.aclose()
        except Exception as error:  # the SDK raises bare RuntimeError, StreamError and more here
            logger.debug("a silence was not sent: %s", type(error).__name__)

    async def status(self) -> Status | None:
        connection, readiness = self._connection(), self.readiness
        if connection is None or self.identity is None or readiness is None:
            return None
        answer = await connection.status(self.identity)
        if self.readiness is readiness:
            self._on_call(answer is not NotAnswered.NONE)
        return answer if isinstance(answer, Status) else None

    def broken(self, problem: Problem) -> None:
        self._on_broken(self, problem)

    # Reports and captions

    def _on_report(self, report: Report, item: PlayoutItem) -> None:
        self._listener.on_report(report, item)

    def _pass_on(self, report: Report, item: PlayoutItem) -> None:
        self.captions.on_report(report, item.sound)
        self._report(self, report, item)

    async def _publish(self, line: Line) -> bool:
        connection = self._connection()
        if connection is None or self.identity is None:
            return False
        return await connection.publish_caption(self.identity, line)

    async def close(self) -> None:
        """The room ends. Returns once the stream is closed, if one is open."""
        self._listener.flush()
        await self.driver.close_stream()

    def detach(self) -> None:
        """The room has ended: from now on only reports are passed on."""
        self._listener.flush()
        self.driver.detach()
        self.captions.detach()
