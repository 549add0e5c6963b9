"""livekit-agents' own receiver as an avatar with a voice: plays what it receives onto an audio track of its own.

Usage: stock_player.py URL TOKEN [SENDER_IDENTITY]. Prints ``{"ready": true}`` once it listens, and ``{"deaf": true}``
once its receiver has ended; it stays in the room then, as ``AvatarRunner`` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, DataStreamAudioReceiver

RATE = 16_000
"""Hertz; what Avaluma and Simli are sent."""


async def main(url: str, token: str, sender: str | None) -> None:
    room = rtc.Room()
    await room.connect(url, token)
    source = rtc.AudioSource(RATE, 1, queue_size_ms=200)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    await room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    receiver = DataStreamAudioReceiver(room, sender_identity=sender)
    print(json.dumps({"ready": True}), flush=True)
    await receiver.start()
    seconds = 0.0

    def cleared() -> None:
        source.clear_queue()
        receiver.notify_playback_finished(seconds, interrupted=True)

    receiver.on("clear_buffer", cleared)
    with contextlib.suppress(rtc.RpcError):
        async for frame in receiver:
            if isinstance(frame, AudioSegmentEnd):
                await source.wait_for_playout()
                receiver.notify_playback_finished(seconds, interrupted=False)
                seconds = 0.0
                continue
            await source.capture_frame(frame)
            seconds += frame.duration
    print(json.dumps({"deaf": True}), flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None))
