"""What the ledger decides when an avatar or a stream is lost."""

from __future__ import annotations

import pytest

from mouthpiece.playback.at_most_once import REWIND
from mouthpiece.playback.commands import Utterance
from mouthpiece.playback.ledger import DEAF, Ledger
from mouthpiece.playback.receiver import CLEAR_GRACE, TEST_AFTER, TEST_WITHIN
from mouthpiece.playback.restored import Restored, Unsettled
from mouthpiece.profiles import ANAM, MOUTHPIECE, STOCK, Profile
from mouthpiece.segments import Attempt, EndedBy, Mode, OnLoss, Receipt, State
from mouthpiece.wire import PlaybackReceipt
from tests.unit.playback.shell import LEFT, Shell

TEST_TAKES = TEST_AFTER + TEST_WITHIN + 0.1
"""Seconds in which a receiver is found not to report a silence."""


def test_when_the_avatar_leaves_what_may_have_been_heard_is_unknown_and_what_was_not_is_said_by_the_next() -> None:
    shell = Shell()
    shell.say("a", 2.5)
    shell.say("b", 1.0)
    shell.started("a")
    shell.pass_time(1.5)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    end = shell.end("a")
    assert (end.state, end.receipt, end.problem) == (State.UNKNOWN, Receipt.UNKNOWN, LEFT)
    assert shell.ledger.queued == ["b"]
    shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now))
    assert [(attempt.segment, attempt.number, attempt.offset) for attempt in shell.opened[2:]] == [("b", 2, 0.0)]


def test_a_caller_who_chose_replay_hears_again_what_may_have_been_lost_unnoticed() -> None:
    shell = Shell()
    shell.say("a", 100.0, on_loss=OnLoss.REPLAY)
    shell.started("a")
    shell.pass_time(50.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now + 5))
    assert shell.opened[-1].offset == pytest.approx(50.0 - REWIND, abs=0.05)


def test_a_replay_of_what_had_been_sent_whole_when_its_avatar_died_is_said_again() -> None:
    """LiveKit tells of a killed avatar after 15 s: by the clock all of it has played by then."""
    shell = Shell()
    shell.say("a", 5.0, on_loss=OnLoss.REPLAY)
    shell.started("a")
    shell.pass_time(18.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now))
    assert [(attempt.number, attempt.offset) for attempt in shell.opened] == [(1, 0.0), (2, 0.0)]


def test_one_that_moves_to_another_ledger_waits_there_for_its_whole_time_and_keeps_its_attempts() -> None:
    shell = Shell()
    shell.say("a", 50.0)
    shell.say("b", 1.0)
    shell.pass_time(40.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    other = Shell(profile=None)
    other.now, other.lengths = shell.now, shell.lengths
    waiting = shell.ledger.withdraw("b")
    assert waiting is not None
    other.do(other.ledger.admit(waiting, other.now))
    other.pass_time(29.0)
    assert other.ledger.queued == ["b"]
    other.do(other.ledger.avatar_ready(MOUTHPIECE, other.now))
    assert [(attempt.segment, attempt.number) for attempt in other.opened] == [("b", 1)]


def test_a_second_one_of_which_nothing_was_sent_is_not_lost_with_the_receipt_that_never_comes() -> None:
    ledger, now = Ledger(), 0.0
    ledger.avatar_ready(MOUTHPIECE, now)
    ledger.enqueue(Utterance("a", now), Mode.APPEND, now)
    ledger.progress(Attempt("a", 1, 0.0), 0.5, now, whole=True)
    ledger.enqueue(Utterance("b", now), Mode.APPEND, now)
    ledger.enqueue(Utterance("c", now), Mode.INTERRUPT, now)
    ledger.clear_answered(True, now)
    ledger.reported(PlaybackReceipt("a", "finished", 0.1, True, 1), now)
    ledger.tick(now + CLEAR_GRACE + 0.1)
    assert "b" in ledger.queued


def test_of_two_gapless_ones_the_first_was_over_when_the_second_began_and_neither_is_said_again() -> None:
    shell = Shell()
    shell.say("a", 1.0)
    shell.say("b", 1.0)
    shell.started("a", attempt=1)
    shell.pass_time(1.0)
    shell.started("b", attempt=1)  # the end of "a" is reported once it was acknowledged
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    first, second = shell.end("a"), shell.end("b")
    assert (first.state, first.position, first.receipt) == (State.FINISHED, 1.0, Receipt.ESTIMATED)
    assert (second.state, second.problem) == (State.UNKNOWN, LEFT)
    assert shell.ledger.idle


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_late_receipt_of_an_attempt_that_was_lost_proves_nothing_of_its_replay(interrupted: bool) -> None:
    shell = Shell()
    shell.say("a", 5.0, on_loss=OnLoss.REPLAY)
    shell.started("a", attempt=1)
    shell.pass_time(5.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now))
    shell.pass_time(1.0)
    shell.finished("a", 5.0, interrupted, attempt=1)
    assert (shell.ledger.in_flight, shell.open) == (["a"], [Attempt("a", 2, 0.0)])
    shell.pass_time(4.0)
    shell.finished("a", 5.0, attempt=2)
    assert (shell.end("a").state, shell.end("a").attempt) == (State.FINISHED, Attempt("a", 2, 0.0))


