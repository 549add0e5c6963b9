"""When a room has been without viewers for long enough."""

from mouthpiece_agents.empty_room import EmptyRoom


def test_a_room_that_nobody_enters_is_over_in_time() -> None:
    room = EmptyRoom(10)
    room.viewers(0, 100)
    assert room.deadline == 110
    assert not room.over(109.9)
    assert room.over(110)


def test_somebody_who_comes_stops_the_time_and_leaving_starts_it_anew() -> None:
    room = EmptyRoom(10)
    room.viewers(0, 100)
    room.viewers(1, 109)
    assert room.deadline is None
    assert not room.over(1_000)
    room.viewers(0, 1_000)
    assert room.deadline == 1_010


def test_one_of_two_leaving_changes_nothing() -> None:
    room = EmptyRoom(10)
    for viewers in (2, 1):
        room.viewers(viewers, 100)
        assert room.deadline is None


def test_hearing_again_that_the_room_is_empty_does_not_prolong_it() -> None:
    room = EmptyRoom(10)
    room.viewers(0, 100)
    room.viewers(0, 105)
    assert room.deadline == 110


def test_a_tab_that_is_reloaded_in_time_keeps_the_job() -> None:
    room = EmptyRoom(10)
    room.viewers(1, 0)
    room.viewers(0, 50)
    room.viewers(1, 52)
    assert not room.over(10_000)


def test_zero_is_never() -> None:
    room = EmptyRoom(0)
    room.viewers(0, 100)
    assert room.deadline is None
    assert not room.over(1e9)
