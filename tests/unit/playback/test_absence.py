"""After an absence: what was heard is asked for, nothing is said twice and nothing is left out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mouthpiece.segments import EndedBy, OnLoss, Receipt, State
from tests.unit.playback.simulated_avatar import World


def heard_whole_and_once(world: World, segments: dict[str, float]) -> None:
    for segment, length in segments.items():
        assert world.ends[segment].state is State.FINISHED, segment
        assert world.heard_of(segment) == [(0.0, pytest.approx(length))], segment


def test_without_a_fault_everything_is_heard_whole_and_once() -> None:
    world = World()
    for segment in "abc":
        world.say(segment, 3.0)
    world.until_idle()
    heard_whole_and_once(world, dict.fromkeys("abc", 3.0))


@pytest.mark.parametrize("noticed_after", [0.0, 3.0, 15.0], ids=["at once", "late", "very late"])
@pytest.mark.parametrize("seconds", [5.0, 20.0, 60.0])
def test_what_was_queued_before_and_during_an_absence_of_livekit_is_heard_whole_once_and_in_order(
    seconds: float, noticed_after: float
) -> None:
    world = World()
    for segment in "abcd":
        world.say(segment, 4.0)
    world.pass_time(1.0)
    world.line_goes_down(noticed_after)
    world.pass_time(seconds / 2)
    world.say("e", 4.0)
    world.pass_time(seconds / 2)
    world.line_comes_up()
    world.until_idle()
    heard_whole_and_once(world, dict.fromkeys("abcde", 4.0))
    assert [name for name, *_ in world.heard] == sorted(name for name, *_ in world.heard)


def test_an_avatar_that_answers_nothing_for_long_is_lost_with_what_it_had_been_sent_and_no_more() -> None:
    world = World()
    for segment in "abc":
        world.say(segment, 4.0)
    world.pass_time(1.0)
    world.line_goes_down(noticed_after=1000.0)
    world.pass_time(32.0)
    for segment in "ab":
        assert (world.ends[segment].state, world.ends[segment].receipt) == (State.UNKNOWN, Receipt.UNKNOWN)
    assert "c" not in world.ends
    world.line_comes_up()
    world.until_idle()
    heard_whole_and_once(world, {"c": 4.0})


@given(kills=st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 4.0)), max_size=6))
@settings(max_examples=60)
def test_killed_and_started_again_at_any_moment_each_segment_is_heard_whole_and_once(
    kills: list[tuple[float, float]],
) -> None:
    world = World()
    for segment in "abcdef":
        world.say(segment, 1.5)
    for before, away in kills:
        world.pass_time(before)
        world.sender_is_killed()
        world.pass_time(away)
        world.sender_starts_again()
    world.until_idle()
    heard_whole_and_once(world, dict.fromkeys("abcdef", 1.5))


@given(
    faults=st.lists(
        st.tuples(st.sampled_from(["kill", "line", "unnoticed"]), st.floats(0.0, 5.0), st.floats(0.0, 12.0)), max_size=5
    )
)
@example(faults=[("kill", 1.0, 0.0), ("unnoticed", 0.05, 8.0)])  # the clear of the next process finds no answer
@settings(max_examples=60)
def test_kills_and_stalls_in_any_order_lose_and_repeat_nothing(faults: list[tuple[str, float, float]]) -> None:
    world = World()
    for segment in "abcdef":
        world.say(segment, 2.5)
    for fault, before, away in faults:
        world.pass_time(before)
        if fault == "kill":
            world.sender_is_killed()
            world.pass_time(away)
            world.sender_starts_again()
        else:
            world.line_goes_down(0.5 if fault == "line" else 1000.0)
            world.pass_time(away if fault == "line" else away / 4)
            world.line_comes_up()
            world.pass_time(3.0)
    world.until_idle()
    heard_whole_and_once(world, dict.fromkeys("abcdef", 2.5))


@given(
    cuts=st.lists(
        st.tuples(st.sampled_from(["pause", "cancel", "kill", "line"]), st.floats(0.1, 4.0)), min_size=1, max_size=5
    ),
    delays=st.lists(st.floats(0.0, 9.0), min_size=1, max_size=4),
    doubled=st.none() | st.floats(0.0, 9.0),
)
@settings(max_examples=60)
def test_receipts_that_come_late_or_twice_lose_and_repeat_nothing(
    cuts: list[tuple[str, float]], delays: list[float], doubled: float | None
) -> None:
    world = World(delays, doubled=doubled)
    for segment in "abcd":
        world.say(segment, 4.0)
    for number, (cut, before) in enumerate(cuts):
        world.pass_time(before)
        match cut:
            case "pause":
                world.pause()
                world.pass_time(0.2)
                world.resume()
            case "cancel":  # of another one: what plays is cleared too, and goes on
                world.say(f"aside-{number}", 1.0)
                world.pass_time(0.2)
                world.cancel(f"aside-{number}")
            case "kill":
                world.sender_is_killed()
                world.sender_starts_again()
            case "line":
                world.line_goes_down(0.0)
                world.pass_time(0.5)
                world.line_comes_up()
    world.until_idle()
    heard_whole_and_once(world, dict.fromkeys("abcd", 4.0))


@given(moments=st.lists(st.floats(0.1, 5.0), min_size=1, max_size=4))
@settings(max_examples=60)
def test_avatars_that_are_killed_cost_at_most_the_segment_that_played_and_nothing_is_said_twice(
    moments: list[float],
) -> None:
    world = World()
    names = "abcdef"
    for segment in names:
        world.say(segment, 2.0)
    for moment in moments:
        world.pass_time(moment)
        world.avatar_is_replaced()
    world.until_idle()
    unknown = [segment for segment in names if world.ends[segment].state is State.UNKNOWN]
    assert len(unknown) <= len(moments)
    for segment in names:
        ranges = world.heard_of(segment)
        assert all(before[1] <= after[0] + 1e-6 for before, after in itertools.pairwise(ranges)), "twice"
        if world.ends[segment].state is State.FINISHED:
            assert sum(end - start for start, end in ranges) == pytest.approx(2.0)


def test_another_avatar_after_a_restart_cannot_say_what_was_heard() -> None:
    world = World()
    world.say("a", 5.0)
    world.say("b", 1.0)
    world.pass_time(2.0)
    world.sender_is_killed()
    world.avatar_is_replaced()
    world.sender_starts_again()
    world.until_idle()
    end = world.ends["a"]
    assert (end.state, end.receipt, end.ended_by) == (State.UNKNOWN, Receipt.UNKNOWN, EndedBy.RESTART)
    assert world.heard_of("b") == [(0.0, pytest.approx(1.0))]


def test_another_avatar_after_a_restart_replays_what_the_caller_wants_replayed() -> None:
    world = World()
    world.say("a", 5.0, OnLoss.REPLAY)
    world.pass_time(2.0)
    world.sender_is_killed()
    world.avatar_is_replaced()
    world.sender_starts_again()
    world.until_idle()
    assert world.ends["a"].state is State.FINISHED
    assert world.heard_of("a")[-1] == (0.0, pytest.approx(5.0))


def test_a_pause_cuts_at_once_and_resumes_at_the_very_position() -> None:
    world = World()
    world.say("a", 6.0)
    world.say("b", 1.0)
    world.pass_time(2.0)
    world.pause()
    world.pass_time(0.2)
    assert world.stored["a"].state is State.PAUSED
    before = list(world.heard)
    world.pass_time(40.0)
    assert world.heard == before
    world.resume()
    world.until_idle()
    heard_whole_and_once(world, {"a": 6.0, "b": 1.0})


def test_a_pause_survives_a_restart() -> None:
    world = World()
    world.say("a", 6.0)
    world.pass_time(2.0)
    world.pause()
    world.pass_time(0.2)
    world.sender_is_killed()
    world.sender_starts_again()
    world.pause()  # the shell holds the room again
    world.pass_time(3.0)
    assert world.stored["a"].state is State.PAUSED
    world.resume()
    world.until_idle()
    heard_whole_and_once(world, {"a": 6.0})


def test_a_stop_leaves_what_plays_where_it_was_and_the_next_process_goes_on() -> None:
    world = World()
    world.say("a", 6.0)
    world.say("b", 1.0)
    world.pass_time(2.0)
    world.stop()
    world.pass_time(0.2)
    assert world.ledger.quiet
    assert world.stored["a"].state is State.PLAYING
    world.sender_is_killed()
    world.pass_time(10.0)
    world.sender_starts_again()
    world.until_idle()
    heard_whole_and_once(world, {"a": 6.0, "b": 1.0})
