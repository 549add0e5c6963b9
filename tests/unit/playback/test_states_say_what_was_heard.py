"""Whatever callers, LiveKit, the avatar and this process do: how a segment ends agrees with what was heard of it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mouthpiece.segments import Mode, OnLoss, Receipt, State
from tests.unit.playback.simulated_avatar import World

SECONDS = 3.0
ACTS = ("say", "say now", "say if idle", "say soon", "replay", "cancel", "interrupt", "drop", "pause")
FAULTS = ("restart", "killed", "started", "glitch", "away", "unnoticed", "back", "avatar")


def act(world: World, name: str, number: int) -> None:
    segment = f"seg_{number}"
    match name:
        case "say":
            world.say(segment, SECONDS)
        case "say now":
            world.say(segment, SECONDS, mode=Mode.INTERRUPT)
        case "say if idle":
            world.say(segment, SECONDS, mode=Mode.IGNORE)
        case "say soon":
            world.say(segment, SECONDS, expires_in=2.0)
        case "replay":
            world.say(segment, SECONDS, OnLoss.REPLAY)
        case "cancel" if world.serves:
            world.cancel(sorted(world.stored)[number % len(world.stored)])
        case "interrupt" | "drop" if world.serves:
            world.interrupt(drop_queued=name == "drop")
        case "pause" if world.serves:
            world.pause()
            world.pass_time(0.2)
            world.resume()
        case "avatar" if (
            not world.line_is_down_unnoticed
        ):  # both at once cannot be told from an avatar that fell silent
            world.avatar_is_replaced()
        case "restart":
            act(world, "killed", number)
            world.pass_time(0.5)
            act(world, "started", number)
        case "glitch":
            act(world, "away", number)
            world.pass_time(1.5)
            act(world, "back", number)
        case "killed" if world.serves:
            world.sender_is_killed()
        case "started" if not world.serves:
            world.sender_starts_again()
        case "away" | "unnoticed" if world.line_is_up:
            world.line_goes_down(0.0 if name == "away" else 1000.0)
        case "back" if not world.line_is_up:
            world.line_comes_up()


def agrees_with_what_was_heard(world: World, segment: str) -> None:
    end, ranges = world.ends[segment], world.heard_of(segment)
    furthest = max((upto for _, upto in ranges), default=0.0)
    once = world.stored[segment].on_loss is OnLoss.DROP
    match end.state:
        case State.CANCELLED | State.EXPIRED | State.IGNORED | State.FAILED:
            assert ranges == [], "something was heard of it"
        case State.FINISHED:
            assert ranges[0][0] == 0.0
            assert furthest == pytest.approx(SECONDS)
        case State.INTERRUPTED if end.receipt is Receipt.CONFIRMED and once:
            assert end.position == pytest.approx(furthest)
    if end.receipt is Receipt.CONFIRMED:
        assert end.position <= furthest + 1e-6, "it says more than was heard"
    if once:
        assert all(one[1] <= other[0] + 1e-6 for one, other in itertools.pairwise(ranges)), "a part was heard twice"


@given(
    acts=st.lists(st.tuples(st.sampled_from(ACTS + FAULTS), st.floats(0.0, 4.0)), min_size=1, max_size=14),
    delays=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=3),
)
@example([("say", 1.0), ("glitch", 1.0), ("glitch", 0.0)], [1.0])
@settings(max_examples=100)
def test_each_end_agrees_with_what_was_heard(acts: list[tuple[str, float]], delays: list[float]) -> None:
    world = World(delays)
    for number, (name, after) in enumerate([("say", 0.0), *acts]):
        act(world, name, number)
        world.pass_time(after)
    act(world, "back", 0)
    act(world, "started", 0)
    world.until_idle()
    world.pass_time(5.0)
    for segment in world.ends:
        agrees_with_what_was_heard(world, segment)
    assert world.ends.keys() == world.stored.keys()
