"""Listens whether an avatar says what was sent to it, and holds the report of an end back until that is known.

Only while something of ours plays is it subscribed to the avatar's audio track: always where the avatar's own reports
prove little, from time to time where they are exact (``TrackCheck``). :mod:`mouthpiece.listening` decides; the
envelopes come from here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from mouthpiece.errors import AvatarUnheard
from mouthpiece.listening.borne_out import ENDED, awaits_verdict, borne_out
from mouthpiece.listening.envelope import FRAME, HeardEnvelope, Samples, SentEnvelope, frames
from mouthpiece.listening.verdict import LATEST, Judgement, Verdict, is_audible, judge
from mouthpiece.playback.commands import Report
from mouthpiece.profiles import TrackCheck
from mouthpiece.segments import Attempt, EndedBy, Problem, Receipt, State
from mouthpiece_sender.livekit.connection import LISTENING_RATE, Connection
from mouthpiece_sender.livekit.noted_sound import NotedSound, NotingWriter
from mouthpiece_sender.livekit.track_checks import BELIEVED_FOR, TrackChecks
from mouthpiece_sender.playout.attempt_stream import Writer
from mouthpiece_sender.playout.driver import PlayoutItem

logger = logging.getLogger(__name__)

HOLD: Final = 0.5
"""Seconds that the report of an end may wait for its verdict."""
HOLD_UNKNOWN: Final = 1.0
"""The same, where nothing is known of the track before the sound: another speaks there too, if one does."""
HOLD_SILENT: Final = 2.0
"""Seconds more, where the track has stayed silent and the avatar may not have begun, or where too little is known of
what is around the sound."""
LOOK: Final = 0.05
"""Seconds from one look at the track to the next, while a report waits."""
LOOK_WHILE_PLAYING: Final = 0.5
"""The same, while an avatar plays whose reports are exact: whether anything is on its track is soon known."""
AUDIBLE_WITHIN: Final = 10.0
"""Seconds of such a track, the last ones, that are looked at."""
LATE: Final = 2.0
"""Seconds that its report of an end may be late, by the clock, and a silent track still proves something."""
LINGER: Final = 2.0
"""Seconds for which the track is listened to after the last sound: the next one may follow at once."""
AGAIN: Final = 1.0
"""Seconds until a subscription that broke is tried again."""
KEPT: Final = 1.0
"""Seconds of the track that are kept before the first sound that is not judged yet: another may speak there."""
TAIL: Final = 0.1
"""Seconds after the end of a sound in which it may still be on the track."""
SILENT_BELOW: Final = 32
"""Of 32,768: a block without a louder sample is silent. What a jitter buffer makes up for packets that do not come
fades to that."""


@dataclass(slots=True)
class _Held:
    """Reports of one segment that wait for the verdict about an attempt."""

    attempt: Attempt
    since: float
    before: float
    """Seconds of the segment that had been heard before the attempt."""
    reports: list[tuple[Report, PlayoutItem]] = field(default_factory=list)


_HEARD: Final = {Verdict.HEARD: True, Verdict.CUT: True, Verdict.UNHEARD: False}
_BOUND: Final = (
    "The avatar “{}” was sent this sound, and nothing came on its audio track. Its receiver may be bound to another "
    "sender: set MOUTHPIECE_SENDER_IDENTITY (--identity) to the one that it is bound to, often "
    "“external-audio-sender”, or start it without a fixed sender. Do not take the identity of the room's agent: "
    "LiveKit would throw the agent out."
)
_MUTE: Final = (
    "The avatar “{}” reports that it played this sound, and its audio track was silent. Look whether somebody muted "
    "the track (`lk room participants get`), and into the avatar's log. A new session has a new track "
    "(DELETE the room, start-avatar)."
)


def _by_another(report: Report) -> bool:
    """Whether the segment was paused, or ended by another than its avatar, such as a caller who waits for that."""
    ended = report.state.terminal and report.ended_by not in (None, EndedBy.AVATAR)
    return report.state is State.PAUSED or ended


class Listener:
    """Of one avatar. ``noting`` gets what is sent, ``on_report`` what the ledger says, ``tick`` the time."""

    def __init__(
        self,
        identity: str | None,
        emit: Callable[[Report, PlayoutItem], None],
        judged: Callable[[bool | None], None],
        *,
        checks: TrackChecks | None,
        connection: Callable[[], Connection | None],
        clock: Callable[[], float],
        changed: asyncio.Event,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """
        :param identity: of the avatar.
        :param emit: receives the reports, each segment's in order.
        :param judged: called after them with whether the attempt was heard; None: that cannot be told.
        :param checks: of the service; None: nothing is listened to.
        :param changed: set whenever a tick has something to do.
        """
        self._identity = identity
        self._emit = emit
        self._judged_is = judged
        self._checks = checks
        self._connection = connection
        self._clock = clock
        self._changed = changed
        self._tasks = tasks
        self._sounds: dict[Attempt, NotedSound] = {}
        self._held: list[_Held] = []
        self._positions: dict[str, float] = {}
        """Of segments that have not ended, by the last report."""
        self._track = HeardEnvelope(LISTENING_RATE)
        self._lag: float | None = None
        """Of this avatar: seconds from the first write to the sound on its track."""
        self._last: NotedSound | None = None
        """The last that was sent."""
        self.sounded_at = float("-inf")
        """When a block came last that was not silent."""
        self._task: asyncio.Task[None] | None = None
        self._listens_until = float("-inf")
        self._not_before = float("-inf")
        """When a subscription is tried again."""
        self._look_at = float("-inf")
        """When the track of such an avatar is looked at next, while it plays."""
        self._exact = False
        """The avatar's reports count, unless nothing at all was heard."""
        self._believed_until = float("-inf")
        """Until then an avatar whose reports are exact is not listened to."""

    # Queries

    @property
    def pending(self) -> bool:
        """Reports wait for a verdict."""
        return bool(self._held)

    def position(self, segment: str) -> float | None:
        """Seconds of a segment whose end waits for its verdict, by the ledger; None: none waits."""
        held = next((one for one in self._held if one.attempt.segment == segment), None)
        return None if held is None else max(report.position for report, _ in held.reports)

    def next_wakeup(self, now: float) -> float | None:
        if self._held:
            return now + LOOK
        if self._exact and self._sounds:
            return self._look_at
        holds = self._checks is not None and self._checks.holds(self)
        return self._listens_until if self._task is not None or self._sounds or holds else None

    # Inputs

    def noting(
        self, attempt: Attempt, rate: int, open: Callable[[], Awaitable[Writer]], check: TrackCheck
    ) -> Callable[[], Awaitable[Writer]]:
        """Return ``open`` with a writer whose sound is compared with the track, where that is to be."""
        if not self._is_checked(check):
            return open
        sound = self._sounds[attempt] = NotedSound(SentEnvelope(rate))  # until its end is reported, which always comes

        async def opened() -> Writer:
            writer = await open()
            if attempt not in self._sounds:
                return writer
            sound.previous, self._last = self._last, sound
            self._listen()
            return NotingWriter(writer, sound, self._clock)

        return opened

    def on_report(self, report: Report, item: PlayoutItem) -> None:
        """Pass a report on, or hold it back: one that says that all was heard, and what follows of its segment."""
        held = next((one for one in self._held if one.attempt.segment == report.segment), None)
        if held is None and report.attempt in self._sounds and awaits_verdict(report):
            held = _Held(report.attempt, self._clock(), self._positions.get(report.segment, 0.0))
            self._held.append(held)
            self._changed.set()
        if held is not None:
            held.reports.append((report, item))
            if _by_another(report):
                self._release(held, Judgement(Verdict.NOT_LISTENED))
            return
        if report.type == ENDED and report.attempt is not None:
            self._done(report.attempt)
        self._pass_on(report, item)

    def tick(self, now: float, *, playing: bool) -> None:
        """
        :param playing: something of ours may be playing at the avatar.
        """
        if self._exact and self._sounds and now >= self._look_at:
            self._look_at = now + LOOK_WHILE_PLAYING
            if self._is_audible(now):
                self._believe(now)
        if self._held or (self._sounds if self._exact else playing):
            self._listens_until = now + LINGER
        while self._held and (judgement := self._judged(self._held[0], now)) is not None:
            if judgement.verdict is Verdict.NOT_LISTENED and self._has_voice:
                judgement = Judgement(Verdict.CANNOT_TELL)  # there was something to hear, and it was missed
            self._release(self._held[0], judgement)
            if self._exact and judgement.verdict is Verdict.HEARD:
                self._believe(now)
        if self._sounds and self._task is None and now >= self._not_before:
            self._listen()
        if now >= self._listens_until:
            self._stop()
        self._track.forget(self._begun_at(now) - KEPT)

    def flush(self) -> None:
        """Report what waits, by what was heard until now: the avatar or the room is gone."""
        while self._held:
            judgement = self._judged(self._held[0], float("inf"))
            proven = judgement is not None and judgement.verdict is not Verdict.CANNOT_TELL
            self._release(self._held[0], judgement if judgement and proven else Judgement(Verdict.NOT_LISTENED))
        self._sounds.clear()
        self._positions.clear()
        self._stop()

    def forget(self) -> None:
        """Another avatar has come: nothing is known of it."""
        self._lag = self._last = None
        self._believed_until = float("-inf")

    def _is_checked(self, check: TrackCheck) -> bool:
        """Whether what is sent now is compared with the track."""
        self._exact = check is TrackCheck.AT_TIMES
        if self._checks is None or check is TrackCheck.NEVER:
            return False
        return not self._exact or (self._has_voice and not self._is_believed and self._checks.begin(self))

    @property
    def _is_believed(self) -> bool:
        """An avatar whose reports are exact was heard not long ago, and nobody has muted it since."""
        connection, identity = self._connection(), self._identity
        muted = connection is not None and identity is not None and connection.is_muted(identity)
        return self._clock() < self._believed_until and not muted

    def _begun_at(self, now: float) -> float:
        """When the first sound began that is not judged yet; ``now``, if there is none."""
        return min((at for sound in self._sounds.values() if (at := sound.sent.begun_at) is not None), default=now)

    def _is_audible(self, now: float) -> bool:
        """Whether there is sound on the track, whatever becomes of what is not judged yet."""
        begun, until = self._begun_at(now), self._track.until
        plays = next((sound for sound in self._sounds.values() if sound.sent.begun_at == begun), None)
        if plays is None:
            return False
        start = max(begun, until - AUDIBLE_WITHIN)
        sent = plays.sent.levels()[frames(start - begun) : frames(max(start, until) - begun)]
        return is_audible(sent, self._track.window(start, until))

    def _believe(self, now: float) -> None:
        """The track of an avatar whose reports are exact is not silent: they stand as they are, for a while."""
        self._believed_until, self._listens_until = now + BELIEVED_FOR, now
        while self._held:
            self._release(self._held[0], Judgement(Verdict.NOT_LISTENED))
        self._sounds.clear()

    # The verdict

    def _judged(self, held: _Held, now: float) -> Judgement | None:
        sound = self._sounds[held.attempt]
        if sound.sent.begun_at is None or not sound.sent.complete:
            return Judgement(Verdict.NOT_LISTENED)
        begun, lag = sound.sent.begun_at, self._lag or 0.0
        heard = self._track.window(begun, min(self._track.until, sound.ends_at + LATEST + 1.0))
        before_from = begun - KEPT
        if sound.previous is not None:
            silent_since = sound.previous.ends_at + (LATEST if self._lag is None else self._lag + TAIL)
            before_from = max(before_from, silent_since)
            if not self._exact:  # of which only silence is asked for: that one's end would be no silence
                heard[: frames(max(0.0, sound.previous.ends_at + lag + TAIL - begun))] = np.nan
        before = self._track.window(min(before_from, begun), begun)
        final = now >= held.since + (HOLD_UNKNOWN if np.isnan(before).all() else HOLD)
        if np.isnan(heard).all():
            return self._without_a_track(held) if final or not self._has_voice else None
        if self._exact and held.since > sound.played_by + LATE:
            return Judgement(Verdict.NOT_LISTENED)  # something stood still on the way, and the track may have too
        following = (other.sent.begun_at for other in self._sounds.values() if other.sent.begun_at is not None)
        alone_until = min((at - begun for at in following if at > begun), default=float("inf"))
        judged = partial(judge, sound.sent.levels(), heard, lag=self._lag, before=before)
        judgement = judged(alone_until=alone_until, final=final)
        if judgement is None and self._exact:
            # Only silence would be news: what is around the sound need not be waited for.
            early = judged(alone_until=alone_until)
            judgement = early if early is not None and early.verdict is Verdict.HEARD else None
        if judgement is None and now >= held.since + HOLD + HOLD_SILENT:
            # More of the track will not be known: what there is has to do.
            return judged(alone_until=min(alone_until, len(heard) * FRAME)) or Judgement(Verdict.NOT_LISTENED)
        return judgement

    @property
    def _has_voice(self) -> bool:
        connection = self._connection()
        return connection is not None and self._identity is not None and connection.has_voice(self._identity)

    def _without_a_track(self, held: _Held) -> Judgement:
        """Nobody hears an avatar that publishes no sound. It may be about to, where it reported the end itself."""
        end = held.reports[0][0].attempt_end
        estimated = end is not None and end.heard.receipt is not Receipt.CONFIRMED and not end.short
        gone = self._connection() is None or self._has_voice
        return Judgement(Verdict.UNHEARD if estimated and not gone else Verdict.NOT_LISTENED)

    def _release(self, held: _Held, judgement: Judgement) -> None:
        self._held.remove(held)
        whole = held.attempt.offset + self._sounds[held.attempt].sent.duration
        if judgement.verdict is Verdict.HEARD and judgement.lag is not None:
            self._lag = judgement.lag if self._lag is None else 0.5 * (self._lag + judgement.lag)
        logger.debug("segment %s on its avatar's track: %s", held.attempt.segment, judgement.verdict.value)
        problem = Problem.of(AvatarUnheard((_MUTE if self._exact else _BOUND).format(self._identity or "")))
        proves = not self._exact or judgement.verdict is Verdict.UNHEARD
        for report, item in held.reports:
            if report.type == ENDED and report.attempt is not None:
                self._done(report.attempt)
            self._pass_on(borne_out(report, judgement, problem, held.before, whole) if proves else report, item)
        if judgement.verdict is Verdict.UNHEARD:
            self._believed_until = float("-inf")
        self._judged_is(_HEARD.get(judgement.verdict))

    def _pass_on(self, report: Report, item: PlayoutItem) -> None:
        self._positions[report.segment] = report.position
        if report.state.terminal:
            del self._positions[report.segment]
        self._emit(report, item)

    def _done(self, attempt: Attempt) -> None:
        if (sound := self._sounds.pop(attempt, None)) is not None:
            sound.done()

    # The track

    def _listen(self) -> None:
        connection, identity = self._connection(), self._identity
        if self._task is None and connection is not None and identity is not None:
            self._listens_until = self._clock() + LINGER
            self._task = self._tasks.create_task(self._hear(connection, identity), name="listen")

    async def _hear(self, connection: Connection, identity: str) -> None:
        try:
            await connection.listen(identity, self._on_sound)
        except Exception as error:  # the SDK raises bare RuntimeError and more here
            logger.debug("the avatar's track cannot be listened to: %s", type(error).__name__)
        finally:
            if self._task is asyncio.current_task():
                self._task, self._not_before = None, self._clock() + AGAIN

    def _on_sound(self, samples: Samples | None) -> None:
        if samples is None:
            self._track.restart()
            return
        if int(np.abs(samples).max(initial=0)) > SILENT_BELOW:
            self.sounded_at = self._clock()
        self._track.push(samples, self._clock())

    def _stop(self) -> None:
        if self._checks is not None:
            self._checks.end(self)
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._track.restart()
