from __future__ import annotations

import pytest

from mouthpiece_sender.livekit.turns import TurnsByHolder


def all_of(turns: TurnsByHolder[str]) -> list[str]:
    return [turns.take() for _ in range(len(turns))]


def test_holders_take_turns_and_of_one_the_first_comes_first() -> None:
    turns: TurnsByHolder[str] = TurnsByHolder()
    for one in ("a1", "a2", "a3", "b1", "b2", "c1"):
        turns.put(one[0], one)
    assert all_of(turns) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_one_who_comes_while_another_has_many_waits_for_one_of_them() -> None:
    turns: TurnsByHolder[str] = TurnsByHolder()
    for number in range(100):
        turns.put("many", f"many-{number}")
    assert turns.take() == "many-0"
    turns.put("few", "few-0")
    assert [turns.take(), turns.take()] == ["many-1", "few-0"]


def test_one_who_gives_up_has_no_turn() -> None:
    turns: TurnsByHolder[str] = TurnsByHolder()
    for one in ("a1", "a2", "b1"):
        turns.put(one[0], one)
    turns.discard("a", "a1")
    turns.discard("b", "b1")
    turns.discard("b", "b1")
    assert all_of(turns) == ["a2"]
    with pytest.raises(LookupError):
        turns.take()
