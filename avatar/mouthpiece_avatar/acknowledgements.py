"""Decides from the track's statistics whether LiveKit takes our sound. No I/O, no clock.

What leaves the audio source while LiveKit is away is heard by nobody, and the SDK says ``reconnecting`` only 15 seconds
later (livekit 1.1.21, a server that was stopped). But LiveKit answers what it takes: once a second with a receiver
report about the sound (RFC 3550), which counts the packets that were lost, and with feedback about each 21 packets of
pictures (transport-wide congestion control), which is about eight times a second while a drawn face speaks. While
nobody looks there are no pictures, and an absence is noticed later.

::

    TAKEN ──nothing came for a while──▶ AWAY ──something came──▶ BACK ──a receiver report, or none in time──▶ TAKEN
                   Hold                                                           Resume(lost)

After a short absence the receiver report says how much was lost, and only that is said again. After a longer one all
that was not acknowledged is: a server that had only been stopped takes what lay in its socket, and reports so, but
passes on an unknown part of it. It keeps ``InitPacketBufferSizeAudio`` packets of a sound, and what is not read before
others come is overwritten (livekit-server 1.13.5, ``pkg/sfu/buffer``; viewers heard 0 to 0.8 of 0.9 s).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

SILENT = 0.9
"""Seconds without a packet from LiveKit after which it counts as away: a still picture is a packet, and LiveKit answers
21 of those at once, 0.84 s at 25 pictures a second (livekit-server 1.13.5, ``mediatransportutil/pkg/twcc``)."""
SILENT_AT_MOST = 2.5
"""The same where LiveKit sends little, such as receiver reports about sound alone."""
PACKETS_MISSED = 5
"""Packets that would have come in that time, at the rate at which they came before."""
MARGIN = 0.05
"""Seconds from leaving the audio source until a packet is out: it holds 20 ms, and the network thread sends it."""
PACKET = 0.02
"""Seconds of sound in a packet."""
SHORT = 1.4
"""Seconds between two packets from LiveKit up to which all that LiveKit took was passed on: the 70 packets that it
keeps."""
REPORT_WITHIN = 3.0
"""Seconds to wait for a receiver report; after that all that was not acknowledged is said again."""
REPORT_AFTER = 0.1
"""Seconds after which a receiver report is about packets that were sent when LiveKit was there again: the SDK sends
silence from an audio source that is empty."""
AWAY_AT_MOST = 90.0
"""Seconds after which the statistics are not believed any more: the SDK gives a connection up before that."""
LOOK_EVERY = 0.5
"""Seconds between two looks at the statistics while speaking."""
LOOK_AT_END = 0.03
"""The same while the end of a stream waits to be acknowledged."""
LOOK_AWAY = 0.1
"""The same while LiveKit is away."""
LOOK_BACK = 0.05
"""The same while its receiver report is awaited, and nothing is said."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the statistics say at one moment. Times are in seconds."""

    source: int
    """Names the stream of packets (SSRC); another connection has another."""
    silent_for: float | None
    """Since a packet came from LiveKit; None if none came over this connection."""
    received: int
    """Packets that came from LiveKit."""
    round_trip: float = 0.0
    report_age: float | None = None
    """Since the last receiver report about our sound came."""
    lost: int = 0
    """Packets of our sound that LiveKit has missed, by that report."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """What left the audio source by ``until`` was taken by LiveKit."""

    until: float


@dataclass(frozen=True, slots=True)
class Hold:
    """LiveKit is away: take back what was not acknowledged, and let nothing leave."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on: say again what left in the last ``lost`` seconds before the hold; None: all that was taken back."""

    lost: float | None


class State(enum.Enum):
    TAKEN = "taken"
    AWAY = "away"
    BACK = "back"


