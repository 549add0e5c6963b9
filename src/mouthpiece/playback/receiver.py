"""The avatar as the ledger knows it: what it reports, and how long its reports are waited for."""

from __future__ import annotations

from dataclasses import dataclass, field

from mouthpiece.playback.flight import Flight, FlightState
from mouthpiece.profiles import Profile

RECEIPT_GRACE = 2.0
"""Seconds that a receipt may be late before the playout clock decides."""
SILENCE_GRACE = 20.0
"""Seconds that an avatar which always reports its ends may be silent about one before the segment is ``unknown``:
it died without LiveKit having noticed, so nothing may be estimated."""
CLEAR_GRACE = 2.0
"""Seconds that the receipt of a cleared attempt may take (stock senders give up after as many)."""
STARTED_GRACE = 1.0
"""Seconds after the first write until a start is taken for granted where the avatar should have reported it."""


@dataclass(slots=True)
class Receiver:
    """One avatar session."""

    profile: Profile
    reports_ends: bool | None = field(init=False)
    """Whether receipts of ends come at all; None until one came or was missed."""

    def __post_init__(self) -> None:
        self.reports_ends = None if self.profile.receipts else False

    @property
    def exact(self) -> bool:
        """It reports each start and each end by the segment's id."""
        return self.profile.segment_ids

    def deadline(self, flight: Flight, now: float) -> float:
        """Return when a flight whose stream is closed ends without a receipt."""
        match flight.state:
            case FlightState.CLEARED if not self.profile.receipts:
                return flight.cleared_at
            case FlightState.CLEARING | FlightState.CLEARED:
                return flight.cleared_at + CLEAR_GRACE
        end = flight.expected_end(now)
        if self.exact:
            return end + SILENCE_GRACE
        end += RECEIPT_GRACE if self.profile.receipts else 0.0
        if self.reports_ends is not False and flight.started_at is None:
            # A receiver may wait for the end of the stream before it plays: the clock began too early then.
            end = max(end, flight.closed_at + flight.sent + RECEIPT_GRACE)
        return end

    def starts_by(self, flight: Flight) -> float | None:
        """Return when a start is taken for granted that was not reported; None if it was, or while another one plays
        before it."""
        if flight.started_reported or flight.first_write_at is None:
            return None
        if flight.clear_asked or flight.previous is not None:
            return None
        return flight.first_write_at + (STARTED_GRACE if self.exact else 0.0)

    def missed_end(self) -> None:
        """The end of a flight was due and was not reported."""
        if self.reports_ends is None:
            self.reports_ends = False
