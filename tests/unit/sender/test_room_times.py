from __future__ import annotations

import pytest

from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.room_times import RoomTimes

DEFAULTS = RoomTimes(300, 60)


@pytest.mark.parametrize(
    ("empty", "departure", "limit", "given"),
    [
        (None, None, None, DEFAULTS),
        (7200, None, None, RoomTimes(7200, 7200)),
        (7200, 20, None, RoomTimes(7200, 20)),
        (None, 20, None, RoomTimes(300, 20)),
        (200, None, 200, RoomTimes(200, 200)),
        (None, None, 120, RoomTimes(120, 60)),
        (None, None, 600, DEFAULTS),
    ],
)
def test_a_caller_gets_what_it_asks_for_and_defaults_within_the_limit(
    empty: int | None, departure: int | None, limit: int | None, given: RoomTimes
) -> None:
    assert DEFAULTS.asked(empty, departure, limit) == given


@pytest.mark.parametrize(
    ("empty", "departure", "field"), [(201, None, "empty_timeout"), (None, 201, "departure_timeout")]
)
def test_more_than_the_limit_is_refused_by_name(empty: int | None, departure: int | None, field: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        DEFAULTS.asked(empty, departure, 200)
    assert (refused.value.slug, refused.value.field) == ("bad-parameter", field)
    assert "200 s" in refused.value.detail
