"""When LiveKit counts as standing still, and what becomes of what plays at an avatar that cannot be asked."""

from __future__ import annotations

import asyncio

import pytest

from mouthpiece.segments import Segment, State
from mouthpiece_sender.livekit.stall import ASK_EVERY, LOST_AFTER, QUIET_AFTER, Flow, StallDecision
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.listened import Words
from tests.unit.sender.ten_ways.harness import STOCK, all_ends, gateway, say
from tests.virtual_time import in_virtual_time


def decision() -> StallDecision:
    decision = StallDecision()
    decision.begin(100.0)
    return decision


def test_packets_that_come_are_no_reason_to_ask() -> None:
    stall = decision()
    for step in range(40):
        now = 100.0 + 0.25 * step
        stall.counted(step, now)
        assert (stall.state, stall.due(now)) == (Flow.FLOWING, False)


def test_sound_is_no_reason_to_ask() -> None:
    stall = decision()
    for step in range(40):
        now = 100.0 + 0.25 * step
        stall.sounded(now)
        assert (stall.state, stall.due(now)) == (Flow.FLOWING, False)


def test_without_packets_livekit_is_asked_and_stands_still_if_it_does_not_answer() -> None:
    stall = decision()
    stall.counted(7, 100.1)
    stall.counted(7, 100.1 + QUIET_AFTER - 0.1)
    assert stall.state is Flow.FLOWING
    stall.counted(7, 100.1 + QUIET_AFTER)
    assert (stall.state, stall.due(100.1 + QUIET_AFTER)) == (Flow.QUIET, True)
    stall.answered(False, 102.0)
    assert (stall.state, stall.flowed_at) == (Flow.AWAY, 100.1)
    assert not stall.due(102.1)
    assert stall.due(102.0 + ASK_EVERY / 2)
    assert not stall.lost(102.0 + LOST_AFTER - 0.1)
    assert stall.lost(102.0 + LOST_AFTER)


def test_an_avatar_that_sends_nothing_while_livekit_answers_is_not_held() -> None:
    stall = decision()
    stall.counted(7, 100.1)
    stall.counted(7, 101.2)
    stall.answered(True, 101.21)
    assert stall.state is Flow.FLOWING
    stall.counted(7, 101.5)
    assert stall.state is Flow.FLOWING


@pytest.mark.parametrize("sign", ["packets", "sound", "answer"])
def test_each_sign_ends_a_stall(sign: str) -> None:
    stall = decision()
    stall.counted(7, 100.1)
    stall.answered(False, 102.0)
    match sign:
        case "packets":
            stall.counted(8, 103.0)
        case "sound":
            stall.sounded(103.0)
        case "answer":
            stall.answered(True, 103.0)
    assert (stall.state, stall.flowed_at) == (Flow.FLOWING, 103.0)


def test_where_packets_are_not_known_livekit_is_asked_now_and_then() -> None:
    stall = decision()
    stall.counted(None, 100.5)
    assert not stall.due(100.5)
    stall.counted(None, 100.0 + ASK_EVERY)
    assert (stall.state, stall.due(100.0 + ASK_EVERY)) == (Flow.FLOWING, True)
    stall.answered(True, 101.1)
    assert not stall.due(101.5)


async def held(seconds: float, *, listens: bool) -> tuple[FakeRoom, list[Segment]]:
    """LiveKit stands still for so long, of which the SDK says nothing, in the first of three segments of 4 s."""
    room = FakeRoom(STOCK)
    async with gateway(room, listens=listens) as running:
        segments = [await say(running, 4.0, sound=Words(4.0, seed)) for seed in range(3)]
        await running.wait(segments[0].id, "playing", 10)
        await asyncio.sleep(1.0)
        room.line_is_up = False
        await asyncio.sleep(seconds)
        room.line_is_up = True
        return room, await all_ends(running, segments)


@pytest.mark.parametrize("listens", [True, False])
@in_virtual_time
async def test_a_long_stall_costs_at_most_what_played(listens: bool) -> None:
    room, ends = await held(20.0, listens=listens)
    assert [end.state for end in ends] == [State.UNKNOWN, State.FINISHED, State.FINISHED]
    assert ends[0].position <= 2.0, "what left the avatar after the stall began counts as heard by nobody"
    assert [round(seconds, 1) for _, seconds in room.heard][-2:] == [4.0, 4.0]
