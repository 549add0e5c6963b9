"""What the ledger decides, case by case: sending, receipts and the queue. The machine beside this file tries the orders
that nobody thought of."""

from __future__ import annotations

import pytest

from mouthpiece.playback.commands import Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.playback.pacing import BURST, LEAD, STEADY
from mouthpiece.playback.receiver import RECEIPT_GRACE, SILENCE_GRACE
from mouthpiece.profiles import ANAM, AVALUMA, MOUTHPIECE, STOCK, Profile
from mouthpiece.segments import Attempt, EndedBy, Mode, Problem, Receipt, State
from mouthpiece.wire import PlaybackReceipt, Status, StatusEnded
from tests.unit.playback.shell import LEFT, Shell


@pytest.mark.parametrize("profile", [MOUTHPIECE, AVALUMA, STOCK], ids=lambda profile: profile.name)
def test_sending_starts_with_a_burst_and_is_never_further_ahead_than_the_lead(profile: Profile) -> None:
    shell = Shell(profile)
    shell.say("a", 60.0)
    (attempt,) = shell.open
    assert shell.sent[attempt] == BURST
    for _ in range(100):
        shell.pass_time(0.2)
        assert shell.sent[attempt] <= shell.now + LEAD + 1e-9
        if shell.now > 2:
            assert shell.sent[attempt] >= shell.now + LEAD - STEADY


def test_an_exact_receipt_ends_a_segment_at_its_position() -> None:
    shell = Shell()
    shell.say("a", 1.0)
    shell.started("a")
    shell.pass_time(1.0)
    shell.finished("a", 1.0)
    end = shell.end("a")
    assert (end.state, end.receipt, end.position) == (State.FINISHED, Receipt.CONFIRMED, 1.0)


def test_with_our_avatar_the_next_stream_opens_before_the_one_before_has_ended() -> None:
    shell = Shell()
    shell.say("a", 3.0)
    shell.say("b", 3.0)
    shell.started("a")
    shell.pass_time(1.5)
    assert [attempt.segment for attempt in shell.opened] == ["a", "b"]
    total = sum(shell.sent.values())
    assert total <= shell.now + LEAD + 1e-9
    shell.pass_time(1.5)
    shell.finished("a", 3.0)
    shell.started("b")
    assert shell.ledger.position("b", shell.now + 1) == pytest.approx(1.0, abs=0.01)


def test_elsewhere_the_next_stream_waits_for_the_end_of_the_one_before() -> None:
    shell = Shell(STOCK)
    shell.say("a", 1.0)
    shell.say("b", 1.0)
    shell.pass_time(1.0)
    assert [attempt.segment for attempt in shell.opened] == ["a"]
    shell.finished()
    assert [attempt.segment for attempt in shell.opened] == ["a", "b"]


def test_a_receipt_that_comes_too_early_is_not_believed() -> None:
    shell = Shell(STOCK)
    shell.say("a", 2.0)
    shell.pass_time(1.2)
    shell.finished()
    assert shell.ledger.in_flight == ["a"]
    shell.pass_time(0.8)
    shell.finished()
    assert shell.end("a").receipt is Receipt.CONFIRMED


def test_our_avatar_s_end_that_comes_too_early_is_believed_once_it_may_be_true() -> None:
    shell = Shell()
    shell.say("a", 2.0)
    shell.started("a", attempt=1)
    early = StatusEnded("a", 2.0, interrupted=False, attempt=1)
    for at in (1.2, 1.7):
        shell.pass_time(at - shell.now)
        shell.finished("a", 2.0, attempt=1)
        shell.do(shell.ledger.status(Status(None, (), (early,)), shell.now))
        assert shell.ledger.in_flight == ["a"]
        assert shell.ledger.position("a", shell.now) == pytest.approx(at)
    shell.pass_time(0.3)
    end = shell.end("a")
    assert (end.state, end.position, end.receipt) == (State.FINISHED, 2.0, Receipt.CONFIRMED)


@pytest.mark.parametrize("cleared", [False, True])
def test_an_end_of_our_avatar_s_that_came_too_early_proves_nothing_once_it_has_left_or_was_cleared(
    cleared: bool,
) -> None:
    shell = Shell()
    shell.say("a", 2.0)
    shell.started("a", attempt=1)
    shell.pass_time(1.0)
    shell.finished("a", 2.0, attempt=1)
    if cleared:
        shell.do(shell.ledger.interrupt(shell.now, drop_queued=False))
        shell.do(shell.ledger.clear_answered(True, shell.now))
        shell.pass_time(0.1)
        shell.finished("a", 1.0, interrupted=True, attempt=1)
        assert (shell.end("a").state, shell.end("a").position) == (State.INTERRUPTED, 1.0)
    else:
        shell.do(shell.ledger.avatar_left(LEFT, shell.now))
        assert shell.end("a").state is State.UNKNOWN


