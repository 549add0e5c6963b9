"""Who is heard: decisions about streams, by what is known of their sender."""

from __future__ import annotations

import pytest

from mouthpiece.receiving import admission as admission_module
from mouthpiece.receiving.admission import NEVER_ANNOUNCED, NOT_AN_AGENT, TOO_MUCH_HELD, Admission, Verdict
from mouthpiece.wire import StreamHeader

HEADER = StreamHeader(16_000, 1, "seg_1").attributes()


@pytest.fixture
def admission() -> Admission:
    return Admission()


@pytest.mark.parametrize(
    ("is_agent", "verdict", "reason"),
    [(True, Verdict.ADMITTED, ""), (False, Verdict.REFUSED, NOT_AN_AGENT), (None, Verdict.HELD, "")],
)
def test_an_agent_is_heard_anybody_else_refused_and_a_stranger_held(
    admission: Admission, is_agent: bool | None, verdict: Verdict, reason: str
) -> None:
    arrival = admission.open("a", HEADER, is_agent=is_agent)
    assert (arrival.verdict, arrival.reason) == (verdict, reason)
    assert arrival.header == StreamHeader(16_000, 1, "seg_1")


@pytest.mark.parametrize("attributes", [None, {}, {"sample_rate": "3999", "num_channels": "1"}])
def test_what_cannot_be_played_is_an_error_whoever_sends_it(
    admission: Admission, attributes: dict[str, str] | None
) -> None:
    with pytest.raises(ValueError, match="sample"):
        admission.open("a", attributes, is_agent=True)
    assert admission.of("a") == []


def test_the_announcement_decides_about_what_is_held_once(admission: Admission) -> None:
    held = [admission.open("a", HEADER, is_agent=None) for _ in range(2)]
    other = admission.open("b", HEADER, is_agent=None)
    assert admission.announce("a", is_agent=True) == held
    assert [arrival.verdict for arrival in held] == [Verdict.ADMITTED] * 2
    assert other.verdict is Verdict.HELD
    assert admission.announce("a", is_agent=False) == []
    assert admission.announce("b", is_agent=False) == [other]
    assert other.reason == NOT_AN_AGENT


def test_what_came_while_it_was_held_is_given_out_in_order(admission: Admission) -> None:
    arrival = admission.open("a", HEADER, is_agent=None)
    for data in (b"1", b"2"):
        admission.hold(arrival, data)
    admission.announce("a", is_agent=True)
    assert admission.release(arrival) == [b"1", b"2"]
    assert admission.release(arrival) == []


def test_a_sender_that_never_appears_is_given_up(admission: Admission) -> None:
    arrival = admission.open("a", HEADER, is_agent=None)
    admission.give_up(arrival)
    assert (arrival.verdict, arrival.reason) == (Verdict.REFUSED, NEVER_ANNOUNCED)
    assert admission.announce("a", is_agent=True) == []


def test_giving_up_comes_too_late_for_one_that_was_admitted(admission: Admission) -> None:
    arrival = admission.open("a", HEADER, is_agent=True)
    admission.give_up(arrival)
    assert arrival.verdict is Verdict.ADMITTED


def test_what_is_held_is_bounded_and_the_room_is_given_back(
    admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission_module, "HELD_BYTES", 10)
    flood, other = (admission.open(sender, HEADER, is_agent=None) for sender in ("flood", "other"))
    admission.hold(flood, bytes(9))
    admission.hold(flood, bytes(2))
    assert (flood.verdict, flood.reason, flood.held) == (Verdict.REFUSED, TOO_MUCH_HELD, [])
    admission.hold(other, bytes(10))
    assert other.verdict is Verdict.HELD
    admission.close(other)
    late = admission.open("late", HEADER, is_agent=None)
    admission.hold(late, bytes(10))
    assert late.verdict is Verdict.HELD


def test_a_clear_reaches_what_is_held_and_nobody_elses(admission: Admission) -> None:
    mine, theirs = (admission.open(sender, HEADER, is_agent=None) for sender in ("a", "b"))
    for arrival in (mine, theirs):
        admission.hold(arrival, b"12")
    admission.clear("a")
    admission.hold(mine, b"34")
    after = admission.open("a", HEADER, is_agent=None)
    admission.hold(after, b"56")
    assert (mine.cleared, mine.held) == (True, [])
    assert (theirs.cleared, theirs.held) == (False, [b"12"])
    assert (after.cleared, after.held) == (False, [b"56"])


def test_a_newer_stream_supersedes_those_of_its_sender_alone(admission: Admission) -> None:
    older, others = admission.open("a", HEADER, is_agent=True), admission.open("b", HEADER, is_agent=True)
    newer = admission.open("a", HEADER, is_agent=True)
    assert (older.superseded, others.superseded, newer.superseded) == (True, False, False)


def test_a_refused_stream_supersedes_nothing(admission: Admission) -> None:
    older = admission.open("a", HEADER, is_agent=None)
    admission.open("a", HEADER, is_agent=False)
    assert not older.superseded
    assert admission.of("a") == [older]


def test_closing_forgets_a_stream_and_may_come_twice(admission: Admission) -> None:
    arrival = admission.open("a", HEADER, is_agent=True)
    for _ in range(2):
        admission.close(arrival)
    assert admission.of("a") == []
