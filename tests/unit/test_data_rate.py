"""How much data a participant may send into a room."""

from __future__ import annotations

import pytest

from mouthpiece import data_rate
from mouthpiece.data_rate import BURST, LEAST, UNINVITED, DataRate

LIMIT = 200_000.0


def test_what_stays_within_the_rate_is_never_too_much() -> None:
    rate = DataRate(LIMIT)
    assert not any(rate.came("one", 20_000, at / 10) for at in range(1_000))


def test_a_burst_may_be_three_seconds_worth_and_no_more() -> None:
    rate = DataRate(LIMIT)
    assert not any(rate.came("one", 10_000, 0.0) for _ in range(int(BURST * LIMIT / 10_000)))
    assert rate.came("one", 10_000, 0.0)


def test_after_a_burst_it_may_send_again_as_time_passes() -> None:
    rate = DataRate(LIMIT)
    assert not rate.came("one", int(BURST * LIMIT), 0.0)
    assert not rate.came("one", 100_000, 0.5)
    assert rate.came("one", 100_000, 0.6)


def test_small_messages_count_by_their_number() -> None:
    rate = DataRate(LIMIT)
    came = [rate.came("one", 1, 0.0) for _ in range(int(BURST * LIMIT / LEAST) + 1)]
    assert came.index(True) == len(came) - 1


def test_what_nobody_but_an_agent_may_send_is_too_much_soon() -> None:
    rate = DataRate(LIMIT)
    came = [rate.came("one", UNINVITED, 0.0) for _ in range(7)]
    assert came == [False] * 6 + [True]


def test_it_is_said_once_and_again_after_as_much_again() -> None:
    rate = DataRate(LIMIT)
    count = int(BURST * LIMIT / 10_000) + 1
    came = [rate.came("one", 10_000, 0.0) for _ in range(2 * count)]
    assert [at for at, one in enumerate(came) if one] == [count - 1, 2 * count - 1]


def test_one_does_not_pay_for_another() -> None:
    rate = DataRate(LIMIT)
    assert not rate.came("one", int(BURST * LIMIT), 0.0)
    assert not rate.came("two", int(BURST * LIMIT), 0.0)


def test_without_a_limit_nothing_is_too_much() -> None:
    assert not DataRate(0).came("one", 1 << 30, 0.0)


def test_names_that_come_and_go_do_not_pile_up_and_hide_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_rate, "MOST", 10)
    rate = DataRate(LIMIT)
    assert not rate.came("one", int(BURST * LIMIT), 0.0)
    assert not any(rate.came(f"name {number}", 10, 0.0) for number in range(1_000))
    assert len(rate._owed) <= 10
    assert rate.came("one", 10, 0.0)
