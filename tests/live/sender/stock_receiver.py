"""livekit-agents' own receiver in a process of its own: counts what arrives and answers as a stock avatar does.

Usage: stock_receiver.py URL TOKEN [SENDER_IDENTITY]. Prints JSON lines: {"ready": true}, then for each segment
{"playing": true} when it begins and {"seconds": heard, "interrupted": …} when it has ended. It plays in real time: a
stock receiver only hands over frames.
"""

from __future__ import annotations

import asyncio
import json
import sys

from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, DataStreamAudioReceiver


async def main(url: str, token: str, sender: str | None) -> None:
    room = rtc.Room()
    await room.connect(url, token)
    receiver = DataStreamAudioReceiver(room, sender_identity=sender)
    print(json.dumps({"ready": True}), flush=True)
    await receiver.start()
    seconds = 0.0

    def finished(interrupted: bool) -> None:
        """As the stock runner: only if something of the segment was played."""
        nonlocal seconds
        if seconds:
            receiver.notify_playback_finished(seconds, interrupted)
            print(json.dumps({"seconds": round(seconds, 6), "interrupted": interrupted}), flush=True)
        seconds = 0.0

    receiver.on("clear_buffer", lambda: finished(True))
    async for frame in receiver:
        if isinstance(frame, AudioSegmentEnd):
            finished(False)
            continue
        if not seconds:
            receiver.notify_playback_started()
            print(json.dumps({"playing": True}), flush=True)
        seconds += frame.duration
        await asyncio.sleep(frame.duration)


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None))
