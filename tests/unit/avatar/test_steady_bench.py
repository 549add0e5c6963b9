"""``bench/steady.py`` says what was late, missing or apart."""

from __future__ import annotations

import pytest
from bench.steady import FPS, Steady, faults, lateness


def beats(count: int) -> list[float]:
    return [100 + index / FPS for index in range(count)]


def test_a_picture_is_late_against_the_beat_around_it() -> None:
    times = beats(1_000)
    assert max(map(abs, lateness(times))) == pytest.approx(0, abs=1e-6)
    times[400] += 0.07
    late = lateness(times)
    assert late[400] == pytest.approx(70)
    assert max(late[:400] + late[401:]) == pytest.approx(0, abs=1e-6)


def test_a_slow_drift_is_nobodys_lateness_and_two_pictures_left_out_are() -> None:
    drifting = [100 + index / FPS * 1.0002 for index in range(15_000)]
    assert max(map(abs, lateness(drifting))) < 2
    times = beats(1_000)
    del times[500:502]
    assert max(lateness(times)) == pytest.approx(80)


def found(**changes: object) -> Steady:
    kept: dict[str, object] = {"rate": 25.05, "minutes": [24.95, 25.0], "lateness": [59.0], "apart": [-39.0, 12.0]}
    return Steady(**(kept | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate": 24.8}, "pictures a second"),
        ({"minutes": [25.0, 25.2]}, "pictures a second"),
        ({"lateness": [61.0, 60.5, 59.0]}, "2 pictures came over 60 ms late"),
        ({"apart": [-41.0, 0.0]}, "in 1 of 2 signals"),
        ({"apart": []}, "in 0 of 0 signals"),
    ],
)
def test_what_is_not_kept_is_said(changes: dict[str, object], said: str) -> None:
    assert faults(found()) == []
    [fault] = faults(found(**changes))
    assert said in fault
