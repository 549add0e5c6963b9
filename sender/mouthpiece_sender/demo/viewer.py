"""A viewer that measures: joins a room as a browser does, and records each audio and video frame with its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
from livekit import rtc

SAMPLE_RATE = 48_000
FRAME = 0.010
"""Seconds per audio frame."""
LOUD = 300.0
"""Root mean square (of int16) from which a frame counts as sound: -41 dBFS, far above decoded silence of Opus."""
GRID = 8
"""Every eighth pixel of every eighth line is compared."""
MOVED = 24
"""Difference in brightness (of 256) at one such pixel: a moving mouth reaches it, the noise of an encoder does not."""


@dataclass(frozen=True, slots=True)
class Sound:
    """An audio frame of ``FRAME`` seconds."""

    at: float
    """When it arrived, in monotonic seconds."""
    loud: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A video frame."""

    at: float
    """When it arrived, in monotonic seconds."""
    moved: bool
    """Whether it differs from the one before it."""


@dataclass
class Viewer:
    """Joins the room of the token and records every audio and video track in it.

    ::

        async with Viewer(url, token) as viewer:
            await viewer.until(lambda: viewer.pictures and viewer.sounds, 30)
    """

    url: str
    token: str
    sounds: list[Sound] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    _room: rtc.Room = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(init=False, default_factory=set)
    _arrived: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._room = rtc.Room()
        self._room.on("track_subscribed", self._on_track)
        await self._room.connect(self.url, self.token)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()

    async def until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait until ``condition`` holds; it is evaluated at each frame that arrives.

        :raises TimeoutError: it did not hold within ``timeout`` seconds.
        """
        async with asyncio.timeout(timeout):
            while not condition():
                self._arrived.clear()
                await self._arrived.wait()

    def _on_track(self, track: rtc.RemoteTrack, _: rtc.RemoteTrackPublication, __: rtc.RemoteParticipant) -> None:
        is_sound = track.kind == rtc.TrackKind.KIND_AUDIO
        task = asyncio.create_task(self._listen(track) if is_sound else self._watch(track))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, track: rtc.RemoteTrack) -> None:
        stream = rtc.AudioStream.from_track(track=track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=10)
        try:
            async for event in stream:
                loud = loudness(np.frombuffer(event.frame.data, np.int16)) >= LOUD
                self.sounds.append(Sound(time.monotonic(), loud))
                self._arrived.set()
        finally:
            await stream.aclose()

    async def _watch(self, track: rtc.RemoteTrack) -> None:
        stream = rtc.VideoStream.from_track(track=track, format=rtc.VideoBufferType.I420)
        before: npt.NDArray[np.int16] | None = None
        try:
            async for event in stream:
                now, after = time.monotonic(), brightness(event.frame)
                self.pictures.append(Picture(now, before is not None and moved(before, after)))
                before = after
                self._arrived.set()
        finally:
            await stream.aclose()


def loudness(samples: npt.NDArray[np.int16]) -> float:
    """Return the root mean square of ``samples``, any shape."""
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float32)))))


def brightness(frame: rtc.VideoFrame) -> npt.NDArray[np.int16]:
    """Return every ``GRID``-th pixel of every ``GRID``-th line of an I420 frame's luma plane, as int16."""
    luma = np.frombuffer(frame.data, np.uint8, count=frame.width * frame.height)
    return luma.reshape(frame.height, frame.width)[::GRID, ::GRID].astype(np.int16)


def moved(before: npt.NDArray[np.int16], after: npt.NDArray[np.int16]) -> bool:
    """Return whether something in the picture has moved, or the picture has changed its size."""
    return before.shape != after.shape or bool(np.abs(after - before).max() >= MOVED)
