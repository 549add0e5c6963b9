"""Watches whether LiveKit takes the sound: performs what :class:`Acknowledgements` decides.

The track's statistics are read twice a second while speaking, and more often only while the end of a stream waits to be
acknowledged or LiveKit is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from mouthpiece_avatar.acknowledgements import Acknowledge, Acknowledgements, Hold, Measurement, Resume, State

logger = logging.getLogger(__name__)

ANSWER_WITHIN = 1.0
"""Seconds for the SDK to answer."""
ASK_EVERY = 0.15
"""Seconds between two packets that are sent for their answer alone."""


class Deliverable(Protocol):
    """What :class:`mouthpiece_avatar.playout.PlayoutQueue` does with the decisions."""

    @property
    def unheard(self) -> bool:
        """Whether speech is about to leave, or left and was not acknowledged."""

    @property
    def end_waits(self) -> bool:
        """Whether the end of a stream waits to be acknowledged."""

    def acknowledge(self, until: float) -> None: ...
    def hold(self, now: float) -> None: ...
    def resume(self, lost: float | None) -> float: ...


class DeliveryWatch:
    """``run`` until cancelled; ``speech`` whenever speech is put into the audio source."""

    def __init__(
        self,
        playout: Deliverable,
        *,
        measure: Callable[[], Awaitable[Measurement | None]],
        changed: Callable[[], None],
        clock: Callable[[], float],
        ask: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """
        :param changed: called when the playout has something else to do.
        :param ask: sends LiveKit something that it answers with a packet, whatever it makes of it.
        """
        self._ask = ask
        self._asked_at = float("-inf")
        self._pictures = True
        self._playout = playout
        self._measure = measure
        self._changed = changed
        self._clock = clock
        self._acknowledgements = Acknowledgements()
        self._spoken = asyncio.Event()
        self.counts: Counter[str] = Counter()
        """``holds``, ``looks`` at the statistics, and the ``repeated`` milliseconds of sound."""

    def speech(self) -> None:
        self._spoken.set()

    def pictures(self, *, sent: bool) -> None:
        """Pictures are sent from now on, or not: LiveKit answers those, and without them its answer is asked for."""
        self._pictures = sent
        self._acknowledgements.pictures(sent=sent)

    async def run(self) -> None:
        while True:
            if not self._playout.unheard:
                self._spoken.clear()
                await self._spoken.wait()
            await self._look()
            await asyncio.sleep(self._acknowledgements.next_look(self._clock(), end_waits=self._playout.end_waits))

    async def _look(self) -> None:
        self.counts["looks"] += 1
        await self._ask_for_an_answer()
        measurement = await self._measure()
        now = self._clock()
        match self._acknowledgements.measured(measurement, now):
            case Acknowledge(until):
                waited = self._playout.end_waits
                self._playout.acknowledge(until)
                if not waited:
                    return
            case Hold():
                self.counts["holds"] += 1
                logger.warning("LiveKit takes no sound: the avatar waits")
                self._playout.hold(now)
            case Resume(lost):
                again = self._playout.resume(lost)
                self.counts["repeated"] += round(again * 1000)
                absence = self._acknowledgements.absence
                logger.info("LiveKit takes sound again after %.2f s: the avatar goes on, %.2f s before", absence, again)
        self._changed()

    async def _ask_for_an_answer(self) -> None:
        """Without pictures a second can pass until something comes from LiveKit: an end would be reported late."""
        if self._ask is None or self._pictures or not self._playout.end_waits:
            return
        if self._acknowledgements.state is State.TAKEN and self._clock() - self._asked_at >= ASK_EVERY:
            self._asked_at = self._clock()
            with contextlib.suppress(Exception):  # the SDK raises no narrower one; then the next report has to do
                async with asyncio.timeout(ANSWER_WITHIN):
                    await self._ask()


async def read_statistics(get_stats: Callable[[], Awaitable[Iterable[Any]]]) -> Measurement | None:
    """Read the statistics of a published sound track; None if the SDK has none to give.

    Their names are those of W3C's "Identifiers for WebRTC's Statistics API"; their own timestamps count, in
    microseconds, except for those of packets, in milliseconds.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            statistics = await get_stats()
    except Exception:  # the SDK raises no narrower one (livekit 1.1.21, Track.get_stats)
        return None
    source, at, silent_for, received, round_trip = None, 0, None, 0, 0.0
    report_age, lost = None, 0
    for entry in statistics:
        match entry.WhichOneof("stats"):
            case "outbound_rtp":
                source, at = entry.outbound_rtp.stream.ssrc, entry.outbound_rtp.rtc.timestamp
            case "candidate_pair":
                pair = entry.candidate_pair.candidate_pair
                if pair.nominated and pair.last_packet_received_timestamp:
                    silent = entry.candidate_pair.rtc.timestamp / 1e6 - pair.last_packet_received_timestamp / 1e3
                    if silent_for is None or silent < silent_for:
                        silent_for, received = max(0.0, silent), pair.packets_received
                        round_trip = pair.current_round_trip_time
    for entry in statistics:
        if entry.WhichOneof("stats") == "remote_inbound_rtp":
            report = entry.remote_inbound_rtp
            report_age, lost = (at - report.rtc.timestamp) / 1e6, report.received.packets_lost
    return None if source is None else Measurement(source, silent_for, received, round_trip, report_age, lost)
