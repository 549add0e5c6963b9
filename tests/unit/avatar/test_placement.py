"""Which process a session goes to, and how many are to run."""

from __future__ import annotations

import pytest

from mouthpiece_avatar.livekit_address import LiveKitAddress
from mouthpiece_avatar.processes.placement import Place, Placed, choose, replaced, wanted
from mouthpiece_avatar.token import Claims


def place(room: str, *, url: str = "ws://livekit:7880", identity: str = "avatar-mia") -> Place:
    return Place(LiveKitAddress.parse(url), Claims(identity, room))


def placed(**processes: str | None) -> dict[str, Placed[str]]:
    """Sessions that have joined, by the names of their rooms and processes."""
    return {room: Placed(place(room), process, joined=True) for room, process in processes.items()}


def test_a_session_goes_to_the_process_with_the_fewest() -> None:
    running = placed(a="one", b="one", c="two")
    assert choose(["one", "two"], running, place("d")) == "two"
    assert choose(["one", "two", "three"], running, place("d")) == "three"
    assert choose(["one"], running, place("d")) == "one"
    assert choose([], running, place("d")) is None


def test_one_that_takes_the_place_of_another_goes_to_its_process() -> None:
    running = placed(a="one", b="one", c="two")
    assert choose(["one", "two"], running, place("a")) == "one"
    assert choose(["two"], running, place("a")) == "two", "its process has died"


def test_a_place_is_an_identity_in_a_room_of_a_server() -> None:
    running = placed(a="one", b="two")
    assert replaced(running, place("a")) == [running["a"]]
    assert replaced(running, place("a", identity="avatar-noah")) == []
    assert replaced(running, place("a", url="ws://other:7880")) == []
    running["a"].joined = False
    assert replaced(running, place("a")) == [], "one that joins at the same time is no older one"


@pytest.mark.parametrize(
    ("running", "count"),
    [
        ({}, 1),
        ({"a": "one"}, 2),
        ({"a": "one", "b": "one"}, 2),
        ({"a": "one", "b": "two"}, 3),
        ({"a": "one", "b": "two", "c": "three"}, 3),
        ({"a": None}, 1),
    ],
)
def test_one_more_runs_than_have_a_session(running: dict[str, str | None], count: int) -> None:
    assert wanted(3, placed(**running)) == count
