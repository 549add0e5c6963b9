"""A segment that an earlier process left behind, as the ledger takes it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mouthpiece.playback.at_most_once import after_restart
from mouthpiece.playback.commands import Utterance
from mouthpiece.playback.heard import Heard
from mouthpiece.segments import Attempt, AttemptRecord, AttemptState, Mode, Segment, State


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An attempt that was open when the earlier process ended."""

    attempt: Attempt
    session: str
    """Of the avatar that it was sent to; another session is another avatar, which cannot know of it."""
    length: float | None
    """Seconds of the attempt, if it is sent to its end; None while that is not known."""


@dataclass(frozen=True, slots=True)
class Restored:
    """See the module's docstring."""

    utterance: Utterance
    put_first: bool = False
    """It was accepted with ``mode=interrupt``."""
    begun: bool = False
    """It was reported as playing."""
    paused: bool = False
    attempts: int = 0
    offset: float = 0.0
    """Seconds into the segment at which its next attempt begins."""
    heard: Heard = Heard()  # noqa: RUF009 - a frozen value
    unsettled: Unsettled | None = None


def restored(
    segment: Segment,
    attempts: Sequence[AttemptRecord],
    accepted_at: float,
    expires_at: float | None,
) -> Restored:
    """Return a stored segment that has not ended, as the ledger takes it over.

    :param attempts: in order.
    :param accepted_at: monotonic seconds, as ``expires_at``.
    """
    utterance = Utterance(
        segment.id, accepted_at, segment.interruptible, segment.on_loss, segment.wait_for_viewer, expires_at
    )
    heard = Heard()
    for attempt in attempts:
        heard = heard.furthest(Heard(attempt.position, attempt.receipt))
    last = attempts[-1] if attempts else None
    return Restored(
        utterance,
        put_first=segment.mode is Mode.INTERRUPT,
        begun=segment.state is not State.QUEUED,
        paused=segment.state is State.PAUSED,
        attempts=0 if last is None else last.number,
        offset=0.0 if last is None else after_restart(last),
        heard=heard,
        unsettled=None if last is None or last.state is not AttemptState.OPEN else _unsettled(segment, last),
    )


def _unsettled(segment: Segment, attempt: AttemptRecord) -> Unsettled:
    duration = segment.audio.duration
    return Unsettled(
        Attempt(segment.id, attempt.number, attempt.offset),
        attempt.session,
        None if duration is None else max(0.0, duration - attempt.offset),
    )
