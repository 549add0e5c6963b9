"""What the ledger decides, case by case; the machine beside this file tries the orders that nobody thought of."""

from __future__ import annotations

import pytest

from mouthpiece.playback.commands import Clear, Close, Command, Open, Report, Send, Utterance
from mouthpiece.playback.ledger import Ledger
from mouthpiece.playback.loss import REWIND
from mouthpiece.playback.pacing import BURST, LEAD, STEADY
from mouthpiece.playback.receiver import CLEAR_GRACE, RECEIPT_GRACE, SILENCE_GRACE
from mouthpiece.profiles import ANAM, AVALUMA, MOUTHPIECE, STOCK, Profile
from mouthpiece.segments import Attempt, Mode, OnLoss, Problem, Receipt, State

LEFT = Problem("avatar-left", "The avatar left.", True)


class Shell:
    """Carries out what a ledger says, with sources that are always ready, on a clock of its own."""

    def __init__(self, profile: Profile | None = MOUTHPIECE) -> None:
        self.ledger = Ledger(avatar_timeout=30.0)
        self.now = 0.0
        self.lengths: dict[str, float] = {}
        self.open: list[Attempt] = []
        self.opened: list[Attempt] = []
        self.sent: dict[Attempt, float] = {}
        self.clears = 0
        self.reports: list[Report] = []
        if profile is not None:
            self.do(self.ledger.avatar_ready(profile, self.now))

    def do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Open(attempt):
                    self.open.append(attempt)
                    self.opened.append(attempt)
                    self.sent[attempt] = 0.0
                case Send(attempt, up_to):
                    total = self.lengths[attempt.segment] - attempt.offset
                    self.sent[attempt] = min(up_to, total)
                    whole = up_to >= total
                    self.do(self.ledger.progress(attempt, self.sent[attempt], self.now, whole=whole))
                case Close(attempt):
                    self.open.remove(attempt)
                case Clear():
                    self.clears += 1
                case Report():
                    self.reports.append(command)

    def say(self, segment: str, length: float, mode: Mode = Mode.APPEND, **options: object) -> None:
        self.lengths[segment] = length
        utterance = Utterance(segment, self.now, **options)  # type: ignore[arg-type]
        self.do(self.ledger.enqueue(utterance, mode, self.now))

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while (wakeup := self.ledger.next_wakeup(self.now)) is not None and wakeup <= until:
            self.now = wakeup
            self.do(self.ledger.tick(self.now))
        self.now = until
        self.do(self.ledger.tick(self.now))

    def started(self, segment: str | None = None) -> None:
        self.do(self.ledger.started(segment, self.now))

    def finished(self, segment: str | None = None, position: float = 0.0, interrupted: bool = False) -> None:
        self.do(self.ledger.finished(segment, position, interrupted, self.now))

    def end(self, segment: str) -> Report:
        ends = [report for report in self.reports if report.segment == segment and report.state.terminal]
        assert len(ends) == 1, f"{len(ends)} ends of {segment}"
        return ends[0]


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
    for cancel in (
        lambda ledger, now: ledger.cancel("b", now),
        lambda ledger, now: ledger.interrupt(now, drop_queued=True),
    ):
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


def test_a_second_one_of_which_nothing_was_sent_is_not_lost_with_the_receipt_that_never_comes() -> None:
    ledger, now = Ledger(), 0.0
    ledger.avatar_ready(MOUTHPIECE, now)
    ledger.enqueue(Utterance("a", now), Mode.APPEND, now)
    ledger.progress(Attempt("a", 1, 0.0), 0.5, now, whole=True)
    ledger.enqueue(Utterance("b", now), Mode.APPEND, now)
    ledger.enqueue(Utterance("c", now), Mode.INTERRUPT, now)
    ledger.clear_answered(True, now)
    ledger.finished("a", 0.1, True, now)
    ledger.tick(now + CLEAR_GRACE + 0.1)
    assert "b" in ledger.queued


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
    assert shell.end("b").state is State.EXPIRED
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
    shell.finished("a", shell.sent[shell.opened[0]])
    end = shell.end("a")
    assert (end.state, end.problem) == (State.FAILED, problem)


def test_a_slow_source_moves_the_playout_clock_with_it() -> None:
    ledger = Ledger()
    ledger.avatar_ready(MOUTHPIECE, 0.0)
    ledger.enqueue(Utterance("a", 0.0), Mode.APPEND, 0.0)
    attempt = Attempt("a", 1, 0.0)
    ledger.progress(attempt, 0.5, 0.0)
    ledger.started("a", 0.0)
    ledger.progress(attempt, 1.0, 3.0)  # half a second of sound was long over
    assert ledger.position("a", 3.2) == pytest.approx(0.7)


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


def test_our_avatar_s_receipt_short_of_what_was_sent_is_an_interruption_at_its_position() -> None:
    shell = Shell()
    shell.say("a", 2.0)
    shell.started("a")
    shell.pass_time(2.0)
    shell.finished("a", 0.75)
    end = shell.end("a")
    assert (end.state, end.interrupted, end.receipt, end.position) == (
        State.INTERRUPTED,
        True,
        Receipt.CONFIRMED,
        0.75,
    )


def test_a_stock_receipt_that_admits_less_than_was_sent_is_an_interruption_by_its_own_account() -> None:
    shell = Shell(STOCK)
    shell.say("a", 2.0)
    shell.pass_time(2.5)
    shell.finished(position=0.75)
    end = shell.end("a")
    assert (end.state, end.receipt, end.position) == (State.INTERRUPTED, Receipt.ESTIMATED, 0.75)


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


def test_streams_that_do_not_open_are_counted_apart_from_attempts_that_were_lost() -> None:
    shell = Shell()
    shell.say("a", 60.0, on_loss=OnLoss.REPLAY)
    for _ in range(3):
        shell.pass_time(1.0)
        shell.do(shell.ledger.avatar_left(LEFT, shell.now))
        shell.do(shell.ledger.avatar_ready(MOUTHPIECE, shell.now))
    attempt = shell.open.pop()
    shell.do(shell.ledger.opened_failed(attempt, LEFT, shell.now))
    assert not [report for report in shell.reports if report.state.terminal]


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
