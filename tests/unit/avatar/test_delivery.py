"""The track's statistics are read while speaking, and what they mean is performed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit.rtc._proto import stats_pb2

from mouthpiece_avatar.acknowledgements import Measurement
from mouthpiece_avatar.delivery import DeliveryWatch, read_statistics


class FakePlayout:
    def __init__(self) -> None:
        self.unheard = False
        self.end_waits = False
        self.calls: list[tuple[str, float | None]] = []

    def acknowledge(self, until: float) -> None:
        self.calls.append(("acknowledge", round(until, 3)))
        self.end_waits = False

    def hold(self, now: float) -> None:
        self.calls.append(("hold", now))

    def resume(self, lost: float | None) -> float:
        self.calls.append(("resume", lost))
        return 0.25


class Watched:
    """A watch over a fake playout, whose statistics and clock a test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.measurement: Measurement | None = Measurement(7, 0.0, 10, 0.0, 0.5, 0)
        self.playout = FakePlayout()
        self.changes = 0
        self.watch = DeliveryWatch(self.playout, measure=self._measure, changed=self._change, clock=lambda: self.now)

    async def _measure(self) -> Measurement | None:
        return self.measurement

    def _change(self) -> None:
        self.changes += 1


async def test_nothing_is_read_while_nothing_is_said() -> None:
    watched = Watched()
    running = asyncio.create_task(watched.watch.run())
    await asyncio.sleep(0.05)
    assert watched.watch.counts["looks"] == 0
    watched.playout.unheard = True
    watched.watch.speech()
    await asyncio.sleep(0.05)
    assert watched.watch.counts["looks"] == 1
    assert watched.playout.calls == [("acknowledge", 99.95)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_publisher_is_woken_for_an_end_that_was_acknowledged_and_for_nothing_else() -> None:
    watched = Watched()
    await watched.watch._look()
    assert watched.changes == 0
    watched.playout.end_waits = True
    await watched.watch._look()
    assert watched.changes == 1


async def test_without_pictures_an_answer_is_asked_for_while_an_end_waits() -> None:
    watched = Watched()
    asked: list[float] = []

    async def ask() -> None:
        asked.append(watched.now)
        raise RuntimeError("the connection is gone")  # that ends nothing

    watched.watch = DeliveryWatch(
        watched.playout, measure=watched._measure, changed=watched._change, clock=lambda: watched.now, ask=ask
    )
    for pictures, end_waits in ((True, True), (False, False)):
        watched.watch.pictures(sent=pictures)
        watched.playout.end_waits = end_waits
        await watched.watch._look()
        assert asked == []
    for watched.now in (101.0, 101.1, 101.2):
        watched.playout.end_waits = True
        await watched.watch._look()
    assert asked == [101.0, 101.2]


async def test_a_server_that_stops_holds_the_playout_until_it_is_back() -> None:
    watched = Watched()
    await watched.watch._look()
    watched.now = 105.0
    watched.measurement = Measurement(7, 5.0, 10, 0.0, 5.5, 0)
    await watched.watch._look()
    watched.now = 106.0
    watched.measurement = Measurement(7, 0.1, 12, 0.0, 6.5, 0)
    await watched.watch._look()
    watched.now = 106.5
    watched.measurement = Measurement(7, 0.1, 15, 0.0, 0.1, 40)
    await watched.watch._look()
    assert watched.playout.calls[1:] == [("hold", 105.0), ("resume", None)]
    assert watched.changes == 3
    assert (watched.watch.counts["holds"], watched.watch.counts["repeated"]) == (1, 250)


def entry(**stats: Any) -> stats_pb2.RtcStats:
    return stats_pb2.RtcStats(**stats)


def statistics() -> list[stats_pb2.RtcStats]:
    now = 1_795_932_412_000_000
    rtc = stats_pb2.RtcStatsData(timestamp=now)
    outbound = stats_pb2.RtcStats.OutboundRtp(rtc=rtc, stream=stats_pb2.RtpStreamStats(ssrc=7))
    report = stats_pb2.RtcStats.RemoteInboundRtp(
        rtc=stats_pb2.RtcStatsData(timestamp=now - 400_000), received=stats_pb2.ReceivedRtpStreamStats(packets_lost=3)
    )
    pair, other = (
        stats_pb2.RtcStats.CandidatePair(
            rtc=rtc,
            candidate_pair=stats_pb2.CandidatePairStats(
                nominated=nominated,
                last_packet_received_timestamp=now / 1000 - 120,
                packets_received=55,
                current_round_trip_time=0.02,
            ),
        )
        for nominated in (True, False)
    )
    return [
        entry(codec=stats_pb2.RtcStats.Codec()),
        entry(remote_inbound_rtp=report),
        entry(candidate_pair=other),
        entry(candidate_pair=pair),
        entry(outbound_rtp=outbound),
    ]


async def test_the_statistics_of_webrtc_are_read() -> None:
    async def get_stats() -> list[stats_pb2.RtcStats]:
        return statistics()

    measurement = await read_statistics(get_stats)
    assert measurement is not None
    assert (measurement.source, measurement.received, measurement.lost) == (7, 55, 3)
    assert measurement.silent_for == pytest.approx(0.12, abs=0.001)
    assert measurement.report_age == pytest.approx(0.4)
    assert measurement.round_trip == pytest.approx(0.02)


async def test_a_track_that_is_not_sent_has_none() -> None:
    async def nothing() -> list[stats_pb2.RtcStats]:
        return []

    async def broken() -> list[stats_pb2.RtcStats]:
        raise Exception("the track is gone")

    assert await read_statistics(nothing) is None
    assert await read_statistics(broken) is None
