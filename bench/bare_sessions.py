"""Sessions as ``many_rooms.py churn`` has them, of the LiveKit SDK alone: what it leaves behind is not ours.

Lines on standard input command it (``session TOKEN AVATAR``); it answers each with one line of JSON: the
megabytes that are resident after it. A session joins the room, is visible, streams 0.4 s to the avatar and leaves.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.sender_load_child import answer, commands  # noqa: E402
from livekit import rtc  # noqa: E402

from mouthpiece import wire  # noqa: E402

CHUNK = b"\x10\x10" * 1_600
"""0.1 s of 16 kHz."""
STAYS = 0.6
"""Seconds in the room after the stream."""


async def session(token: str, avatar: str) -> None:
    room = rtc.Room()
    await room.connect(os.environ["LIVEKIT_URL"], token, rtc.RoomOptions(auto_subscribe=False))
    await room.local_participant.publish_data_track(name="bare")
    writer = await room.local_participant.stream_bytes(
        name="AUDIO_bare",
        topic=wire.AUDIO_STREAM_TOPIC,
        destination_identities=[avatar],
        attributes=wire.StreamHeader(16_000, 1, segment="seg_bare").attributes(),
    )
    for _ in range(4):
        await writer.write(CHUNK)
    await writer.aclose()
    await asyncio.sleep(STAYS)
    await room.disconnect()


async def main() -> None:
    answer()
    async for _, words in commands():
        token, avatar = words.split()
        await session(token, avatar)
        gc.collect()
        answer(memory=psutil.Process().memory_info().rss / 1e6)


if __name__ == "__main__":
    asyncio.run(main())