def test_a_late_start_of_an_attempt_before_a_pause_does_not_start_the_clock_of_the_next() -> None:
    shell = Shell()
    shell.say("a", 9.0)
    shell.pass_time(1.0)
    shell.do(shell.ledger.pause(shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 0.9, interrupted=True, attempt=1)
    shell.do(shell.ledger.resume(shell.now))
    shell.started("a", attempt=1)
    shell.pass_time(0.5)
    assert shell.ledger.position("a", shell.now) == pytest.approx(0.9)
    shell.started("a", attempt=2)
    shell.pass_time(0.5)
    assert shell.ledger.position("a", shell.now) == pytest.approx(1.4)


LOSSES = ("cancel", "expires", "no new avatar", "dropped", "room closed")


@pytest.mark.parametrize("how", LOSSES)
def test_what_was_lost_and_waits_to_be_replayed_ends_by_what_may_have_been_heard(how: str) -> None:
    shell = Shell()
    shell.say("a", 60.0, on_loss=OnLoss.REPLAY, expires_at=8.0 if how == "expires" else None)
    shell.started("a")
    shell.pass_time(5.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    assert shell.ledger.queued == ["a"]
    match how:
        case "cancel":
            shell.do(shell.ledger.cancel("a", shell.now))
        case "dropped":
            shell.do(shell.ledger.interrupt(shell.now, drop_queued=True))
        case "room closed":
            shell.do(shell.ledger.give_up(LEFT, shell.now))
        case _:
            shell.pass_time(31.0)
    end = shell.end("a")
    assert end.state is (State.INTERRUPTED if how in ("cancel", "expires", "dropped") else State.UNKNOWN)
    assert (end.receipt, end.position) == (Receipt.UNKNOWN, pytest.approx(5.0))
    if how == "expires":
        assert end.ended_by is EndedBy.EXPIRED


def test_a_replay_stays_playing_and_its_position_does_not_fall() -> None:
    shell = Shell()
    shell.say("a", 60.0, on_loss=OnLoss.REPLAY)
    shell.started("a")
    shell.pass_time(5.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    shell.pass_time(1.0)
    shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now))
    assert shell.opened[-1] == Attempt("a", 2, 0.0)
    shell.started("a")
    shell.pass_time(2.0)
    assert shell.ledger.position("a", shell.now) == pytest.approx(5.0)
    assert shell.ledger.playhead("a", shell.now) == pytest.approx(2.0)
    shell.pass_time(4.0)
    assert shell.ledger.position("a", shell.now) == pytest.approx(6.0)
    begun = [report for report in shell.reports if report.type == "segment.playing"]
    assert len(begun) == 1
    after = shell.reports[shell.reports.index(begun[0]) :]
    assert {report.state for report in after} == {State.PLAYING}
    assert [report.type for report in after[1:]] == ["attempt.ended", "attempt.opened", "attempt.started"]


def test_an_interrupted_replay_keeps_the_furthest_that_was_heard() -> None:
    shell = Shell()
    shell.say("a", 60.0, on_loss=OnLoss.REPLAY)
    shell.started("a")
    shell.pass_time(5.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now))
    shell.started("a")
    shell.pass_time(2.0)
    shell.do(shell.ledger.cancel("a", shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 0.0, interrupted=True)
    end = shell.end("a")
    assert (end.state, end.receipt, end.position) == (State.INTERRUPTED, Receipt.UNKNOWN, pytest.approx(5.0))


def test_a_replay_that_is_cut_before_it_got_further_keeps_the_furthest_too() -> None:
    shell = Shell()
    shell.say("a", 60.0, on_loss=OnLoss.REPLAY)
    shell.started("a")
    shell.pass_time(5.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now))
    shell.started("a")
    shell.pass_time(2.0)
    shell.do(shell.ledger.interrupt(shell.now))
    shell.do(shell.ledger.clear_answered(True, shell.now))
    shell.finished("a", 1.9, interrupted=True)
    assert (shell.end("a").state, shell.end("a").position) == (State.INTERRUPTED, pytest.approx(5.0))


