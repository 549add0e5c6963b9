"""The avatar of a job: started, awaited, started again, given up."""

from __future__ import annotations

import pytest

from mouthpiece.errors import AvatarStartFailed
from mouthpiece_agents.supervision import (
    DELAYS,
    LEFT_ON_PURPOSE_DELAY,
    MAX_FAILURES,
    STABLE_AFTER,
    AvatarSupervision,
    State,
)

START_TIMEOUT = 60.0


def started() -> AvatarSupervision:
    supervision = AvatarSupervision(START_TIMEOUT)
    supervision.begin(0)
    assert supervision.tick(0)
    assert supervision.state is State.STARTING
    return supervision


def present() -> AvatarSupervision:
    supervision = started()
    supervision.started(1)
    supervision.joined(2)
    assert supervision.state is State.PRESENT
    return supervision


def refusal(*, retryable: bool) -> AvatarStartFailed:
    error = AvatarStartFailed("no")
    error.retryable = retryable
    return error


def test_nothing_is_started_before_the_beginning() -> None:
    assert not AvatarSupervision(START_TIMEOUT).tick(100)


def test_a_start_happens_once_and_then_the_avatar_is_awaited() -> None:
    supervision = started()
    assert not supervision.tick(1)
    supervision.started(1)
    assert supervision.state is State.JOINING
    assert supervision.deadline == START_TIMEOUT, "a start is bounded as a whole"
    supervision.joined(2)
    assert supervision.state is State.PRESENT
    assert supervision.deadline is None


def test_the_avatar_may_join_before_the_server_has_answered() -> None:
    supervision = started()
    supervision.joined(1)
    assert supervision.state is State.STARTING
    supervision.started(2)
    assert supervision.state is State.PRESENT


def test_an_avatar_that_is_there_already_is_not_started() -> None:
    supervision = AvatarSupervision(START_TIMEOUT)
    supervision.joined(0)
    supervision.begin(0)
    assert supervision.state is State.PRESENT
    assert not supervision.tick(100)


def test_an_avatar_that_leaves_is_started_again() -> None:
    supervision = present()
    supervision.left(10)
    assert supervision.deadline == 10 + DELAYS[0]
    assert not supervision.tick(10 + DELAYS[0] - 0.01)
    assert supervision.tick(10 + DELAYS[0])


def test_an_avatar_that_left_because_its_room_closes_is_not_started_at_once() -> None:
    supervision = present()
    supervision.left(10, on_purpose=True)
    assert supervision.deadline == 10 + LEFT_ON_PURPOSE_DELAY
    assert not supervision.tick(24.9)
    assert supervision.tick(25)


def test_one_that_is_replaced_under_its_own_name_is_not_started_again() -> None:
    supervision = present()
    supervision.left(10)
    supervision.joined(10.2)
    assert supervision.state is State.PRESENT
    assert not supervision.tick(100)


def test_an_avatar_that_its_server_lost_is_started_again_though_it_is_still_shown() -> None:
    supervision = present()
    supervision.lost(10)
    assert supervision.tick(10 + DELAYS[0])
    supervision.started(12)
    assert supervision.state is State.PRESENT
    supervision.left(12.1)  # what was shown goes when the new one of the same name comes
    supervision.joined(12.1)
    assert supervision.state is State.PRESENT


def test_a_server_that_lost_an_avatar_which_is_being_started_says_nothing_new() -> None:
    supervision = started()
    supervision.lost(1)
    assert supervision.state is State.STARTING


def test_an_avatar_that_does_not_join_is_started_again() -> None:
    supervision = started()
    supervision.started(0)
    assert not supervision.tick(START_TIMEOUT - 0.1)
    assert supervision.state is State.JOINING
    assert not supervision.tick(START_TIMEOUT)
    assert supervision.state is State.AWAY
    assert supervision.tick(START_TIMEOUT + DELAYS[0])


def test_an_avatar_that_joins_long_after_its_server_answered_is_not_started_twice() -> None:
    supervision = started()
    supervision.started(0.2)
    assert not any(supervision.tick(second) for second in range(1, 51))
    supervision.joined(50)
    assert supervision.state is State.PRESENT


def test_an_avatar_that_has_joined_is_not_started_again_because_the_answer_never_came() -> None:
    supervision = started()
    supervision.joined(50)
    supervision.refused(refusal(retryable=True), START_TIMEOUT)
    assert supervision.state is State.PRESENT


def test_a_lost_avatar_that_is_still_shown_does_not_count_as_one_that_has_joined() -> None:
    supervision = present()
    supervision.lost(10)
    assert supervision.tick(10 + DELAYS[0])
    supervision.refused(refusal(retryable=True), 12)
    assert supervision.state is State.AWAY


def test_one_that_came_and_went_before_the_server_answered_is_awaited_once_more() -> None:
    supervision = started()
    supervision.joined(1)
    supervision.left(2)
    supervision.started(3)
    assert supervision.state is State.JOINING


def test_a_refusal_that_no_retry_changes_gives_up_at_once() -> None:
    supervision = started()
    supervision.refused(refusal(retryable=False), 1)
    assert supervision.state is State.GIVEN_UP
    assert supervision.reason == "no"


def test_failures_in_a_row_wait_longer_each_time_and_end() -> None:
    supervision = AvatarSupervision(START_TIMEOUT)
    supervision.begin(0)
    now, waits = 0.0, []
    while True:
        assert supervision.tick(now)
        supervision.refused(refusal(retryable=True), now)
        if supervision.state is State.GIVEN_UP:
            break
        assert supervision.deadline is not None
        waits.append(supervision.deadline - now)
        now = supervision.deadline
    assert waits == list(DELAYS)
    assert supervision.reason == f"no, {MAX_FAILURES + 1} times in a row"


@pytest.mark.parametrize(("stays", "gives_up"), [(STABLE_AFTER - 1, True), (STABLE_AFTER, False)])
def test_only_an_avatar_that_stayed_ends_the_row(stays: float, gives_up: bool) -> None:
    supervision = AvatarSupervision(START_TIMEOUT)
    supervision.begin(0)
    now = 0.0
    for _ in range(MAX_FAILURES + 1):
        supervision.tick(now)
        supervision.started(now)
        supervision.joined(now)
        now += stays
        supervision.left(now)
        now = supervision.deadline or now
    assert (supervision.state is State.GIVEN_UP) is gives_up


def test_what_happens_after_giving_up_changes_nothing() -> None:
    supervision = present()
    supervision.give_up("another agent keeps it")
    supervision.left(5)
    supervision.joined(6)
    supervision.started(7)
    supervision.refused(refusal(retryable=True), 8)
    assert not supervision.tick(100)
    assert supervision.state is State.GIVEN_UP
    assert supervision.reason == "another agent keeps it"
