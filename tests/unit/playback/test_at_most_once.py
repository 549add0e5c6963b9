"""What of a segment may be sent again after an attempt that ended early."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mouthpiece.playback.absence import Found, Place
from mouthpiece.playback.at_most_once import (
    REWIND,
    Rest,
    after_absence,
    after_loss,
    after_report,
    after_restart,
    goes_on_unreported,
)
from mouthpiece.playback.commands import Utterance
from mouthpiece.playback.flight import Flight, FlightState, Outcome
from mouthpiece.playback.heard import Heard
from mouthpiece.playback.queue import Waiting
from mouthpiece.segments import Attempt, AttemptRecord, AttemptState, OnLoss, Receipt


def flight(sent: float, *, whole: bool = False, on_loss: OnLoss = OnLoss.DROP, written_at: float = 0.0) -> Flight:
    waiting = Waiting(Utterance("a", 0.0, on_loss=on_loss), (1, 1), 0.0)
    made = Flight(waiting, Attempt("a", 1, 0.0), None)
    made.write(sent, written_at)
    made.started_at = made.first_write_at
    made.whole = whole
    made.move(FlightState.AWAITING, written_at)
    return made


@given(sent=st.floats(0.1, 60.0), after=st.floats(0.0, 90.0), whole=st.booleans())
def test_after_a_loss_nothing_that_may_have_been_heard_is_sent_again(sent: float, after: float, whole: bool) -> None:
    assert after_loss(flight(sent, whole=whole), after, reports_starts=True).resume_at is None


@given(sent=st.floats(0.1, 60.0), after=st.floats(0.0, 90.0))
def test_with_replay_a_new_attempt_begins_twenty_seconds_before_what_may_have_been_heard(
    sent: float, after: float
) -> None:
    rest = after_loss(flight(sent, on_loss=OnLoss.REPLAY), after, reports_starts=True)
    assert rest.heard == Heard(min(after, sent), Receipt.UNKNOWN)
    assert rest.resume_at == pytest.approx(min(max(after - REWIND, 0.0), sent))


def test_a_replay_goes_back_from_where_the_absence_began_however_long_it_lasts() -> None:
    one = flight(5.0, whole=True, on_loss=OnLoss.REPLAY)
    one.move(FlightState.ABSENT, 4.0)
    assert after_loss(one, 140.0, reports_starts=True) == Rest(Heard(4.0, Receipt.UNKNOWN), 0.0)


@pytest.mark.parametrize(("reports_starts", "position"), [(True, 0.0), (False, 3.0)])
def test_after_a_loss_the_clock_counts_from_a_report_of_the_start_where_the_avatar_makes_one(
    reports_starts: bool, position: float
) -> None:
    one = flight(5.0)
    one.started_at = None
    assert after_loss(one, 3.0, reports_starts=reports_starts) == Rest(Heard(position, Receipt.UNKNOWN), None)


def test_after_a_loss_what_had_not_begun_is_sent_again() -> None:
    nothing_written = flight(0.0)
    behind = flight(2.0)
    behind.started_at, behind.previous = None, flight(5.0)
    for one in (nothing_written, behind):
        assert after_loss(one, 3.0, reports_starts=True) == Rest(Heard(), 0.0)


@given(sent=st.floats(0.5, 60.0), share=st.floats(0.0, 1.0), interrupted=st.booleans())
def test_after_an_absence_the_rest_begins_where_the_avatar_says_that_it_was_heard(
    sent: float, share: float, interrupted: bool
) -> None:
    position = share * (sent - 0.3)
    rest = after_absence(flight(sent, whole=True), Found(Place.ENDED, position, interrupted))
    assert rest == Rest(Heard(position, Receipt.CONFIRMED), position)


def test_after_an_absence_what_played_out_has_no_rest_and_what_never_arrived_is_sent_whole() -> None:
    one = flight(5.0, whole=True)
    assert after_absence(one, Found(Place.ENDED, 4.9)).resume_at is None
    assert after_absence(one, Found(Place.ENDED, 5.0, interrupted=True)).resume_at is None
    assert after_absence(one, Found(Place.NEVER_ARRIVED)) == Rest(Heard(), 0.0)


def test_after_an_absence_what_played_out_of_a_stream_that_was_not_sent_to_its_end_is_no_end() -> None:
    rest = after_absence(flight(2.0, whole=False), Found(Place.ENDED, 2.0, interrupted=False))
    assert rest == Rest(Heard(2.0, Receipt.CONFIRMED), 2.0)


def test_a_report_of_the_last_sample_leaves_nothing_and_an_earlier_one_the_rest() -> None:
    assert after_report(flight(2.0, whole=True), Heard(2.0, Receipt.CONFIRMED)) is None
    assert after_report(flight(2.0), Heard(2.0, Receipt.CONFIRMED)) == 2.0
    assert after_report(flight(2.0, whole=True), Heard(0.5, Receipt.CONFIRMED)) == 0.5


@pytest.mark.parametrize(
    ("sent", "by_clock", "exact", "goes_on"),
    [(0.0, False, True, True), (1.0, False, True, False), (1.0, True, True, False), (1.0, True, False, True)],
)
def test_what_was_cleared_without_a_report_goes_on_where_nobody_could_know_better(
    sent: float, by_clock: bool, exact: bool, goes_on: bool
) -> None:
    cleared = flight(sent)
    cleared.decide(Outcome.REQUEUE, by_clock=by_clock)
    assert goes_on_unreported(cleared, exact=exact) is goes_on


@pytest.mark.parametrize(
    ("receipt", "state", "resumes_at"),
    [
        (Receipt.NONE, AttemptState.LOST, 10.0),
        (Receipt.CONFIRMED, AttemptState.INTERRUPTED, 35.0),
        (Receipt.ESTIMATED, AttemptState.INTERRUPTED, 35.0),
        (Receipt.UNKNOWN, AttemptState.LOST, 15.0),
    ],
)
def test_after_a_restart_the_next_attempt_begins_where_the_last_one_left_off(
    receipt: Receipt, state: AttemptState, resumes_at: float
) -> None:
    last = AttemptRecord(number=1, offset=10.0, position=35.0, receipt=receipt, state=state)
    assert after_restart(last) == resumes_at
