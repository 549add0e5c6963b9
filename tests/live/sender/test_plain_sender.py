"""The sender that one can copy, as a process, against livekit-agents' own receiver."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import RunningProcess, environment
from tests.live.sender.conftest import StartReceiver

SENDER = Path(__file__).parents[3] / "examples" / "external_audio_sender_plain.py"
WHOLE = 3.88
"""Seconds of the sound that it sends."""


async def test_its_first_segment_arrives_whole_and_it_leaves_a_receiver_that_still_listens(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    command = [sys.executable, str(SENDER), room_name, "0.2"]
    async with stock_receiver(room_name) as receiver:
        for number in (signal.SIGINT, signal.SIGTERM):
            with RunningProcess(command, environment(livekit), tmp_path) as process:
                heard = await receiver.line(30)
                assert heard == {"seconds": pytest.approx(WHOLE, abs=0.01), "interrupted": False}
                await process.says("confirmed")
                await asyncio.sleep(0.8)  # into the next one
                process.popen.send_signal(number)
                assert await process.ended() == 130
                assert "Traceback" not in process.output
            cut = await receiver.line()
            assert cut["interrupted"] is True
            assert cut["seconds"] < WHOLE
