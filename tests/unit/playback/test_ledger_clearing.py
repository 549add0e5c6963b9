"""What the ledger decides about interrupts and cancels."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mouthpiece.playback.commands import Command
from mouthpiece.playback.ledger import Ledger
from mouthpiece.playback.receiver import CLEAR_GRACE
from mouthpiece.profiles import ANAM, STOCK
from mouthpiece.segments import EndedBy, Mode, Problem, Receipt, State
from mouthpiece.wire import Status, StatusEnded, StatusPlaying
from tests.unit.playback.shell import Shell


def test_the_late_interruption_of_an_earlier_segment_does_not_end_the_next_one() -> None:
    shell = Shell(STOCK)
    shell.say("a", 5.0)
    shell.pass_time(1.0)
    shell.do(shell.ledger.interrupt(shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.pass_time(CLEAR_GRACE + 0.1)
    assert shell.end("a").receipt is Receipt.ESTIMATED
    shell.say("b", 5.0)
    shell.pass_time(1.0)
    shell.finished(interrupted=True, position=1.0)
    assert shell.ledger.in_flight == ["b"]


def test_where_receipts_never_come_an_interrupt_ends_with_the_answer_to_the_clear() -> None:
    shell = Shell(ANAM)
    shell.say("a", 10.0)
    shell.say("b", 1.0)
    shell.pass_time(2.0)
    shell.do(shell.ledger.interrupt(shell.now))
    assert shell.ledger.in_flight == ["a"]
    shell.do(shell.ledger.clear_answered(True, shell.now))
    ended = shell.end("a")
    assert (ended.state, ended.receipt, ended.position) == (State.INTERRUPTED, Receipt.ESTIMATED, pytest.approx(2.0))
    assert [attempt.segment for attempt in shell.opened] == ["a", "b"]


def test_an_interrupt_clears_and_closes_and_takes_the_position_of_the_receipt() -> None:
    shell = Shell()
    shell.say("a", 10.0)
    shell.started("a")
    shell.pass_time(2.0)
    shell.do(shell.ledger.interrupt(shell.now))
    assert (shell.clears, shell.open) == (1, [])
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 1.96, interrupted=True)
    end = shell.end("a")
    assert (end.state, end.interrupted, end.position) == (State.INTERRUPTED, True, 1.96)


def test_an_interrupt_keeps_what_was_sent_ahead_of_the_next_one() -> None:
    shell = Shell()
    shell.say("a", 2.5)
    shell.say("b", 2.0)
    shell.started("a")
    shell.pass_time(1.5)
    assert shell.ledger.in_flight == ["a", "b"]
    shell.do(shell.ledger.interrupt(shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 1.5, interrupted=True)
    shell.finished("b", 0.0, interrupted=True)
    assert shell.end("a").state is State.INTERRUPTED
    assert [(attempt.segment, attempt.offset) for attempt in shell.opened[2:]] == [("b", 0.0)]


def test_cancelling_the_second_of_two_gapless_ones_lets_the_first_go_on_from_where_it_was() -> None:
    shell = Shell()
    shell.say("a", 2.5)
    shell.say("b", 2.0)
    shell.started("a")
    shell.pass_time(1.5)
    shell.do(shell.ledger.cancel("b", shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 1.5, interrupted=True)
    shell.finished("b", 0.0, interrupted=True)
    assert shell.end("b").state is State.CANCELLED
    assert [(attempt.segment, attempt.offset) for attempt in shell.opened[2:]] == [("a", 1.5)]


def test_interrupt_mode_goes_before_what_waits() -> None:
    shell = Shell(STOCK)
    for segment in ("a", "b"):
        shell.say(segment, 5.0)
    shell.say("now", 1.0, Mode.INTERRUPT)
    shell.do(shell.ledger.clear_answered(True, shell.now))
    assert [attempt.segment for attempt in shell.opened] == ["a", "now"]
    assert shell.ledger.queued == ["b"]


def test_an_interrupt_takes_the_place_of_earlier_ones_that_have_not_begun_and_may_be_interrupted() -> None:
    shell = Shell(STOCK)
    shell.say("a", 5.0)
    shell.say("b", 1.0)
    shell.pass_time(1.0)
    shell.say("stays", 1.0, Mode.INTERRUPT, interruptible=False)
    shell.say("goes", 1.0, Mode.INTERRUPT)
    shell.say("last", 1.0, Mode.INTERRUPT)
    assert (shell.end("goes").state, shell.end("goes").ended_by) == (State.CANCELLED, EndedBy.SUPERSEDED)
    assert shell.ledger.queued == ["stays", "last", "b"]
    assert shell.clears == 1
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished(position=1.0, interrupted=True)
    assert (shell.end("a").state, shell.end("a").ended_by) == (State.INTERRUPTED, EndedBy.SUPERSEDED)
    assert shell.ledger.in_flight == ["stays"]


def test_what_was_heard_before_it_was_superseded_is_interrupted_and_what_was_not_is_cancelled() -> None:
    for heard, state in ((0.0, State.CANCELLED), (0.4, State.INTERRUPTED)):
        shell = Shell()
        shell.say("first", 5.0, Mode.INTERRUPT)
        shell.pass_time(0.4)
        shell.say("second", 1.0, Mode.INTERRUPT)
        shell.do(shell.ledger.clear_answered(True, shell.now))
        shell.finished("first", heard, interrupted=True)
        assert (shell.end("first").state, shell.end("first").ended_by) == (state, EndedBy.SUPERSEDED)


def test_nothing_that_waits_is_begun_by_one_who_leaves() -> None:
    shell = Shell(STOCK)
    shell.say("a", 10.0)
    shell.say("b", 10.0)
    shell.pass_time(1.0)
    shell.ledger.hold()
    shell.do(shell.ledger.interrupt(shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.pass_time(5.0)
    assert shell.ledger.quiet
    assert (shell.ledger.queued, [attempt.segment for attempt in shell.opened]) == (["b"], ["a"])


def test_one_on_its_way_back_to_the_queue_can_be_cancelled() -> None:
    cancels: tuple[Callable[[Ledger, float], list[Command]], ...] = (
        lambda ledger, now: ledger.cancel("b", now),
        lambda ledger, now: ledger.interrupt(now, drop_queued=True),
    )
    for cancel in cancels:
        shell = Shell()
        shell.say("a", 1.0)
        shell.say("b", 9.0)
        shell.pass_time(0.5)
        shell.say("c", 1.0, Mode.INTERRUPT)
        shell.do(cancel(shell.ledger, shell.now))
        shell.do(shell.ledger.clear_answered(True, shell.now))
        shell.finished("a", 0.5, True)
        shell.finished("b", 0.0, True)
        assert shell.end("b").state is State.CANCELLED
        shell.pass_time(3.0)
        assert "b" not in [attempt.segment for attempt in shell.opened[2:]]


def test_one_that_plays_out_after_its_source_broke_can_be_interrupted() -> None:
    shell = Shell()
    shell.say("a", 20.0)
    shell.pass_time(1.0)
    shell.do(shell.ledger.source_failed(shell.opened[0], Problem("not-audio", "Broken."), shell.now))
    shell.do(shell.ledger.interrupt(shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 1.0, True)
    assert shell.end("a").state is State.INTERRUPTED


def test_a_segment_that_goes_on_beside_a_cancelled_one_does_not_expire() -> None:
    shell = Shell()
    shell.say("a", 2.5, expires_at=1.0)
    shell.say("b", 2.0)
    shell.started("a")
    shell.pass_time(1.5)
    shell.do(shell.ledger.cancel("b", shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 1.5, interrupted=True)
    shell.finished("b", 0.0, interrupted=True)
    assert [(attempt.segment, attempt.offset) for attempt in shell.opened[2:]] == [("a", 1.5)]


@pytest.mark.parametrize("act", ["cancel", "interrupt", "enqueue"])
def test_one_whose_source_broke_is_cleared_once(act: str) -> None:
    shell = Shell()
    shell.say("a", 20.0)
    shell.pass_time(1.0)
    shell.do(shell.ledger.source_failed(shell.opened[0], Problem("not-audio", "Broken."), shell.now))
    shell.do(shell.ledger.pause(shell.now))
    if act == "cancel":
        shell.do(shell.ledger.cancel("a", shell.now))
    elif act == "interrupt":
        shell.do(shell.ledger.interrupt(shell.now))
    else:
        shell.say("b", 1.0, Mode.INTERRUPT)
    assert shell.clears == 1
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 1.0, True)
    assert (shell.end("a").state, shell.end("a").position) == (State.FAILED, 1.0)


@pytest.mark.parametrize("answered", [True, False, None], ids=["answered", "refused", "no answer"])
def test_a_clear_whose_receipt_does_not_come_is_asked_about_and_the_rest_goes_on_from_there(
    answered: bool | None,
) -> None:
    shell = Shell()
    shell.say("a", 9.0)
    shell.started("a", attempt=1)
    shell.pass_time(1.0)
    shell.do(shell.ledger.pause(shell.now))
    if answered is not None:
        shell.do(shell.ledger.clear_answered(answered, shell.now))
    shell.pass_time(CLEAR_GRACE + 3.0)
    assert shell.ledger.in_flight == ["a"]
    ended = StatusEnded("a", 1.1, interrupted=True, attempt=1)
    shell.do(shell.ledger.status(Status(None, (), (ended,)), shell.now))
    assert shell.ledger.queued == ["a"]
    shell.do(shell.ledger.resume(shell.now))
    assert [(attempt.segment, attempt.offset) for attempt in shell.opened[1:]] == [("a", 1.1)]


def test_a_clear_that_did_not_arrive_is_asked_for_again() -> None:
    shell = Shell()
    shell.say("a", 9.0)
    shell.started("a", attempt=1)
    shell.pass_time(1.0)
    shell.do(shell.ledger.interrupt(shell.now))
    shell.do(shell.ledger.clear_answered(False, shell.now))
    shell.do(shell.ledger.status(Status(StatusPlaying("a", 2.0, 1), (), ()), shell.now))
    assert shell.clears == 2
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 2.1, True, attempt=1)
    end = shell.end("a")
    assert (end.state, end.receipt, end.ended_by, end.position) == (
        State.INTERRUPTED,
        Receipt.CONFIRMED,
        EndedBy.CALLER,
        2.1,
    )
