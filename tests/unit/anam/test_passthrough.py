"""The limits of what Anam takes; that sounds within and without them arrive is held by tests/loopback/anam."""

from __future__ import annotations

import pytest

from mouthpiece_sender.anam.passthrough import sent_rate


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_rates_that_anam_takes_stay_as_they_are(rate: int) -> None:
    assert sent_rate(rate) == rate


@pytest.mark.parametrize("rate", [15_999, 48_001])
def test_other_rates_become_the_one_that_anam_advises(rate: int) -> None:
    assert sent_rate(rate) == 24_000
