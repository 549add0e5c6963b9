"""LiveKit stands still (SIGSTOP) while livekit-agents' own receiver plays, which cannot be asked what it played."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import psutil
import pytest

from mouthpiece.segments import EndedBy, Receipt, State
from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.live.sender.conftest import running_gateway, say, stock_receivers
from tests.live.sender.test_livekit_gone import binary

__all__ = ["binary"]
pytestmark = pytest.mark.timed

STALL = 9.0
"""Seconds: what plays is given up after five, and the SDK notices nothing for fifteen."""


@pytest.mark.timeout(120)
async def test_what_plays_is_unknown_and_what_waits_is_said_afterwards(binary: Path, room_name: str) -> None:
    async with livekit_server.run_server(binary, port=livekit_server.free_port()) as livekit:
        server = max(servers(), key=psutil.Process.create_time)
        access = LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)
        receivers = stock_receivers(livekit)
        async with receivers(room_name, script="stock_player.py"), running_gateway(access) as gateway:
            before = await gateway.wait((await say(gateway, room_name, 0.5)).id, "finished", 20)
            assert before.state is State.FINISHED
            first = await say(gateway, room_name, 30.0)
            waiting = [await say(gateway, room_name, 1.0) for _ in range(2)]
            await gateway.wait(first.id, "playing", 10)
            await asyncio.sleep(1.0)
            server.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(STALL)
                lost = await gateway.segment(first.id)
            finally:
                server.send_signal(signal.SIGCONT)
            assert (lost.state, lost.receipt, lost.ended_by) == (State.UNKNOWN, Receipt.UNKNOWN, EndedBy.CONNECTION)
            assert lost.position is not None
            assert lost.position < 2.5, "what is played into a stall counts as heard by nobody"
            assert [(await gateway.segment(one.id)).state for one in waiting] == [State.QUEUED] * 2
            ends = [await gateway.wait(one.id, "finished", 40) for one in waiting]
            assert [end.state for end in ends] == [State.FINISHED] * 2


def servers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.name().startswith("livekit-server")]
