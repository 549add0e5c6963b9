"""An avatar without the wire protocol: it publishes moving pictures and plays the samples that a test passes."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

import numpy as np
import numpy.typing as npt
from livekit import api, rtc

from mouthpiece import wire
from mouthpiece_sender.demo.livekit_server import LiveKit

SAMPLE_RATE = 48_000
FRAME_RATE = 10
"""Pictures a second: fewer than an avatar sends, since a Chromium without a GPU draws each on the processor."""
SIZE = 256
AGENT = "agent-fake"
AVATAR = wire.avatar_identity("fake")


def agent_token(livekit: LiveKit, room: str, identity: str, on_behalf_of: str | None = None) -> str:
    token = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity(identity)
        .with_name(identity)
        .with_kind("agent")
        .with_grants(api.VideoGrants(room_join=True, room=room))
    )
    if on_behalf_of is not None:
        token = token.with_attributes({wire.ATTR_PUBLISH_ON_BEHALF: on_behalf_of})
    return token.to_jwt()


class FakeAvatar:
    """An agent and its avatar, in the room during the ``async with`` block."""

    def __init__(self, livekit: LiveKit, room: str) -> None:
        self._livekit, self._name = livekit, room
        self._agent, self._room = rtc.Room(), rtc.Room()
        self._audio = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=100)
        self._video = rtc.VideoSource(SIZE, SIZE)
        self._draw_task: asyncio.Task[None] | None = None
        self.draws = True
        """False: the picture stalls."""

    async def __aenter__(self) -> FakeAvatar:
        await self._agent.connect(self._livekit.url, agent_token(self._livekit, self._name, AGENT))
        await self._room.connect(self._livekit.url, agent_token(self._livekit, self._name, AVATAR, AGENT))
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
        await self._room.local_participant.publish_track(
            rtc.LocalVideoTrack.create_video_track("face", self._video), options
        )
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(
            rtc.LocalAudioTrack.create_audio_track("voice", self._audio), options
        )
        self._draw_task = asyncio.create_task(self._draw())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._draw_task is not None:
            self._draw_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._draw_task
        await self._room.disconnect()
        await self._agent.disconnect()
        await self._audio.aclose()
        await self._video.aclose()

    async def play(self, samples: npt.NDArray[np.int16]) -> None:
        """Play int16 mono samples at ``SAMPLE_RATE``; when cancelled, go silent at once."""
        step = SAMPLE_RATE // 50
        try:
            for start in range(0, len(samples), step):
                frame = samples[start : start + step]
                await self._audio.capture_frame(rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, len(frame)))
            await self._audio.wait_for_playout()
        finally:
            self._audio.clear_queue()

    async def caption(self, text: str, attributes: dict[str, str] | None = None) -> None:
        """Send ``text`` as an agent sends a transcription: word by word in one text stream."""
        writer = await self._agent.local_participant.stream_text(topic="lk.transcription", attributes=attributes)
        for word in text.split(" "):
            await writer.write(word + " ")
        await writer.aclose()

    async def _draw(self) -> None:
        rows, columns = np.mgrid[0:SIZE, 0:SIZE]
        for count in range(1_000_000):
            shift = 4 * count
            picture = np.full((SIZE, SIZE, 4), 255, np.uint8)
            picture[..., 0] = (rows + shift) % 256
            picture[..., 1] = (columns + 2 * shift) % 256
            picture[..., 2] = 120
            frame = rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.RGBA, picture.tobytes())
            if self.draws:
                self._video.capture_frame(frame)
            await asyncio.sleep(1 / FRAME_RATE)