def test_ends_of_our_avatar_s_that_come_too_early_count_in_their_order() -> None:
    shell = Shell()
    shell.say("a", 2.0)
    shell.say("b", 1.0)
    shell.started("a", attempt=1)
    shell.pass_time(1.0)
    shell.finished("a", 2.0, attempt=1)
    shell.pass_time(0.5)
    shell.started("b", attempt=1)
    shell.finished("b", 1.0, attempt=1)
    shell.pass_time(0.3)
    assert shell.end("a").state is State.FINISHED
    assert shell.ledger.in_flight == ["b"]
    shell.pass_time(1.0)
    assert shell.end("b").state is State.FINISHED


def test_the_follower_of_what_was_cleared_plays_from_the_clear_on() -> None:
    shell = Shell()
    shell.say("a", 9.0)
    shell.started("a", attempt=1)
    shell.pass_time(2.0)
    shell.say("b", 0.5, Mode.INTERRUPT)
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.pass_time(0.3)
    shell.finished("a", 2.0, interrupted=True, attempt=1)
    shell.started("b", attempt=1)
    shell.pass_time(0.2)
    shell.finished("b", 0.5, attempt=1)
    assert (shell.end("b").state, shell.end("b").position) == (State.FINISHED, 0.5)


def test_our_avatar_may_give_up_early_what_it_has_not_played() -> None:
    shell = Shell()
    shell.say("a", 9.0)
    shell.started("a", attempt=1)
    shell.pass_time(1.0)
    shell.finished("a", 0.9, attempt=1)
    assert (shell.end("a").state, shell.end("a").position) == (State.INTERRUPTED, 0.9)


def test_a_start_that_comes_while_nothing_is_open_says_nothing() -> None:
    shell = Shell(STOCK)
    shell.say("a", 0.3)
    shell.pass_time(0.3)
    shell.finished()
    shell.pass_time(0.04)
    shell.started()
    shell.say("b", 5.0)
    shell.pass_time(1.0)
    assert shell.ledger.position("b", shell.now) == pytest.approx(1.0)


def test_without_receipts_the_playout_clock_ends_a_segment_as_estimated() -> None:
    shell = Shell(STOCK)
    shell.say("a", 1.0)
    shell.started()
    shell.pass_time(1.0 + RECEIPT_GRACE + 0.2)
    end = shell.end("a")
    assert (end.state, end.receipt, end.position) == (State.FINISHED, Receipt.ESTIMATED, 1.0)


def test_where_receipts_never_come_the_playout_clock_is_not_waited_behind() -> None:
    shell = Shell(ANAM)
    shell.say("a", 3.0)
    shell.say("b", 1.0)
    shell.pass_time(2.9)
    assert [attempt.segment for attempt in shell.opened] == ["a"]
    shell.pass_time(0.2)
    assert (shell.end("a").state, shell.end("a").receipt, shell.end("a").position) == (
        State.FINISHED,
        Receipt.ESTIMATED,
        3.0,
    )
    assert [attempt.segment for attempt in shell.opened] == ["a", "b"]


def test_a_receiver_that_may_play_only_after_the_end_of_the_stream_is_given_the_time() -> None:
    shell = Shell(AVALUMA)
    shell.say("a", 4.0)
    shell.pass_time(4.0 + RECEIPT_GRACE + 0.2)
    assert shell.ledger.in_flight == ["a"]
    shell.pass_time(4.0)
    assert shell.end("a").state is State.FINISHED
    shell.say("b", 4.0)  # it has been seen to send no receipts: now the clock's word is taken
    shell.pass_time(4.0 + RECEIPT_GRACE + 0.2)
    assert shell.end("b").receipt is Receipt.ESTIMATED


def test_our_avatar_silent_about_an_end_has_died_and_nothing_is_estimated() -> None:
    shell = Shell()
    shell.say("a", 1.0)
    shell.started("a")
    shell.pass_time(1.0 + SILENCE_GRACE - 0.5)
    assert shell.ledger.in_flight == ["a"]
    shell.pass_time(1.0)
    assert shell.end("a").state is State.UNKNOWN


def test_one_that_may_not_be_interrupted_plays_on() -> None:
    shell = Shell()
    shell.say("a", 5.0, interruptible=False)
    shell.say("b", 1.0, Mode.INTERRUPT)
    assert shell.clears == 0
    assert shell.ledger.in_flight[0] == "a"
    shell.do(shell.ledger.cancel("a", shell.now))
    assert shell.clears == 1


def test_ignore_mode_is_for_when_nothing_plays() -> None:
    shell = Shell()
    shell.say("a", 5.0, Mode.IGNORE)
    shell.say("b", 5.0, Mode.IGNORE)
    assert shell.end("b").state is State.IGNORED
    assert shell.ledger.in_flight == ["a"]


def test_a_gapless_follower_does_not_wake_the_shell_over_and_over() -> None:
    shell = Shell()
    shell.say("a", 5.0)
    shell.say("b", 5.0)
    shell.pass_time(4.9)
    assert [attempt.segment for attempt in shell.opened] == ["a", "b"]
    turns = 0
    until = shell.now + 2.0
    while (wakeup := shell.ledger.next_wakeup(shell.now)) is not None and wakeup <= until:
        turns += 1
        shell.now = wakeup
        shell.do(shell.ledger.tick(shell.now))
    assert turns < 30


