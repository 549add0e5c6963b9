"""The avatar of a job: started, awaited, started again, given up."""

from __future__ import annotations

import pytest

from mouthpiece.errors import AvatarStartFailed
from mouthpiece_agents.supervision import DELAYS, JOIN_TIMEOUT, MAX_FAILURES, STABLE_AFTER, Keeper, State


def started() -> Keeper:
    keeper = Keeper()
    keeper.begin(0)
    assert keeper.tick(0)
    assert keeper.state is State.STARTING
    return keeper


def present() -> Keeper:
    keeper = started()
    keeper.started(1)
    keeper.joined(2)
    assert keeper.state is State.PRESENT
    return keeper


def refusal(*, retryable: bool) -> AvatarStartFailed:
    error = AvatarStartFailed("no")
    error.retryable = retryable
    return error


def test_nothing_is_started_before_the_beginning() -> None:
    assert not Keeper().tick(100)


def test_a_start_happens_once_and_then_the_avatar_is_awaited() -> None:
    keeper = started()
    assert not keeper.tick(1)
    keeper.started(1)
    assert keeper.state is State.JOINING
    assert keeper.deadline == 1 + JOIN_TIMEOUT
    keeper.joined(2)
    assert keeper.state is State.PRESENT
    assert keeper.deadline is None


def test_the_avatar_may_join_before_the_server_has_answered() -> None:
    keeper = started()
    keeper.joined(1)
    assert keeper.state is State.STARTING
    keeper.started(2)
    assert keeper.state is State.PRESENT


def test_an_avatar_that_is_there_already_is_not_started() -> None:
    keeper = Keeper()
    keeper.joined(0)
    keeper.begin(0)
    assert keeper.state is State.PRESENT
    assert not keeper.tick(100)


def test_an_avatar_that_leaves_is_started_again() -> None:
    keeper = present()
    keeper.left(10)
    assert keeper.deadline == 10 + DELAYS[0]
    assert not keeper.tick(10 + DELAYS[0] - 0.01)
    assert keeper.tick(10 + DELAYS[0])


def test_one_that_is_replaced_under_its_own_name_is_not_started_again() -> None:
    keeper = present()
    keeper.left(10)
    keeper.joined(10.2)
    assert keeper.state is State.PRESENT
    assert not keeper.tick(100)


def test_an_avatar_that_its_server_lost_is_started_again_though_it_is_still_shown() -> None:
    keeper = present()
    keeper.lost(10)
    assert keeper.tick(10 + DELAYS[0])
    keeper.started(12)
    assert keeper.state is State.PRESENT
    keeper.left(12.1)  # what was shown goes when the new one of the same name comes
    keeper.joined(12.1)
    assert keeper.state is State.PRESENT


def test_a_server_that_lost_an_avatar_which_is_being_started_says_nothing_new() -> None:
    keeper = started()
    keeper.lost(1)
    assert keeper.state is State.STARTING


def test_an_avatar_that_does_not_join_is_started_again() -> None:
    keeper = started()
    keeper.started(0)
    assert not keeper.tick(JOIN_TIMEOUT)
    assert keeper.state is State.AWAY
    assert keeper.tick(JOIN_TIMEOUT + DELAYS[0])


def test_one_that_came_and_went_before_the_server_answered_is_awaited_once_more() -> None:
    keeper = started()
    keeper.joined(1)
    keeper.left(2)
    keeper.started(3)
    assert keeper.state is State.JOINING


def test_a_refusal_that_no_retry_changes_gives_up_at_once() -> None:
    keeper = started()
    keeper.refused(refusal(retryable=False), 1)
    assert keeper.state is State.GIVEN_UP
    assert keeper.reason == "no"


def test_failures_in_a_row_wait_longer_each_time_and_end() -> None:
    keeper = Keeper()
    keeper.begin(0)
    now, waits = 0.0, []
    while True:
        assert keeper.tick(now)
        keeper.refused(refusal(retryable=True), now)
        if keeper.state is State.GIVEN_UP:
            break
        assert keeper.deadline is not None
        waits.append(keeper.deadline - now)
        now = keeper.deadline
    assert waits == list(DELAYS)
    assert keeper.reason == f"no, {MAX_FAILURES + 1} times in a row"


@pytest.mark.parametrize(("stays", "gives_up"), [(STABLE_AFTER - 1, True), (STABLE_AFTER, False)])
def test_only_an_avatar_that_stayed_ends_the_row(stays: float, gives_up: bool) -> None:
    keeper = Keeper()
    keeper.begin(0)
    now = 0.0
    for _ in range(MAX_FAILURES + 1):
        keeper.tick(now)
        keeper.started(now)
        keeper.joined(now)
        now += stays
        keeper.left(now)
        now = keeper.deadline or now
    assert (keeper.state is State.GIVEN_UP) is gives_up


def test_what_happens_after_giving_up_changes_nothing() -> None:
    keeper = present()
    keeper.give_up("another agent keeps it")
    keeper.left(5)
    keeper.joined(6)
    keeper.started(7)
    keeper.refused(refusal(retryable=True), 8)
    assert not keeper.tick(100)
    assert keeper.state is State.GIVEN_UP
    assert keeper.reason == "another agent keeps it"
