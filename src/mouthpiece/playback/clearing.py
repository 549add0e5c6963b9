"""What a clear means for each of the flights: it takes everything of ours at the avatar, and more than one may be
there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mouthpiece.playback.flight import Flight, Outcome
from mouthpiece.segments import EndedBy


def playing_out(flights: Iterable[Flight]) -> list[Flight]:
    """Return the flights that a clear would end: not those for which one is on its way."""
    ends = (Outcome.FINISH, Outcome.FAIL)
    return [flight for flight in flights if flight.outcome in ends and not flight.clear_asked]


def interruptible(playing: Sequence[Flight]) -> bool:
    """Whether what plays now may be interrupted."""
    return bool(playing) and playing[0].waiting.utterance.interruptible


def cancel_one(playing: Iterable[Flight], target: Flight) -> None:
    """Decide the outcomes of a clear that is meant for ``target``: the others go on from where they were."""
    for flight in playing:
        if flight is target:
            flight.decide(Outcome.CANCEL, EndedBy.CALLER)
        else:
            flight.go_on()


def interrupt_first(playing: Sequence[Flight], by: EndedBy, *, drop_next: bool) -> None:
    """Decide the outcomes of a clear that is meant for what plays now, and with ``drop_next`` for what was sent
    behind it, unless that may not be interrupted."""
    supersedes = by is EndedBy.SUPERSEDED
    first = playing[0]
    first.decide(Outcome.CANCEL if supersedes and first.waiting.superseded else Outcome.INTERRUPT, by)
    for flight in playing[1:]:
        dropped = drop_next and flight.waiting.utterance.interruptible
        if dropped or (supersedes and flight.waiting.superseded):
            flight.decide(Outcome.CANCEL, by)
        else:
            flight.go_on()


def drop_requeued(flights: Iterable[Flight]) -> None:
    """Cancel the flights whose rest would go back to the queue."""
    for flight in flights:
        if flight.outcome is Outcome.REQUEUE:
            flight.decide(Outcome.CANCEL, EndedBy.CALLER)


def supersede_requeued(flights: Iterable[Flight]) -> None:
    """Cancel the flights whose rest would go back to the queue and be superseded there."""
    for flight in flights:
        if flight.outcome is Outcome.REQUEUE and flight.waiting.superseded:
            flight.decide(Outcome.CANCEL, EndedBy.SUPERSEDED)


def hold_back(playing: Iterable[Flight]) -> None:
    """Decide the outcomes of a clear after which all goes on from where it was, by the clock where nothing better is
    known."""
    for flight in playing:
        flight.go_on(by_clock=True)


def would_end(flights: Sequence[Flight], *, drop_queued: bool) -> list[str]:
    """Return the ids of the segments that an interrupt would end now."""
    playing = playing_out(flights)
    ids = []
    if interruptible(playing):
        ids.append(playing[0].segment)
        if drop_queued:
            ids += [flight.segment for flight in playing[1:] if flight.waiting.utterance.interruptible]
    if drop_queued:
        ids += [flight.segment for flight in flights if flight.outcome is Outcome.REQUEUE]
    return ids