def test_no_avatar_in_time_fails_with_the_reason_that_was_found() -> None:
    shell = Shell(profile=None)
    shell.ledger.absence = Problem("livekit-unavailable", "LiveKit is away.", True)
    shell.say("a", 1.0)
    shell.pass_time(29.0)
    assert shell.ledger.queued == ["a"]
    shell.pass_time(1.5)
    end = shell.end("a")
    assert (end.state, end.problem) == (State.FAILED, shell.ledger.absence)


def test_a_segment_whose_time_is_up_expires_while_it_waits_and_not_while_it_plays() -> None:
    shell = Shell(STOCK)
    shell.say("a", 5.0, expires_at=1.0)
    shell.say("b", 5.0, expires_at=1.0)
    shell.pass_time(2.0)
    assert (shell.end("b").state, shell.end("b").ended_by) == (State.EXPIRED, EndedBy.EXPIRED)
    assert shell.ledger.in_flight == ["a"]


def test_one_that_wants_a_viewer_waits_for_one() -> None:
    shell = Shell()
    shell.say("a", 1.0, wait_for_viewer=True)
    shell.do(shell.ledger.viewers(0, shell.now))
    assert shell.opened == []
    shell.do(shell.ledger.viewers(1, shell.now))
    assert [attempt.segment for attempt in shell.opened] == ["a"]


def test_one_that_wants_a_viewer_does_not_count_the_time_without_one_as_without_an_avatar() -> None:
    shell = Shell(profile=None)
    shell.say("a", 1.0, wait_for_viewer=True)
    shell.pass_time(300.0)
    assert shell.ledger.queued == ["a"]
    shell.do(shell.ledger.viewers(1, shell.now))
    shell.pass_time(29.0)
    assert shell.ledger.queued == ["a"]
    shell.pass_time(2.0)
    assert shell.end("a").state is State.FAILED


def test_a_source_that_fails_in_the_middle_fails_after_what_was_sent_has_played() -> None:
    shell = Shell()
    shell.say("a", 60.0)
    shell.started("a")
    shell.pass_time(1.0)
    problem = Problem("damaged-audio", "It is broken.")
    shell.do(shell.ledger.source_failed(shell.opened[0], problem, shell.now))
    assert shell.open == []
    sent = shell.sent[shell.opened[0]]
    shell.pass_time(sent - 1.0)
    shell.finished("a", sent)
    end = shell.end("a")
    assert (end.state, end.problem) == (State.FAILED, problem)


def test_a_slow_source_moves_the_playout_clock_with_it() -> None:
    ledger = Ledger()
    ledger.avatar_ready(MOUTHPIECE, 0.0)
    ledger.enqueue(Utterance("a", 0.0), Mode.APPEND, 0.0)
    attempt = Attempt("a", 1, 0.0)
    ledger.progress(attempt, 0.5, 0.0)
    ledger.reported(PlaybackReceipt("a", "started", 0.0, False, 1), 0.0)
    ledger.progress(attempt, 1.0, 3.0)  # half a second of sound was long over
    assert ledger.position("a", 3.2) == pytest.approx(0.7)


def test_our_avatar_s_receipt_short_of_what_was_sent_is_an_interruption_at_its_position() -> None:
    shell = Shell()
    shell.say("a", 2.0)
    shell.started("a")
    shell.pass_time(2.0)
    shell.finished("a", 0.75)
    end = shell.end("a")
    assert (end.state, end.interrupted, end.receipt, end.position, end.ended_by) == (
        State.INTERRUPTED,
        True,
        Receipt.CONFIRMED,
        0.75,
        EndedBy.AVATAR,
    )


def test_a_stock_receipt_that_admits_less_than_was_sent_is_an_interruption_by_its_own_account() -> None:
    shell = Shell(STOCK)
    shell.say("a", 2.0)
    shell.pass_time(2.5)
    shell.finished(position=0.75)
    end = shell.end("a")
    assert (end.state, end.receipt, end.position) == (State.INTERRUPTED, Receipt.ESTIMATED, 0.75)
    assert end.ended_by is EndedBy.AVATAR


@pytest.mark.parametrize("position", [0.0, 1.8, 7.76], ids=["says nothing", "near the end", "counts other silence"])
def test_a_stock_receipt_s_other_positions_say_nothing_against_a_plausible_end(position: float) -> None:
    shell = Shell(STOCK)
    shell.say("a", 2.0)
    shell.pass_time(2.5)
    shell.finished(position=position)
    end = shell.end("a")
    assert (end.state, end.receipt, end.position) == (State.FINISHED, Receipt.CONFIRMED, 2.0)


def test_before_the_reported_start_nothing_counts_as_heard() -> None:
    """Our avatar begins some 70 ms after the first write: a position by the clock would have to fall back."""
    shell = Shell()
    shell.say("a", 5.0)
    shell.pass_time(0.3)
    assert shell.ledger.position("a", shell.now) == 0.0
    shell.started("a")
    shell.pass_time(0.3)
    assert shell.ledger.position("a", shell.now) == pytest.approx(0.3)
