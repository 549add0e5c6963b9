"""What ours is compared with: livekit-agents' AvatarRunner and DataStreamAudioReceiver with a trivial picture.

Run by ``bench/latency.py`` as a process of its own: ``python bench/avatar_stock.py URL`` with the token in ``TOKEN``.
512 by 512 at 25 frames a second, white while sound is loud and grey otherwise, as the SDK's example avatar does it:
40 ms of sound and one picture at a time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator

import numpy as np
from livekit import rtc
from livekit.agents.voice.avatar import (
    AudioSegmentEnd,
    AvatarOptions,
    AvatarRunner,
    DataStreamAudioReceiver,
    VideoGenerator,
)

SIZE, FPS, RATE = 512, 25, 48_000
LOUD = 300
CHUNK = RATE // FPS


class Pictures(VideoGenerator):
    """Idles on a grey picture and silence, like the example; a loud frame gets a white one."""

    def __init__(self) -> None:
        self._samples: deque[np.ndarray] = deque()
        self._ended = False
        self._resampler: rtc.AudioResampler | None = None
        self._rest = np.zeros(0, np.int16)
        self._white = rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.RGBA, bytes([255]) * (SIZE * SIZE * 4))
        self._grey = rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.RGBA, bytes([60, 60, 60, 255]) * (SIZE * SIZE))

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        if isinstance(frame, AudioSegmentEnd):
            if self._resampler is not None:
                self._keep(self._resampler.flush())
                self._resampler = None
            if len(self._rest):
                padded = np.concatenate((self._rest, np.zeros(CHUNK - len(self._rest), np.int16)))
                self._samples.append(padded)
                self._rest = np.zeros(0, np.int16)
            self._ended = True
            return
        if frame.sample_rate == RATE:
            self._keep([frame])
            return
        if self._resampler is None:
            self._resampler = rtc.AudioResampler(frame.sample_rate, RATE)
        self._keep(self._resampler.push(frame))

    def clear_buffer(self) -> None:
        self._samples.clear()
        self._rest = np.zeros(0, np.int16)

    def _keep(self, frames: list[rtc.AudioFrame]) -> None:
        arrived = [np.frombuffer(frame.data, np.int16) for frame in frames]
        joined = np.concatenate([self._rest, *arrived])
        whole = len(joined) // CHUNK * CHUNK
        self._samples.extend(joined[:whole].reshape(-1, CHUNK))
        self._rest = joined[whole:]

    async def __aiter__(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        while True:
            samples = self._samples.popleft() if self._samples else None
            block = samples if samples is not None else np.zeros(CHUNK, np.int16)
            loud = float(np.sqrt(np.mean(np.square(block.astype(np.float32))))) > LOUD
            yield self._white if loud else self._grey
            yield rtc.AudioFrame(block.tobytes(), RATE, 1, CHUNK)
            if samples is not None and not self._samples and self._ended:
                self._ended = False
                yield AudioSegmentEnd()


async def main() -> None:
    room = rtc.Room()
    await room.connect(sys.argv[1], os.environ["TOKEN"])
    options = AvatarOptions(
        video_width=SIZE, video_height=SIZE, video_fps=FPS, audio_sample_rate=RATE, audio_channels=1
    )
    runner = AvatarRunner(room, audio_recv=DataStreamAudioReceiver(room), video_gen=Pictures(), options=options)
    starting = asyncio.create_task(runner.start())  # it waits for an agent to join
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    starting.cancel()
    await room.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
