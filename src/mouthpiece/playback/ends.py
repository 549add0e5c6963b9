"""How a segment ends, by what was heard of it."""

from __future__ import annotations

from mouthpiece.playback.commands import AttemptEnd, Report
from mouthpiece.playback.flight import Outcome
from mouthpiece.playback.heard import Evidence, Heard
from mouthpiece.playback.queue import Waiting
from mouthpiece.segments import Attempt, EndedBy, Problem, State


def end_of(outcome: Outcome, heard: Heard, *, begun: bool) -> State:
    """Return the state in which a segment ends whose last flight had this ``outcome``.

    :param heard: of the whole segment.
    :param begun: it was reported as playing.
    """
    match outcome:
        case Outcome.INTERRUPT:
            return State.INTERRUPTED
        case Outcome.CANCEL:
            return State.CANCELLED if heard.evidence is Evidence.NONE and not begun else State.INTERRUPTED
        case Outcome.FAIL:
            return State.FAILED
        case Outcome.UNKNOWN:
            return State.UNKNOWN
        case Outcome.FINISH | Outcome.REQUEUE:
            return State.FINISHED


def end_of_waiting(state: State, waiting: Waiting) -> State:
    """Return the state in which a segment ends that waits, and that would end in ``state`` if nothing of it had been
    heard."""
    if waiting.heard.evidence is Evidence.NONE and not waiting.begun:
        return state
    return State.UNKNOWN if state is State.FAILED else State.INTERRUPTED


def ended(
    waiting: Waiting,
    state: State,
    heard: Heard,
    *,
    problem: Problem | None = None,
    attempt: Attempt | None = None,
    ended_by: EndedBy | None = None,
) -> Report:
    """Return the report of the end of a segment, of which ``heard`` was heard in all its attempts."""
    return Report(
        waiting.segment,
        f"segment.{state}",
        state,
        heard.receipt,
        heard.position,
        interrupted=state is State.INTERRUPTED,
        problem=problem if state in (State.FAILED, State.UNKNOWN) else None,
        attempt=attempt,
        ended_by=None if state is State.FINISHED else ended_by,
    )


def noted(waiting: Waiting, type: str, attempt: Attempt | None, end: AttemptEnd | None = None) -> Report:
    """Return the report of something that does not end the segment."""
    return Report(
        waiting.segment, type, waiting.state, position=waiting.heard.position, attempt=attempt, attempt_end=end
    )
