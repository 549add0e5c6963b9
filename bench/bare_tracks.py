"""The tracks of an avatar that is silent and that nobody looks at, of the LiveKit SDK alone: what is not ours to save.

``TOKEN=… python bench/bare_tracks.py URL [silence|nothing|joined]`` joins, publishes sound and pictures as our avatar
does, sends pictures for a second, and from then on silence alone, half a second at a time, or nothing at all. Or it
joins and publishes no tracks.
"""

from __future__ import annotations

import asyncio
import os
import sys

import numpy as np
from livekit import rtc

RATE = 48_000
BLOCK = RATE // 2
SIZE = 512
BITRATE = 72_000
"""As ``mouthpiece_avatar.publisher`` has it: the default of the SDK takes more."""


async def publish(room: rtc.Room) -> tuple[rtc.AudioSource, rtc.VideoSource]:
    sound = rtc.AudioSource(RATE, 1, queue_size_ms=1_000)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, stream="bare", dtx=False)
    options.audio_encoding.max_bitrate = BITRATE
    await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("sound", sound), options)
    pictures = rtc.VideoSource(SIZE, SIZE)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, stream="bare", simulcast=False)
    await room.local_participant.publish_track(rtc.LocalVideoTrack.create_video_track("pictures", pictures), options)
    return sound, pictures


async def main() -> None:
    what = sys.argv[2] if len(sys.argv) > 2 else "silence"
    room = rtc.Room()
    await room.connect(sys.argv[1], os.environ["TOKEN"], rtc.RoomOptions(auto_subscribe=False, dynacast=True))
    if what == "joined":
        await asyncio.Event().wait()
    sound, pictures = await publish(room)
    grey = np.full(SIZE * SIZE * 3 // 2, 128, np.uint8)
    for _ in range(50):
        pictures.capture_frame(rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.I420, grey.data))
        await asyncio.sleep(0.04)
    if what == "nothing":
        await asyncio.Event().wait()
    silence = rtc.AudioFrame(bytes(2 * BLOCK), RATE, 1, BLOCK)
    while True:
        await sound.capture_frame(silence)
        await asyncio.sleep(max(0.0, sound.queued_duration - BLOCK / RATE / 2))


if __name__ == "__main__":
    asyncio.run(main())
