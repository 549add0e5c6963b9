"""What a receipt of an end is about, and what it proves: here the position of an interrupted segment is decided."""

from __future__ import annotations

from collections.abc import Iterable

from mouthpiece.playback.at_most_once import SHORT
from mouthpiece.playback.flight import Flight, FlightState, Outcome
from mouthpiece.playback.heard import Heard
from mouthpiece.profiles import Profile
from mouthpiece.segments import Receipt
from mouthpiece.wire import PlaybackReceipt

RECEIPT_LEAD = 0.25
"""Seconds by which a receipt may come before the audio could have been played; earlier is not believed."""


def about(receipt: PlaybackReceipt, flights: Iterable[Flight], now: float) -> Flight | None:
    """Return the flight that ``receipt`` is about; None if it is about none that is on its way.

    One that names its segment is about the attempt that it names. It may come late, or twice: an earlier attempt of the
    segment is over by then, and what it says of that one proves nothing of this one. An avatar of an earlier version
    names no attempt; there it is about the one that is on its way.
    """
    if receipt.segment is not None:
        named = (flight for flight in flights if flight.segment == receipt.segment)
        return next((flight for flight in named if receipt.attempt in (None, flight.attempt.number)), None)
    if receipt.event == "started":
        return _started_without_id(flights)
    return _ended_without_id(flights, receipt.interrupted, now)


def _started_without_id(flights: Iterable[Flight]) -> Flight | None:
    """A start counts only while a stream of ours is open: stock runners also send it right after the previous end
    (docs/wire.md, way 7)."""
    plays = (flight for flight in flights if not (flight.clear_asked or flight.state is FlightState.ABSENT))
    flight = next(plays, None)
    return flight if flight is not None and flight.open else None


def _ended_without_id(flights: Iterable[Flight], interrupted: bool, now: float) -> Flight | None:
    """An interruption is believed only where we asked for one: nobody else can clear us, so it is the late receipt of
    an earlier clear. An end is believed only if everything was sent and could have been played by now."""
    if interrupted:
        return next((flight for flight in flights if flight.clear_asked), None)
    for flight in flights:
        if flight.state is FlightState.AWAITING and flight.first_write_at is not None:
            return flight if now >= flight.first_write_at + flight.sent - RECEIPT_LEAD else None
    return None


def ends_from(flight: Flight, position: float) -> float:
    """Return from when an end at ``position`` may be true: ``flight`` cannot have been played so far before."""
    begins, previous = flight.opened_at, flight.previous
    if previous is not None and not previous.clear_asked:
        begins = max(begins, ends_from(previous, previous.sent))
    return begins + min(position, flight.sent) - RECEIPT_LEAD


def heard_of(flight: Flight, profile: Profile, position: float, interrupted: bool, now: float) -> Heard:
    """Return what the receipt of the end of ``flight`` proves to have been heard, in seconds of the attempt.

    :param position: seconds of the attempt, as reported. Believed where the profile trusts positions. Elsewhere only
        if it lies before the end of what was sent, and is not 0 (which says nothing): such a receiver admits to have
        played less than it was sent.
    """
    if profile.trusts_position:
        return Heard(min(max(position, 0.0), flight.sent), Receipt.CONFIRMED)
    if interrupted:
        return Heard(flight.played(now), Receipt.CONFIRMED)
    if 0 < position < flight.sent - SHORT:
        return Heard(position, Receipt.ESTIMATED)
    return Heard(flight.sent, Receipt.CONFIRMED)


def outcome_of(flight: Flight, heard: Heard, interrupted: bool) -> Outcome:
    """Return the outcome of ``flight``, whose end was reported after ``heard``."""
    if interrupted or heard.position < flight.sent - SHORT:
        return Outcome.INTERRUPT if flight.outcome is Outcome.FINISH else flight.outcome
    if flight.whole and flight.outcome is not Outcome.FAIL:
        return Outcome.FINISH  # it was over before our clear came
    return flight.outcome
