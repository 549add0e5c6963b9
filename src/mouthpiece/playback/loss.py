"""What becomes of a flight whose avatar was lost: here "at most once" is decided."""

from __future__ import annotations

from dataclasses import dataclass

from mouthpiece.playback.flight import Flight
from mouthpiece.playback.heard import Heard
from mouthpiece.segments import OnLoss, Receipt

REWIND = 20.0
"""Seconds that a replay goes back before the clock's position: LiveKit may show a killed avatar for so long."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What is known of a flight at the moment of the loss."""

    heard: Heard
    """In seconds of the attempt: possible as far as the playout clock came, or nothing."""
    resume_at: float | None
    """Seconds of the attempt from which a new attempt sends the rest; None: nothing is sent again."""


def at_loss(flight: Flight, now: float, *, reports_starts: bool) -> Loss:
    """Return what may have been heard of ``flight`` by ``now``, and whether its rest may be sent again.

    What was certainly not heard is sent again. What may have been heard is not, unless the caller chose
    ``on_loss=replay``; then it is sent again from ``REWIND`` seconds before the clock's position.

    :param reports_starts: the avatar reports each start.
    """
    if not flight.may_have_been_heard(now, reports_starts=reports_starts):
        return Loss(Heard(), 0.0)
    heard = Heard(flight.played(now), Receipt.UNKNOWN)
    certain = min(max(now - flight.begins(now) - REWIND, 0.0), flight.sent)
    if flight.waiting.utterance.on_loss is OnLoss.DROP or (flight.whole and certain >= flight.sent):
        return Loss(heard, None)
    return Loss(heard, certain)
