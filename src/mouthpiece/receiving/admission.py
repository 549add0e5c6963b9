"""Decides which byte streams are heard. Without I/O, clock or task.

LiveKit hands a stream over with the identity of its sender only, and up to three seconds before it announces that
participant. Such a stream is read but held, neither dropped nor trusted, until its sender is known::

    opened ──▶ HELD ──sender is an agent────▶ ADMITTED
                 ├────sender is anybody else──▶ REFUSED
                 └────sender never appeared───▶ REFUSED
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from mouthpiece.receiving.inbound_streams import check_format
from mouthpiece.wire import StreamHeader

HELD_BYTES = 64 * 1024 * 1024
"""Bytes that may be held in one room in all."""

NOT_AN_AGENT = "its sender is not an agent (speak as a participant of agent kind)"
NEVER_ANNOUNCED = "nobody was announced as its sender"
TOO_MUCH_HELD = "too much came before its sender was announced"


class Verdict(enum.Enum):
    """What was decided about a stream. :class:`Admission` alone writes it; ``ADMITTED`` and ``REFUSED`` are final."""

    HELD = "held"
    ADMITTED = "admitted"
    REFUSED = "refused"


@dataclass(eq=False, slots=True)
class Arrival:
    """One byte stream that a participant has opened."""

    sender: str
    """Identity."""
    header: StreamHeader
    verdict: Verdict = Verdict.HELD
    reason: str = ""
    """Why it was refused."""
    held: list[bytes] = field(default_factory=list)
    """Chunks that came before the verdict; :meth:`Admission.release` takes them out."""
    cleared: bool = False
    """Its sender interrupted it while it was held: chunks that come later are not kept."""
    superseded: bool = False
    """Its sender has opened a newer stream."""


class Admission:
    """Inputs are method calls; each decision is in the ``verdict`` of the arrivals that a call returns."""

    def __init__(self) -> None:
        self._open: dict[str, list[Arrival]] = {}
        self._held_bytes = 0

    def open(self, sender: str, attributes: Mapping[str, str] | None, *, is_agent: bool | None) -> Arrival:
        """Decide about a new stream, held if ``is_agent`` is None; older streams of ``sender`` are superseded.

        :param is_agent: None while the participant has not been announced.
        :raises ValueError: a stream with these attributes cannot be played; the message says why.
        """
        header = StreamHeader.parse(attributes)
        check_format(header)
        arrival = Arrival(sender, header)
        if is_agent is not None:
            self._decide(arrival, is_agent=is_agent)
        if arrival.verdict is not Verdict.REFUSED:
            streams = self._open.setdefault(sender, [])
            for older in streams:
                older.superseded = True
            streams.append(arrival)
        return arrival

    def of(self, sender: str) -> list[Arrival]:
        """Return the streams of ``sender`` that have not been closed, oldest first."""
        return list(self._open.get(sender, ()))

    def announce(self, sender: str, *, is_agent: bool) -> list[Arrival]:
        """Decide about the held streams of ``sender``, and return them."""
        held = [arrival for arrival in self.of(sender) if arrival.verdict is Verdict.HELD]
        for arrival in held:
            self._decide(arrival, is_agent=is_agent)
        return held

    def hold(self, arrival: Arrival, data: bytes) -> None:
        """Keep a chunk of a held stream; one chunk too many refuses the stream."""
        if arrival.cleared or arrival.verdict is not Verdict.HELD:
            return
        if self._held_bytes + len(data) > HELD_BYTES:
            self._refuse(arrival, TOO_MUCH_HELD)
            return
        arrival.held.append(data)
        self._held_bytes += len(data)

    def give_up(self, arrival: Arrival) -> None:
        """Refuse a held stream whose sender was not announced in time."""
        if arrival.verdict is Verdict.HELD:
            self._refuse(arrival, NEVER_ANNOUNCED)

    def clear(self, sender: str) -> None:
        """Interrupt the held streams of ``sender``."""
        for arrival in self.of(sender):
            if arrival.verdict is Verdict.HELD:
                arrival.cleared = True
                self.release(arrival)

    def release(self, arrival: Arrival) -> list[bytes]:
        """Return the chunks that were held, and give back the room that they took."""
        data, arrival.held = arrival.held, []
        self._held_bytes -= sum(map(len, data))
        return data

    def close(self, arrival: Arrival) -> None:
        """Forget a stream that has been read to its end."""
        self.release(arrival)
        streams = self._open.get(arrival.sender, [])
        if arrival in streams:
            streams.remove(arrival)
        if not streams:
            self._open.pop(arrival.sender, None)

    def _decide(self, arrival: Arrival, *, is_agent: bool) -> None:
        if is_agent:
            arrival.verdict = Verdict.ADMITTED
        else:
            self._refuse(arrival, NOT_AN_AGENT)

    def _refuse(self, arrival: Arrival, reason: str) -> None:
        arrival.verdict = Verdict.REFUSED
        arrival.reason = reason
        self.release(arrival)
