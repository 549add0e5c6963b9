"""The service is killed while livekit-agents' receiver reads a stream of it, and started again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mouthpiece.playback.receiver import TEST_LENGTH
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.sender.conftest import StartReceiver
from tests.live.sender.test_goes_on import Service
from tests.live.sender.tones import scale

pytestmark = pytest.mark.timed


@pytest.mark.timeout(180)
async def test_the_receiver_hears_what_waited_and_what_comes_later(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    service = Service(livekit, tmp_path)
    async with stock_receiver(room_name) as receiver:
        await service.start()
        try:
            segments = [await post(service, room_name, seconds) for seconds in (8.0, 2.0, 2.0)]
            await receiver.playing()
            await asyncio.sleep(2.0)
            await service.kill()
            await service.start()
            cut = await receiver.line(60)
            assert cut["seconds"] < 8.0
            silence = await receiver.line(60)
            assert silence == {"seconds": TEST_LENGTH, "interrupted": False}, "it is asked first whether it still hears"
            assert [await receiver.line(60) for _ in range(2)] == [{"seconds": 2.0, "interrupted": False}] * 2
            ends = [await ended(service, segment) for segment in segments]
            assert [(end["state"], end["receipt"]) for end in ends] == [
                ("unknown", "unknown"),
                ("finished", "confirmed"),
                ("finished", "confirmed"),
            ]
        finally:
            await service.stop()


@pytest.mark.timeout(180)
async def test_one_that_is_deaf_because_the_service_stayed_away_is_sent_one_segment_and_no_more(
    livekit: LiveKit, stock_receiver: StartReceiver, room_name: str, tmp_path: Path
) -> None:
    """What waits is not lost in it: it fails after the time for an avatar, and can be sent again."""
    service = Service(livekit, tmp_path, settings={"MOUTHPIECE_AVATAR_TIMEOUT": "12"})
    async with stock_receiver(room_name, script="stock_player.py") as receiver:
        await service.start()
        first = await post(service, room_name, 3.0)
        await until_playing(service, first)
        await asyncio.sleep(2.0)
        await service.kill()
        assert await receiver.line(60) == {"deaf": True}, "after three calls of 7 s"
        await service.start()
        try:
            later = [await post(service, room_name, 2.0) for _ in range(3)]
            ends = [await ended(service, segment) for segment in (first, *later)]
            assert [end["state"] for end in ends] == ["unknown", "unknown", "failed", "failed"]
            assert [end["error"]["type"] for end in ends[1:]] == ["avatar-silent"] * 3
            assert [end["position"] for end in ends[1:]] == [0.0] * 3
            async with service.client() as client:
                room = (await client.get(f"/v1/rooms/{room_name}")).json()
            assert [avatar["ready"] for avatar in room["avatars"]] == [False]
        finally:
            await service.stop()


async def post(service: Service, room: str, seconds: float) -> str:
    async with service.client() as client:
        answer = await client.post(f"/v1/rooms/{room}/segments", content=scale(0, round(seconds / 0.5)))
    return str(answer.json()["id"])


async def until_playing(service: Service, segment: str) -> None:
    async with service.client() as client:
        answer = await client.get(f"/v1/segments/{segment}", params={"wait": "playing", "timeout": 25})
    assert answer.json()["state"] == "playing"


async def ended(service: Service, segment: str) -> dict[str, Any]:
    async with service.client() as client:
        answer = await client.get(f"/v1/segments/{segment}", params={"wait": "finished", "timeout": 30})
    return dict(answer.json())
