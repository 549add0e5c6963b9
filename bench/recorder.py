"""A viewer that records the avatar's sound for as long as a bench runs."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bench import tones
from livekit import rtc

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.viewer import viewer_token


@dataclass
class Recorder:
    """A viewer that records the avatar's sound, and joins again when it was thrown out. It does not subscribe to the
    pictures: five avatars that draw take two cores, and then nothing on the machine keeps its time."""

    livekit: LiveKit
    room_name: str
    tracks: list[list[np.ndarray[Any, np.dtype[np.int16]]]] = field(default_factory=list)
    """The frames of each track, in order of subscription: an avatar that was killed keeps its track for a while beside
    that of the next one."""

    async def run(self) -> None:
        while True:
            with contextlib.suppress(rtc.ConnectError, RuntimeError, TimeoutError):
                await self._once()
            await asyncio.sleep(0.3)

    async def _once(self) -> None:
        room, over = rtc.Room(), asyncio.Event()
        tasks: dict[str, asyncio.Task[None]] = {}

        def subscribed(track: rtc.Track, *_: object) -> None:
            if track.kind == rtc.TrackKind.KIND_AUDIO:
                tasks[track.sid] = asyncio.create_task(self._listen(track))

        def unsubscribed(track: rtc.Track, *_: object) -> None:
            """The stream of a track that is gone would go on with another one, which takes its transceiver."""
            if (task := tasks.get(track.sid)) is not None:
                task.cancel()

        def published(publication: rtc.RemoteTrackPublication, *_: object) -> None:
            publication.set_subscribed(publication.kind == rtc.TrackKind.KIND_AUDIO)

        room.on("track_published", published)
        room.on("track_subscribed", subscribed)
        room.on("track_unsubscribed", unsubscribed)
        room.on("disconnected", lambda *_: over.set())
        try:
            async with asyncio.timeout(10):
                token = viewer_token(self.livekit, self.room_name)
                await room.connect(self.livekit.url, token, rtc.RoomOptions(auto_subscribe=False))
            for participant in room.remote_participants.values():
                for publication in participant.track_publications.values():
                    published(publication)
            await over.wait()
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(room.disconnect(), 3)

    async def _listen(self, track: rtc.Track) -> None:
        frames: list[np.ndarray[Any, np.dtype[np.int16]]] = []
        self.tracks.append(frames)
        stream = rtc.AudioStream(track, sample_rate=tones.RATE, num_channels=1)
        try:
            async for event in stream:
                frames.append(np.frombuffer(event.frame.data, np.int16).copy())  # noqa: PERF401 - kept when cancelled
        finally:
            await stream.aclose()

    def recording(self) -> tones.Samples:
        """Return the tracks one after the other."""
        frames = [frame for track in self.tracks for frame in track]
        return np.concatenate(frames) if frames else np.zeros(0, np.int16)
