"""How far a segment is said to have come, where the avatar reports starts and can be asked."""

from __future__ import annotations

import pytest

from mouthpiece.playback.receiver import SILENCE_GRACE
from mouthpiece.segments import Receipt, State
from mouthpiece.wire import Status, StatusPlaying
from tests.unit.playback.shell import LEFT, Shell


def answer(shell: Shell, position: float) -> None:
    shell.do(shell.ledger.status(Status(StatusPlaying("a", position, 1)), shell.now))


def playing(seconds: float) -> Shell:
    """Return a shell in which ``a`` of 60 s has been played for ``seconds``."""
    shell = Shell()
    shell.say("a", 60.0)
    shell.started("a")
    shell.pass_time(seconds)
    return shell


def test_what_the_avatar_never_reported_to_have_begun_has_come_nowhere() -> None:
    shell = Shell()
    shell.say("a", 2.0)
    shell.pass_time(2.0 + SILENCE_GRACE + 1.0)
    assert (shell.end("a").state, shell.end("a").receipt, shell.end("a").position) == (
        State.UNKNOWN,
        Receipt.UNKNOWN,
        0.0,
    )


def test_an_avatar_that_stands_still_has_come_as_far_as_it_says() -> None:
    shell = playing(1.0)
    for _ in range(5):
        answer(shell, 1.0)
        shell.pass_time(1.0)
    assert shell.ledger.position("a", shell.now) == pytest.approx(1.0)
    shell.do(shell.ledger.avatar_left(LEFT, shell.now))
    assert (shell.end("a").state, shell.end("a").position) == (State.UNKNOWN, pytest.approx(1.0))


def test_between_two_answers_the_position_goes_on_from_the_last_one() -> None:
    shell = playing(3.0)
    answer(shell, 2.5)
    shell.pass_time(0.5)
    assert shell.ledger.position("a", shell.now) == pytest.approx(3.0)
    answer(shell, 3.0)
    shell.pass_time(0.25)
    assert shell.ledger.position("a", shell.now) == pytest.approx(3.25)


def test_a_position_that_a_caller_was_given_never_falls() -> None:
    shell = playing(3.0)
    assert shell.ledger.position("a", shell.now) == pytest.approx(3.0)
    answer(shell, 2.0)
    assert shell.ledger.position("a", shell.now) == pytest.approx(3.0)


def test_an_avatar_that_says_more_than_can_have_been_played_is_not_believed() -> None:
    shell = playing(3.0)
    answer(shell, 30.0)
    assert shell.ledger.position("a", shell.now) == pytest.approx(3.0)


def test_an_avatar_that_has_played_all_it_was_sent_does_not_stand_still() -> None:
    shell = Shell()
    shell.say("a", 1.0)
    shell.started("a")
    shell.pass_time(1.0)
    answer(shell, 0.9)
    answer(shell, 0.9)
    shell.pass_time(0.1)
    assert shell.ledger.position("a", shell.now) == pytest.approx(1.0)


def test_an_answer_proves_a_beginning_whose_report_was_lost() -> None:
    shell = Shell()
    shell.say("a", 60.0)
    shell.pass_time(0.5)
    assert shell.ledger.position("a", shell.now) == 0.0
    answer(shell, 0.4)
    assert shell.ledger.position("a", shell.now) == pytest.approx(0.4)
