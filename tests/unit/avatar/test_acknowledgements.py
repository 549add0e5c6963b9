"""When the avatar holds its sound because LiveKit takes none, and from where it goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mouthpiece_avatar.acknowledgements import (
    AWAY_AT_MOST,
    LOOK_AT_END,
    LOOK_AWAY,
    LOOK_BACK,
    LOOK_EVERY,
    MARGIN,
    REPORT_WITHIN,
    SILENT,
    SILENT_AT_MOST,
    Acknowledge,
    Acknowledgements,
    Hold,
    Measurement,
    Resume,
)

Decision = Acknowledge | Hold | Resume | None


class LiveKit:
    """A server that sends ten packets a second while it runs, and a report about the sound each second."""

    def __init__(self, *, rate: float = 10.0) -> None:
        self.acknowledgements = Acknowledgements()
        self.now = 50.0
        self.rate = rate
        self.runs = self.reports = True
        self.source = 7
        self.lost = 0
        self.round_trip = 0.02
        self._came_at = self._reported_at = 50.0
        self._owed = 0.0
        self._received = 0

    def measurement(self) -> Measurement:
        return Measurement(
            self.source,
            self.now - self._came_at,
            self._received,
            self.round_trip,
            self.now - self._reported_at,
            self.lost,
        )

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if self.runs:
            self._owed += seconds * self.rate
            if self._owed >= 1 - 1e-9:
                self._received += int(self._owed + 1e-9)
                self._owed %= 1
                self._came_at = self.now
            if self.reports and self.now - self._reported_at >= 1:
                self._reported_at = self.now

    def look(self) -> Decision:
        return self.acknowledgements.measured(self.measurement(), self.now)

    def watch(self, seconds: float) -> list[tuple[float, Decision]]:
        """Look whenever it is time to; return what was decided besides acknowledgements, and when."""
        decided: list[tuple[float, Decision]] = []
        end = self.now + seconds
        while self.now < end:
            decision = self.look()
            if decision is not None and not isinstance(decision, Acknowledge):
                decided.append((self.now, decision))
            wait = self.acknowledgements.next_look(self.now, end_waits=False)
            assert wait > 0
            for _ in range(max(1, round(wait / 0.01))):
                self.pass_time(0.01)
        return decided


@pytest.fixture
def livekit() -> LiveKit:
    livekit = LiveKit()
    assert livekit.watch(5) == []
    return livekit


def test_what_left_before_the_last_packet_came_is_acknowledged(livekit: LiveKit) -> None:
    measurement = replace(livekit.measurement(), silent_for=0.3, round_trip=0.02)
    decision = livekit.acknowledgements.measured(measurement, livekit.now)
    assert isinstance(decision, Acknowledge)
    assert decision.until <= livekit.now - 0.02 - MARGIN


def test_while_it_speaks_it_looks_twice_a_second_and_more_often_only_for_an_end(livekit: LiveKit) -> None:
    livekit.look()
    assert livekit.acknowledgements.next_look(livekit.now, end_waits=False) == pytest.approx(LOOK_EVERY)
    assert livekit.acknowledgements.next_look(livekit.now, end_waits=True) == pytest.approx(LOOK_AT_END)


def test_a_server_that_stops_is_noticed_within_a_second(livekit: LiveKit) -> None:
    livekit.runs, stopped = False, livekit.now
    [(at, decision)] = livekit.watch(3)
    assert decision == Hold()
    assert SILENT - 0.11 <= at - stopped <= SILENT + 0.05
    assert livekit.acknowledgements.next_look(livekit.now, end_waits=False) == LOOK_AWAY


def test_after_a_long_absence_all_that_was_not_acknowledged_is_said_again(livekit: LiveKit) -> None:
    livekit.runs = False
    livekit.watch(5)
    livekit.runs, back = True, livekit.now
    [(at, decision)] = livekit.watch(3)
    assert decision == Resume(None)
    assert at - back < 1.5
    assert livekit.watch(5) == []


def test_after_a_short_one_only_what_was_lost_is_said_again(livekit: LiveKit) -> None:
    livekit.runs = False
    livekit.watch(SILENT + 0.1)
    livekit.runs = True
    livekit.lost += 7
    [(_, decision)] = livekit.watch(3)
    assert isinstance(decision, Resume)
    assert decision.lost == pytest.approx(0.14)


def test_packets_that_were_lost_before_do_not_count(livekit: LiveKit) -> None:
    livekit.lost = 500
    livekit.watch(2)
    livekit.runs = False
    livekit.watch(SILENT + 0.1)
    livekit.runs = True
    [(_, decision)] = livekit.watch(3)
    assert decision == Resume(0.0)


def test_a_report_that_was_on_its_way_says_nothing(livekit: LiveKit) -> None:
    livekit.runs = False
    [(held_at, _)] = livekit.watch(1)
    back = replace(livekit.measurement(), silent_for=0.0, report_age=0.0, received=10_000)
    livekit.now = held_at + 0.2
    assert livekit.acknowledgements.measured(back, livekit.now) is None
    assert livekit.acknowledgements.measured(replace(back, report_age=0.05), livekit.now + 0.05) is None
    assert livekit.acknowledgements.measured(replace(back, report_age=0.0), livekit.now + 0.3) == Resume(0.0)


def test_without_a_report_all_is_said_again_after_a_while(livekit: LiveKit) -> None:
    livekit.runs = False
    livekit.watch(SILENT + 0.1)
    livekit.runs, back = True, livekit.now
    livekit.reports = False
    [(at, decision)] = livekit.watch(6)
    assert decision == Resume(None)
    assert at - back == pytest.approx(REPORT_WITHIN, abs=0.5)


def test_a_server_that_stops_again_is_held_again(livekit: LiveKit) -> None:
    livekit.runs = False
    livekit.watch(3)
    livekit.runs = True
    for _ in range(30):
        livekit.pass_time(0.01)
    assert livekit.look() is None
    livekit.runs = False
    assert [decision for _, decision in livekit.watch(2)] == [Hold()]
    livekit.runs = True
    assert [decision for _, decision in livekit.watch(4)] == [Resume(None)]


def test_another_connection_has_taken_nothing_that_the_first_did_not_acknowledge(livekit: LiveKit) -> None:
    livekit.source = 8
    assert [decision for _, decision in livekit.watch(4)] == [Hold(), Resume(None)]
    assert livekit.watch(4) == []


def test_where_only_reports_about_the_sound_come_it_waits_longer() -> None:
    livekit = LiveKit(rate=1.0)
    assert livekit.watch(20) == []
    livekit.runs, stopped = False, livekit.now
    [(at, decision)] = livekit.watch(5)
    assert decision == Hold()
    assert at - stopped == pytest.approx(SILENT_AT_MOST, abs=1.01)


def test_feedback_about_still_pictures_is_enough(livekit: LiveKit) -> None:
    livekit.rate = 100.0  # chunks of a stream come too
    assert livekit.watch(5) == []
    livekit.rate = 25 / 21
    livekit.reports = False
    assert livekit.watch(20) == []


def test_while_the_report_is_awaited_it_looks_more_often(livekit: LiveKit) -> None:
    livekit.runs = False
    livekit.watch(3)
    livekit.runs = True
    livekit.pass_time(0.1)
    livekit.look()
    assert livekit.acknowledgements.next_look(livekit.now, end_waits=False) == LOOK_BACK


def test_a_pause_in_speech_changes_nothing(livekit: LiveKit) -> None:
    for _ in range(3_000):
        livekit.pass_time(0.01)  # half a minute without a look
    assert livekit.watch(5) == []


def test_a_server_that_stopped_in_a_pause_is_noticed_at_the_first_look(livekit: LiveKit) -> None:
    livekit.runs = False
    livekit.pass_time(5)
    assert livekit.look() == Hold()


def test_statistics_that_fail_now_and_then_change_nothing(livekit: LiveKit) -> None:
    assert livekit.acknowledgements.measured(None, livekit.now) is None
    assert livekit.watch(2) == []


@pytest.mark.parametrize("measurement", [None, Measurement(1, None, 0)])
def test_where_the_sdk_says_nothing_all_counts_as_taken(measurement: Measurement | None) -> None:
    acknowledgements = Acknowledgements()
    for now in (10.0, 11.0, 20.0):
        assert acknowledgements.measured(measurement, now) == Acknowledge(now)


def test_statistics_that_contradict_the_sdk_for_too_long_are_not_believed_any_more(livekit: LiveKit) -> None:
    livekit.runs = False
    decided = livekit.watch(AWAY_AT_MOST + 20)
    assert [decision for _, decision in decided] == [Hold(), Resume(None)]
    assert livekit.look() == Acknowledge(livekit.now)


def test_when_pictures_end_and_with_them_most_of_the_feedback_nothing_is_held(livekit: LiveKit) -> None:
    assert livekit.watch(5) == []
    livekit.acknowledgements.pictures(sent=False)
    livekit.rate = 1.0
    assert livekit.watch(20) == []
    livekit.rate = 6.0  # for a moment
    assert livekit.watch(2) == []
    livekit.rate = 0.8
    assert livekit.watch(20) == []
    livekit.acknowledgements.pictures(sent=True)
    livekit.rate = 10.0
    assert livekit.watch(5) == []
    livekit.runs, stopped = False, livekit.now
    [(at, decision)] = livekit.watch(5)
    assert decision == Hold()
    assert at - stopped < 1.5
