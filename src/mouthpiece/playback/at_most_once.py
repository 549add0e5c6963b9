"""At most once: what of a segment may be sent again after an attempt that ended early.

The rule: a range of audio that may have been heard is not sent again, unless the caller chose ``on_loss=replay``. Each
function is one way in which an attempt ends before its segment does.
"""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece.playback.absence import Found, Place
from mouthpiece.playback.flight import Flight
from mouthpiece.playback.heard import Evidence, Heard
from mouthpiece.segments import AttemptRecord, AttemptState, OnLoss, Receipt

REWIND = 20.0
"""Seconds that a replay goes back before the clock's position: LiveKit may show a killed avatar for so long."""
SHORT = 0.25
"""Seconds by which a reported end may lie before the end of what was sent; one that lies further before it is the end
of a segment that was cut."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What an attempt leaves. In seconds of the attempt."""

    heard: Heard
    resume_at: float | None
    """From here on a new attempt may send the rest; None: nothing is sent again."""


def after_report(flight: Flight, heard: Heard) -> float | None:
    """Return the second of the attempt at which the rest begins, after a report of how far the avatar came; None if
    there is no rest."""
    all_heard = flight.whole and heard.position >= flight.sent > 0
    return None if all_heard else heard.position


def goes_on_unreported(flight: Flight, *, exact: bool) -> bool:
    """Whether the rest of a flight that was cleared, and whose end was not reported, may be sent again: nothing of it
    was sent, or it goes on by the clock, and the avatar's own reports would be no better than that.

    :param exact: the avatar reports each end with its position.
    """
    return flight.sent == 0 or (flight.by_clock and not exact)


def after_absence(flight: Flight, found: Found) -> Rest:
    """The avatar was asked after an absence, and nothing of the flight is there any more."""
    if found.where is Place.NEVER_ARRIVED:
        return Rest(Heard(), 0.0)
    heard = Heard(min(found.position, flight.sent), Receipt.CONFIRMED)
    # Its stream is closed when the connection is lost: what had been sent until then may play out, and is not all.
    played_out = flight.sent == float("inf") or (flight.whole and found.position >= flight.sent - SHORT)
    if played_out and not found.interrupted:
        return Rest(heard, None)
    return Rest(heard, after_report(flight, heard))


def after_loss(flight: Flight, now: float, *, reports_starts: bool) -> Rest:
    """The avatar was lost, and nobody can be asked: what was certainly not heard is sent again, and with
    ``on_loss=replay`` what may have been heard too, from ``REWIND`` seconds before the clock's position.

    :param reports_starts: the avatar reports each start.
    """
    if flight.followed and flight.whole:
        return Rest(Heard(flight.sent, Receipt.ESTIMATED), None)
    if not flight.may_have_been_heard(now, reports_starts=reports_starts):
        return Rest(Heard(), 0.0)
    heard = Heard(flight.reported_played(now, reports_starts=reports_starts), Receipt.UNKNOWN)
    certain = min(max(flight.elapsed(now) - REWIND, 0.0), flight.sent)
    if flight.waiting.utterance.on_loss is OnLoss.DROP or (flight.whole and certain >= flight.sent):
        return Rest(heard, None)
    return Rest(heard, certain)


def after_restart(last: AttemptRecord) -> float:
    """Return the second of the segment at which the attempt after ``last`` begins. An earlier process settled ``last``,
    by one of the ways above."""
    if Heard(last.position, last.receipt).evidence is Evidence.NONE:
        return last.offset
    if last.state is AttemptState.LOST:
        return max(last.offset, last.position - REWIND)
    return last.position
