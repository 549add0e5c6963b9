"""The senders that ``rooms.py`` compares, each alone in a process with all of its rooms: ``ours`` and ``stock``.

Lines on standard input command it (``play SECONDS``); it answers each with one line of JSON once every room has been
told that all of it was played. Both are given the same samples in memory and send them as they are.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.sender_load_child import answer, commands  # noqa: E402
from livekit import rtc  # noqa: E402
from livekit.agents.voice.avatar import DataStreamAudioOutput  # noqa: E402

from mouthpiece.segments import Source, new_segment_id  # noqa: E402
from mouthpiece_sender.gateway import Gateway  # noqa: E402
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi  # noqa: E402
from mouthpiece_sender.livekit.target import LiveKitTarget  # noqa: E402
from mouthpiece_sender.storage.memory_journal import MemoryJournal  # noqa: E402
from mouthpiece_sender.target import SpeakRequest  # noqa: E402
from tests.sounds import Tone  # noqa: E402

RATE = 16_000
FRAME = 0.1
"""Seconds of a frame of the stock output."""


async def ours(rooms: list[str]) -> None:
    access = LiveKitAccess(*(os.environ[name] for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")))
    async with LiveKitApi(access) as server:
        target = LiveKitTarget(access, server, instance=secrets.token_hex(3), warm=3600)
        async with Gateway(target, MemoryJournal(), drop_queued_on_exit=True) as gateway:

            async def play(room: str, seconds: float) -> str:
                request = SpeakRequest(room, Tone(seconds), Source("file", "tone"), new_segment_id())
                segment = await gateway.speak(request)
                ended = await gateway.wait(segment.id, "finished", seconds + 60)
                return f"{ended.state.value}, {ended.receipt.value}"

            await asyncio.gather(*(play(room, 0.5) for room in rooms))
            answer()
            async for _, seconds in commands():
                outcomes = await asyncio.gather(*(play(room, float(seconds)) for room in rooms))
                answer(outcomes=outcomes)


async def stock(rooms: list[str]) -> None:
    async with AsyncExitStack() as stack:
        outputs = []
        for place, name in enumerate(rooms):
            room = rtc.Room()
            options = rtc.RoomOptions(auto_subscribe=False)  # as ours: the output alone is compared
            await room.connect(os.environ["LIVEKIT_URL"], os.environ[f"TOKEN_{place}"], options)
            stack.push_async_callback(room.disconnect)
            outputs.append(DataStreamAudioOutput(room, destination_identity=f"avatar-{name}", sample_rate=RATE))

        async def play(output: DataStreamAudioOutput, seconds: float) -> str:
            samples = Tone(seconds).samples
            size, began = round(FRAME * RATE), time.monotonic()
            for number, start in enumerate(range(0, len(samples), size)):
                await asyncio.sleep(max(0.0, began + number * FRAME - time.monotonic()))
                block = samples[start : start + size]
                await output.capture_frame(rtc.AudioFrame(block.tobytes(), RATE, 1, len(block)))
            output.flush()
            ended = await output.wait_for_playout()
            return f"interrupted {ended.interrupted}"

        await asyncio.gather(*(play(output, 0.5) for output in outputs))
        answer()
        async for _, seconds in commands():
            answer(outcomes=await asyncio.gather(*(play(output, float(seconds)) for output in outputs)))


if __name__ == "__main__":
    asyncio.run({"ours": ours, "stock": stock}[sys.argv[1]](sys.argv[2:]))
