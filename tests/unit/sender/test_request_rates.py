"""How many requests a minute a key may make."""

from __future__ import annotations

import pytest

from mouthpiece.errors import KeyLimitReached
from mouthpiece_sender.api.request_rates import RequestRates


def test_a_minute_is_full_and_fills_again_evenly() -> None:
    now = [0.0]
    rates = RequestRates(6, clock=lambda: now[0])
    for _ in range(6):
        rates.take("a")
    with pytest.raises(KeyLimitReached) as refused:
        rates.take("a")
    assert refused.value.retry_after == pytest.approx(10)
    rates.take("b")
    now[0] = 10.0
    rates.take("a")
    with pytest.raises(KeyLimitReached):
        rates.take("a")
    now[0] = 1000.0
    for _ in range(6):
        rates.take("a")
    with pytest.raises(KeyLimitReached):
        rates.take("a")


def test_without_a_limit_any_number_passes() -> None:
    rates = RequestRates(None, clock=lambda: 0.0)
    for _ in range(1000):
        rates.take("a")
