"""The service is killed while livekit-agents' receiver reads a stream of it, and started again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.sender.conftest import StartReceiver
from tests.live.sender.test_goes_on import Service
from tests.live.sender.tones import scale

pytestmark = pytest.mark.alone


@pytest.mark.timeout(180)
async def test_the_receiver_hears_what_waited_and_what_comes_later(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    service = Service(livekit, tmp_path)
    segments = []
    async with stock_receiver(room_name) as receiver:
        await service.start()
        try:
            for seconds in (8.0, 2.0, 2.0):
                async with service.client() as client:
                    answer = await client.post(
                        f"/v1/rooms/{room_name}/segments", content=scale(0, round(seconds / 0.5))
                    )
                segments.append(answer.json()["id"])
            await receiver.playing()
            await asyncio.sleep(2.0)
            await service.kill()
            await service.start()
            cut = await receiver.line(60)
            assert cut["seconds"] < 8.0
            assert [await receiver.line(60) for _ in range(2)] == [{"seconds": 2.0, "interrupted": False}] * 2
            async with service.client() as client:
                ends = [
                    (await client.get(f"/v1/segments/{one}", params={"wait": "finished", "timeout": 20})).json()
                    for one in segments
                ]
            assert [(end["state"], end["receipt"]) for end in ends] == [
                ("unknown", "unknown"),
                ("finished", "confirmed"),
                ("finished", "confirmed"),
            ]
        finally:
            await service.stop()