class Acknowledgements:
    """Times are monotonic seconds, passed in."""

    def __init__(self) -> None:
        self.state = State.TAKEN
        self._last: Measurement | None = None
        self._measured_at = 0.0
        self._came_at = float("-inf")
        """When the last packet came from LiveKit."""
        self._believed = True
        self._since = 0.0
        """When ``state`` was entered."""
        self._quiet_since = 0.0
        """When the last packet before ``AWAY`` came."""
        self.absence = 0.0
        """Seconds that LiveKit was last away for, at most: several packets may have come before the look after it."""
        self._pictures = True
        self._rate: float | None = None
        """Packets a second from LiveKit."""
        self._lost_before = 0
        """Packets that had been lost when LiveKit was last there."""
        self._source: int | None = None
        """The stream of packets that ``_lost_before`` counts."""

    def measured(self, measurement: Measurement | None, now: float) -> Acknowledge | Hold | Resume | None:
        """Return what follows from a look at the statistics; ``measurement`` is None if there were none.

        Where they never say anything, all is taken for acknowledged.
        """
        replaced = measurement is not None and self._source not in (None, measurement.source)
        if measurement is not None:
            self._count(measurement, now)
        if self._came_at == float("-inf") or not self._believed:
            return Acknowledge(now)
        match self.state:
            case State.TAKEN if replaced or now - self._came_at > self.patience:
                self._quiet_since = min(self._came_at, now)
                self._enter(State.AWAY, now)
                return Hold()
            case State.TAKEN if measurement is not None:
                self._source, self._lost_before = measurement.source, measurement.lost
                return Acknowledge(self._came_at - measurement.round_trip - MARGIN)
            case State.AWAY if self._came_at > self._since:
                self.absence = self._came_at - self._quiet_since
                self._enter(State.BACK, now)
                return None
            case State.AWAY if now - self._since > AWAY_AT_MOST:
                self.absence = now - self._quiet_since
                self._believed = False
                self._enter(State.TAKEN, now)
                return Resume(None)
            case State.BACK if now - self._came_at > self.patience:
                self._enter(State.AWAY, now)
                return Hold()
            case State.BACK:
                return self._resume(measurement, now)
        return None

    def pictures(self, *, sent: bool) -> None:
        """Pictures are sent from now on, or not."""
        self._pictures = sent
        self._rate, self._last = None, None

    def next_look(self, now: float, *, end_waits: bool) -> float:
        """Return in how many seconds to look again, while speaking.

        :param end_waits: the end of a stream waits to be acknowledged.
        """
        if self.state is not State.TAKEN:
            return LOOK_AWAY if self.state is State.AWAY else LOOK_BACK
        decides = self._came_at + self.patience + 0.01 - now
        return min(LOOK_AT_END if end_waits else LOOK_EVERY, decides if decides > 0 else LOOK_EVERY)

    @property
    def patience(self) -> float:
        """Seconds without a packet from LiveKit that are nothing unusual."""
        if not self._rate or not self._pictures:
            return SILENT_AT_MOST
        return min(max(SILENT, PACKETS_MISSED / self._rate), SILENT_AT_MOST)

    def _count(self, measurement: Measurement, now: float) -> None:
        before, seconds = self._last, now - self._measured_at
        if measurement.silent_for is not None:
            self._came_at = max(self._came_at, now - measurement.silent_for)
        if before is None or before.source != measurement.source:
            self._last, self._measured_at = measurement, now
        elif measurement.received > before.received and seconds >= LOOK_EVERY / 2:
            rate = (measurement.received - before.received) / seconds
            if self.state is State.TAKEN:
                self._rate = rate if self._rate is None else 0.7 * self._rate + 0.3 * rate
            self._last, self._measured_at = measurement, now

    def _resume(self, measurement: Measurement | None, now: float) -> Resume | None:
        if measurement is not None and measurement.source == self._source and measurement.report_age is not None:
            reported_at = now - measurement.report_age
            if reported_at >= self._since + REPORT_AFTER + measurement.round_trip:
                lost = max(0, measurement.lost - self._lost_before) * PACKET
                short = self.absence < SHORT
                self._enter(State.TAKEN, now)
                self._lost_before = measurement.lost
                return Resume(lost if short else None)
        elsewhere = measurement is not None and measurement.source != self._source
        if elsewhere or now - self._since > REPORT_WITHIN:
            self._enter(State.TAKEN, now)
            self._source = None if measurement is None else measurement.source
            return Resume(None)
        return None

    def _enter(self, state: State, now: float) -> None:
        self.state, self._since = state, now
