"""Many segments that interrupt at once: the last one is heard at once and whole, and none of the others late."""

from __future__ import annotations

import asyncio

import pytest

from mouthpiece.segments import EndedBy, Mode, Segment, State
from mouthpiece_sender.livekit.server_api import ParticipantFacts
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.ten_ways.harness import OURS, STOCK, gateway, say
from tests.virtual_time import in_virtual_time, now

POSTS = 50


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.15], ids=["at once", "within a second", "over seven seconds"])
@pytest.mark.parametrize("speaks", [False, True], ids=["silent", "speaking"])
@pytest.mark.parametrize("avatar", [OURS, STOCK], ids=["ours", "stock"])
def test_of_many_segments_that_interrupt_the_last_is_heard_within_a_second_and_whole(
    avatar: ParticipantFacts, speaks: bool, spread: float
) -> None:
    @in_virtual_time
    async def supersede() -> None:
        room = FakeRoom(avatar)
        async with gateway(room) as running:
            before = await say(running, 30.0 if speaks else 0.5)
            waits = await say(running, 1.0)
            await running.wait(before.id, "playing" if speaks else "finished", 10)
            if not speaks:
                await running.wait(waits.id, "finished", 10)

            async def post(number: int) -> Segment:
                await asyncio.sleep(number * spread)
                return await say(running, 2.0, mode=Mode.INTERRUPT)

            posted = await asyncio.gather(*(post(number) for number in range(POSTS)))
            accepted, last = now(), posted[-1]
            started = await running.wait(last.id, "playing", 5)
            assert started.state is State.PLAYING
            assert now() - accepted < 1.0
            ends = [await running.wait(segment.id, "finished", 20) for segment in posted]
            assert ends[-1].state is State.FINISHED
            for end in ends[:-1]:
                begun = end.started_at is not None
                assert end.state is (State.INTERRUPTED if begun else State.CANCELLED)
                assert end.ended_by is EndedBy.SUPERSEDED
            if speaks:
                stopped = await running.segment(before.id)
                assert (stopped.state, stopped.ended_by) == (State.INTERRUPTED, EndedBy.SUPERSEDED)
                assert (await running.wait(waits.id, "finished", 20)).state is State.FINISHED
            late = [stream for stream in room.streams if stream.opened_at > accepted]
            assert len(late) <= 1 + speaks, "another one was said late"
            assert [round(position, 1) for _, position in room.heard].count(2.0) == 1, "one was said whole"

    supersede()