def test_streams_that_do_not_open_are_counted_apart_from_attempts_that_were_lost() -> None:
    shell = Shell()
    shell.say("a", 60.0, on_loss=OnLoss.REPLAY)
    for _ in range(3):
        shell.pass_time(1.0)
        shell.do(shell.ledger.avatar_left(LEFT, shell.now))
        shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now))
    attempt = shell.open.pop()
    shell.do(shell.ledger.not_opened(attempt, LEFT, shell.now))
    assert not [report for report in shell.reports if report.state.terminal]


def taken_over(*, restored: bool) -> Shell:
    """Towards a stock receiver, after a stream to it broke off: the sender was killed, or lost LiveKit."""
    shell = Shell(profile=None if restored else STOCK)
    if restored:
        utterance = Utterance("cut", 0.0)
        unsettled = Unsettled(Attempt("cut", 1, 0.0), "session", 5.0)
        shell.do(shell.ledger.restore(Restored(utterance, attempts=1, begun=True, unsettled=unsettled), shell.now))
    else:
        shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="session"))
        shell.say("cut", 5.0)
        shell.pass_time(1.0)
        shell.do(shell.ledger.connection_lost(LEFT, shell.now))
    return shell


@pytest.mark.parametrize("restored", [True, False])
def test_of_a_receiver_that_is_silent_after_a_stream_broke_off_nothing_is_estimated(
    restored: bool,
) -> None:
    shell = taken_over(restored=restored)
    shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="session"))
    assert shell.end("cut").state is State.UNKNOWN
    for segment in ("a", "b"):
        shell.say(segment, 1.0)
        shell.pass_time(TEST_TAKES + 10.0)
        end = shell.end(segment)
        assert (end.state, end.receipt, end.ended_by) == (State.UNKNOWN, Receipt.UNKNOWN, EndedBy.AVATAR)
        assert end.problem == DEAF


def listened_to(*, heard: bool | None) -> Shell:
    """After a stream broke off, one more was said of which the receiver reported nothing; its track was judged."""
    shell = taken_over(restored=True)
    shell.ledger.listens = True
    shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="session"))
    for segment in ("a", "b"):
        shell.say(segment, 1.0)
    shell.pass_time(TEST_TAKES)
    while "a" in shell.ledger.in_flight:
        shell.pass_time(0.1)
    shell.pass_time(1.0)
    assert shell.ledger.in_flight == [], "what waits is not sent before the verdict"
    shell.do(shell.ledger.judged(heard, shell.now))
    return shell


def test_to_a_receiver_whose_track_shows_that_it_is_deaf_nothing_more_is_sent() -> None:
    shell = listened_to(heard=False)
    assert shell.ledger.deaf
    shell.pass_time(shell.ledger.avatar_timeout)
    end = shell.end("b")
    assert (end.state, end.problem, end.position) == (State.FAILED, DEAF, 0.0)
    assert shell.end("a").state is State.UNKNOWN


