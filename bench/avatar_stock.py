"""What ours is compared with: livekit-agents' AvatarRunner and DataStreamAudioReceiver.

Run by ``bench/latency.py`` as a process of its own: ``python bench/avatar_stock.py URL [flash|face]`` with the token in
``TOKEN``. 512 by 512 at 25 frames a second, as the SDK's example avatar does it: 40 ms of sound and one picture at a
time.

- flash: white while sound is loud and grey otherwise, two pictures that are made once
- face: the pictures of our own avatar, drawn by the same code
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable

import numpy as np
import numpy.typing as npt
from livekit import rtc
from livekit.agents.voice.avatar import (
    AudioSegmentEnd,
    AvatarOptions,
    AvatarRunner,
    DataStreamAudioReceiver,
    VideoGenerator,
)

Picture = Callable[[npt.NDArray[np.int16], bool], rtc.VideoFrame]
"""Makes the picture for ``CHUNK`` samples, which are of speech or not."""

SIZE, FPS, RATE = 512, 25, 48_000
LOUD = 300
CHUNK = RATE // FPS


def flash() -> Picture:
    white = rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.RGBA, bytes([255]) * (SIZE * SIZE * 4))
    grey = rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.RGBA, bytes([60, 60, 60, 255]) * (SIZE * SIZE))

    def picture(samples: npt.NDArray[np.int16], speech: bool) -> rtc.VideoFrame:
        return white if speech and np.sqrt(np.mean(np.square(samples.astype(np.float32)))) > LOUD else grey

    return picture


def face() -> Picture:
    from mouthpiece_avatar.face.faces import Look, load_face, read_size  # the other pictures are to pay nothing for it
    from mouthpiece_avatar.face.renderer import FaceRenderer

    renderer = FaceRenderer(load_face("mia", Look(read_size(str(SIZE)))))
    at = 0

    def picture(samples: npt.NDArray[np.int16], speech: bool) -> rtc.VideoFrame:
        nonlocal at
        renderer.audio_queued(at, samples, speech=speech)
        drawn = renderer.frame(at)
        at += len(samples)
        return rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.I420, drawn.tobytes())

    return picture


PICTURES: dict[str, Callable[[], Picture]] = {"flash": flash, "face": face}


class Pictures(VideoGenerator):
    """Idles on silence, like the example."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._samples: deque[np.ndarray] = deque()
        self._ended = False
        self._resampler: rtc.AudioResampler | None = None
        self._rest = np.zeros(0, np.int16)

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
            yield self._picture(block, samples is not None)
            yield rtc.AudioFrame(block.tobytes(), RATE, 1, CHUNK)
            if samples is not None and not self._samples and self._ended:
                self._ended = False
                yield AudioSegmentEnd()


async def main() -> None:
    picture = PICTURES[sys.argv[2] if len(sys.argv) > 2 else "flash"]()
    room = rtc.Room()
    await room.connect(sys.argv[1], os.environ["TOKEN"])
    options = AvatarOptions(
        video_width=SIZE, video_height=SIZE, video_fps=FPS, audio_sample_rate=RATE, audio_channels=1
    )
    runner = AvatarRunner(room, audio_recv=DataStreamAudioReceiver(room), video_gen=Pictures(picture), options=options)
    starting = asyncio.create_task(runner.start())  # it waits for an agent to join
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    starting.cancel()
    await room.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
