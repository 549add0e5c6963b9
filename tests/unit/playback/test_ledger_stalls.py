"""What the ledger decides while LiveKit stands still, and the avatar cannot be asked what it played."""

from __future__ import annotations

import pytest

from mouthpiece.playback.receiver import RECEIPT_GRACE
from mouthpiece.profiles import STOCK
from mouthpiece.segments import Receipt, State
from tests.unit.playback.shell import LEFT, Shell


def stalled(length: float = 1.0) -> Shell:
    """A second of ``a`` was played when LiveKit stood still; ``b`` waits."""
    shell = Shell(STOCK)
    shell.say("a", length)
    shell.say("b", 1.0)
    shell.pass_time(1.0)
    shell.do(shell.ledger.stalled(shell.now, shell.now))
    return shell


def test_while_livekit_stands_still_nothing_is_sent_and_nothing_ends() -> None:
    shell = stalled(10.0)
    sent = dict(shell.sent)
    shell.pass_time(60.0)
    assert shell.sent == sent
    assert (shell.ledger.in_flight, shell.ledger.queued) == (["a"], ["b"])


def test_what_had_been_sent_whole_does_not_end_by_the_clock_meanwhile_and_the_next_waits() -> None:
    shell = stalled()
    shell.pass_time(60.0)
    assert (shell.ledger.in_flight, shell.ledger.queued) == (["a"], ["b"])


def test_an_end_that_is_reported_when_livekit_goes_on_counts() -> None:
    shell = stalled()
    shell.pass_time(4.0)
    shell.do(shell.ledger.flows(shell.now))
    shell.pass_time(RECEIPT_GRACE - 0.5)
    assert shell.ledger.in_flight == ["a"]
    shell.finished(position=1.0)
    assert (shell.end("a").state, shell.end("a").receipt) == (State.FINISHED, Receipt.CONFIRMED)
    assert shell.ledger.in_flight == ["b"]


def test_an_end_that_is_not_reported_then_is_waited_for_no_longer_than_any() -> None:
    shell = stalled()
    shell.pass_time(4.0)
    shell.do(shell.ledger.flows(shell.now))
    shell.pass_time(RECEIPT_GRACE + 0.1)
    assert shell.end("a").state.terminal


@pytest.mark.parametrize("was_away", [True, False])
def test_livekit_that_was_asked_and_stood_not_still_gives_no_end_more_time(was_away: bool) -> None:
    shell = stalled()
    shell.pass_time(4.0)
    shell.do(shell.ledger.flows(shell.now, was_away=was_away))
    assert ("a" in shell.ledger.in_flight) is was_away


def test_what_was_lost_in_a_stall_counts_as_heard_until_the_stall() -> None:
    shell = stalled(10.0)
    shell.pass_time(3.0)
    shell.do(shell.ledger.connection_lost(LEFT, shell.now))
    end = shell.end("a")
    assert (end.state, end.receipt) == (State.UNKNOWN, Receipt.UNKNOWN)
    assert end.position == pytest.approx(1.0, abs=0.05)
    assert shell.ledger.queued == ["b"]


def test_what_was_sent_into_a_stall_is_unknown_and_not_said_again() -> None:
    shell = Shell(STOCK)
    shell.say("a", 5.0)
    shell.do(shell.ledger.stalled(shell.now - 1.0, shell.now))
    shell.pass_time(3.0)
    shell.do(shell.ledger.connection_lost(LEFT, shell.now))
    assert (shell.end("a").state, shell.end("a").position) == (State.UNKNOWN, 0.0)


def test_time_in_which_livekit_stands_still_is_no_time_without_an_avatar() -> None:
    shell = stalled()
    shell.pass_time(2 * shell.ledger.avatar_timeout)
    assert shell.ledger.queued == ["b"]


def test_the_position_stands_while_livekit_does_and_none_is_below_one_that_a_caller_was_given() -> None:
    shell = Shell(STOCK)
    shell.say("a", 10.0)
    shell.pass_time(3.0)
    before = shell.ledger.position("a", shell.now)
    shell.do(shell.ledger.stalled(shell.now - 2.0, shell.now))
    shell.pass_time(5.0)
    assert shell.ledger.position("a", shell.now) == before
    shell.do(shell.ledger.connection_lost(LEFT, shell.now))
    assert shell.end("a").position == before