@pytest.mark.parametrize("heard", [True, None])
def test_a_receiver_whose_track_shows_that_it_hears_or_nothing_gets_what_waits(heard: bool | None) -> None:
    shell = listened_to(heard=heard)
    assert not shell.ledger.deaf
    assert shell.ledger.in_flight == ["b"]
    shell.pass_time(10.0)
    assert shell.end("b").state is (State.FINISHED if heard else State.UNKNOWN)


def test_an_avatar_that_is_started_again_gets_what_a_deaf_one_did_not() -> None:
    shell = listened_to(heard=False)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="another"))
    shell.pass_time(10.0)
    assert shell.end("b").state is State.FINISHED


@pytest.mark.parametrize("restored", [True, False])
def test_a_receiver_that_reports_after_a_stream_broke_off_hears(restored: bool) -> None:
    shell = taken_over(restored=restored)
    shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="session"))
    shell.say("a", 1.0)
    shell.pass_time(TEST_TAKES)
    shell.started()
    shell.pass_time(10.0)
    assert (shell.end("a").state, shell.end("a").receipt) == (State.FINISHED, Receipt.ESTIMATED)


@pytest.mark.parametrize("restored", [True, False])
def test_after_a_stream_broke_off_a_receiver_that_reports_a_silence_is_sent_the_queue(restored: bool) -> None:
    shell = taken_over(restored=restored)
    shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="session"))
    shell.say("a", 1.0)
    shell.pass_time(TEST_AFTER - 0.1)
    assert (shell.tests, shell.ledger.in_flight) == (0, [])
    shell.finished(position=3.0)  # of what it played before
    shell.pass_time(TEST_AFTER)
    assert (shell.tests, shell.ledger.in_flight) == (1, [])
    shell.finished(position=3.2)
    assert shell.ledger.in_flight == ["a"]
    shell.pass_time(10.0)
    assert (shell.end("a").state, shell.end("a").receipt) == (State.FINISHED, Receipt.ESTIMATED)
    assert shell.tests == 1


def lost_after_a_report() -> Shell:
    """An avatar session has reported an end, and LiveKit went away in the middle of the next segment."""
    shell = Shell(profile=None)
    shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="session"))
    shell.say("before", 1.0)
    shell.pass_time(1.0)
    shell.finished(position=1.0)
    shell.say("cut", 5.0)
    shell.pass_time(1.0)
    shell.do(shell.ledger.connection_lost(LEFT, shell.now))
    return shell


def test_on_a_receiver_that_has_reported_ends_and_does_not_report_a_silence_nothing_is_spent() -> None:
    shell = lost_after_a_report()
    shell.do(shell.ledger.connection_back(shell.now))
    shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="session"))
    shell.say("a", 1.0)
    shell.pass_time(TEST_TAKES)
    assert shell.ledger.deaf
    shell.pass_time(shell.ledger.avatar_timeout)
    assert (shell.end("a").state, shell.end("a").problem) == (State.FAILED, DEAF)
    assert shell.opened == [Attempt("before", 1, 0.0), Attempt("cut", 1, 0.0)]


def test_an_avatar_that_joins_anew_after_an_absence_of_livekit_may_be_the_deaf_one() -> None:
    shell = lost_after_a_report()
    shell.say("a", 1.0)
    shell.do(shell.ledger.connection_back(shell.now))
    for session in ("resumed", "joined anew"):
        shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session=session))
        shell.pass_time(1.0)
        shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    shell.do(shell.ledger.avatar_ready(STOCK, shell.now, session="joined anew again"))
    shell.pass_time(TEST_TAKES)
    assert shell.ledger.deaf
    assert shell.ledger.queued == ["a"]


@pytest.mark.parametrize(("profile", "session"), [(STOCK, "another"), (ANAM, "session")])
def test_another_receiver_and_one_that_never_reports_are_not_taken_for_deaf(profile: Profile, session: str) -> None:
    shell = taken_over(restored=True)
    shell.do(shell.ledger.avatar_ready(profile, shell.now, session=session))
    shell.say("a", 1.0)
    shell.pass_time(10.0)
    assert (shell.end("a").state, shell.end("a").receipt) == (State.FINISHED, Receipt.ESTIMATED)
