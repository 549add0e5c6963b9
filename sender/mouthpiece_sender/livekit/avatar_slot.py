"""An avatar's place in a room. Its ledger stays when the avatar leaves, and serves the avatar that comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from mouthpiece.errors import AvatarBoundElsewhere, AvatarTimeout
from mouthpiece.playback.commands import Report
from mouthpiece.playback.ledger import Ledger
from mouthpiece.profiles import Profile
from mouthpiece.segments import Attempt, Problem
from mouthpiece.wire import ATTR_PUBLISH_ON_BEHALF, StreamHeader
from mouthpiece_sender.livekit.caption_publisher import CaptionPublisher
from mouthpiece_sender.livekit.connection import ClearAnswer, Connection
from mouthpiece_sender.livekit.readiness import AvatarReadiness, Listening
from mouthpiece_sender.livekit.server_api import ParticipantFacts
from mouthpiece_sender.playout.attempt_stream import AttemptStream
from mouthpiece_sender.playout.captions import Line
from mouthpiece_sender.playout.driver import LedgerDriver, PlayoutItem, StreamPlan
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.target import AvatarActivity

NOT_LISTENING: Final = Problem.of(AvatarTimeout("The avatar is in the room but does not listen to us."))


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
        leaving: Callable[[], bool],
        clock: Callable[[], float],
        changed: asyncio.Event,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """
        :param identity: the avatar's; None: a slot for segments that are addressed to no avatar in particular.
        :param connection: returns the room's connection, None while there is none.
        :param on_broken: called when a stream of ours did not take the audio.
        :param changed: set whenever the room should decide again.
        """
        self.identity = identity
        self.sid: str | None = None
        """Of the avatar that is present; None while there is none."""
        self.profile: Profile | None = None
        self.readiness: AvatarReadiness | None = None
        self.likely_agent: str | None = None
        """The room's agent, as far as the room knows."""
        self._on_behalf_of: str | None = None
        self._connection = connection
        self._listener = listener
        self._on_broken = on_broken
        self._clock = clock
        self._changed = changed
        self._tasks = tasks
        self.driver = LedgerDriver(ledger, self, self._on_report, clock, changed, tasks)
        self.captions = CaptionPublisher(self._publish, self.driver.reach, leaving, tasks)

    # Queries

    @property
    def profile_name(self) -> str | None:
        return None if self.profile is None else self.profile.name

    @property
    def idle(self) -> bool:
        """Nothing is queued and nothing awaits its end."""
        return self.driver.ledger.idle

    @property
    def quiet(self) -> bool:
        """Nothing of ours may be playing."""
        return self.driver.ledger.quiet

    @property
    def activity(self) -> AvatarActivity:
        ready = self.readiness is not None and self.readiness.state is Listening.YES
        return AvatarActivity.of(self.identity, self.profile_name, ready, self.driver.ledger)

    # The avatar comes, changes and leaves

    def arrive(self, facts: ParticipantFacts) -> None:
        assert facts.profile is not None
        self.sid, self.profile = facts.sid, facts.profile
        self._on_behalf_of = facts.attributes.get(ATTR_PUBLISH_ON_BEHALF)
        self.readiness = AvatarReadiness(facts.profile, self._clock())
        self.driver.ledger.absence = NOT_LISTENING

    def upgrade(self, now: float) -> None:
        """Begin anew with the avatar's present profile, once nothing plays: our own avatar is known by an attribute
        that may come after the avatar."""
        if self.readiness is None or self.profile is None or self.readiness.profile == self.profile:
            return
        if self.quiet:
            self.readiness = AvatarReadiness(self.profile, now)
            self._changed.set()

    def leave(self, problem: Problem) -> None:
        self.sid = self.readiness = None
        self.driver.avatar_left(problem)
        self.profile = None

    def forget_avatar(self) -> None:
        """The room was left; the ledger knows already."""
        self.sid = self.profile = self.readiness = None

    # Readiness

    def ask_again(self) -> None:
        """Probe once more an avatar that listened to another sender."""
        if self.readiness is not None and self.readiness.state is Listening.ELSEWHERE:
            self.readiness.again()

    @property
    def next_probe(self) -> float | None:
        """When to probe the avatar; None: not now. It is probed only while nothing of ours plays."""
        if self.readiness is None or self.readiness.state is not Listening.UNKNOWN or not self.quiet:
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
        answer = await connection.clear_buffer(self.identity)
        if self.readiness is not readiness:
            return  # it left, or got another profile meanwhile
        match readiness.answered(answer, self._clock()):
            case Listening.YES:
                self.driver.avatar_ready(readiness.profile)
            case Listening.ELSEWHERE:
                self.driver.give_up(self._bound_elsewhere())
        self._changed.set()

    def _bound_elsewhere(self) -> Problem:
        agent = self._on_behalf_of or self.likely_agent
        likely = f", most likely to the room's agent “{agent}”" if agent else ""
        return Problem.of(
            AvatarBoundElsewhere(
                f"The avatar “{self.identity}” listens to another sender{likely}. "
                "Start its receiver without a fixed sender, or take that sender's identity with --identity."
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
        header = StreamHeader(rate, 1, attempt.segment if profile.segment_ids else None)
        return StreamPlan(rate, lambda: connection.open_stream(identity, header))

    async def clear(self, stream: AttemptStream | None) -> bool | None:
        connection, sid = self._connection(), self.sid
        if connection is None or self.identity is None:
            return None
        answer = await connection.clear_buffer(self.identity)
        return answer is ClearAnswer.OK if self.sid == sid else None

    def broken(self, problem: Problem) -> None:
        self._on_broken(self, problem)

    # Reports and captions

    def _on_report(self, report: Report, item: PlayoutItem) -> None:
        self.captions.on_report(report, item.sound)
        self._listener(self, report, item)

    async def _publish(self, line: Line) -> bool:
        connection = self._connection()
        if connection is None or self.identity is None:
            return False
        return await connection.publish_caption(self.identity, line)

    def detach(self) -> None:
        """The room has ended: from now on only reports are passed on."""
        self.driver.detach()
        self.captions.detach()
