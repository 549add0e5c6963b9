"""An app takes from those who join what a sender needs: the right to publish data. That is named, and at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mouthpiece.errors import MayNotPublish
from mouthpiece.segments import State
from mouthpiece_sender.livekit.connection import Disconnected
from mouthpiece_sender.livekit.rtc_connection import RtcConnection
from tests.unit.sender.fake_connection import FakeConnection, FakeRoom
from tests.unit.sender.fake_rtc import FakeRtcRoom, joined
from tests.unit.sender.ten_ways.harness import OURS, gateway, say
from tests.virtual_time import in_virtual_time, now


async def enter(connection: RtcConnection) -> None:
    async with connection:
        pass


@in_virtual_time
async def test_it_is_named_while_we_join() -> None:
    room = FakeRtcRoom()
    asyncio.get_running_loop().call_later(0.01, lambda: room.permit(can_publish_data=False))
    with pytest.raises(MayNotPublish, match="canPublishData"):
        await enter(joined(room, lambda event: None))
    assert not room.connected


@in_virtual_time
async def test_it_is_named_once_we_are_there() -> None:
    room = FakeRtcRoom()
    received: list[Any] = []
    async with joined(room, received.append):
        room.permit(can_publish_data=True)
        assert received == []
        room.permit(can_publish_data=False)
    assert received == [Disconnected("MAY_NOT_PUBLISH")]


@in_virtual_time
async def test_what_plays_and_what_waits_end_at_once_with_that_reason() -> None:
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        playing, waiting = await say(running, 30.0), await say(running, 1.0)
        await running.wait(playing.id, "playing", 10)
        began = now()
        room.connections[-1].listener(Disconnected("MAY_NOT_PUBLISH"))
        for segment in (playing, waiting):
            ended = await running.wait(segment.id, "finished", 20)
            assert ended.state.terminal
            assert ended.error is not None
            assert "canPublishData" in ended.error.detail
        assert now() - began < 2


@in_virtual_time
async def test_what_waits_for_a_join_that_is_refused_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(self: FakeConnection) -> FakeConnection:
        raise MayNotPublish

    enter: Callable[..., Any] = refused
    monkeypatch.setattr(FakeConnection, "__aenter__", enter)
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        began = now()
        segment = await say(running, 1.0)
        ended = await running.wait(segment.id, "finished", 40)
        assert (ended.state, ended.error and ended.error.type) == (State.FAILED, "livekit-refused")
        assert now() - began < 5
