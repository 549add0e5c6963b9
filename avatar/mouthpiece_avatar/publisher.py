"""The publisher performs what the playout decides: sound into the audio source, pictures into the video source.

It is the only one that touches the two sources, so a capture that is under way and a cut cannot cross.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.inbound_stream import RATE
from mouthpiece_avatar.playout import Capture, Cut, Finished, PlayoutQueue, Rest, Started
from mouthpiece_avatar.renderer import Renderer

FPS = 25
SOURCE_QUEUE_MS = 1_000
"""More than the playout ever puts into it, so that a capture returns at once."""
MAX_BITRATE = 1_200_000
"""Bits a second for 512x512 at 25 frames a second: drawn faces need a third of it."""
PICTURE_DELAY = 0.015
"""Seconds that pictures are held back against the sound that leaves the source. Sound is coded 20 ms at a time and so
takes longer to a viewer than pictures do: ``bench/latency.py`` shows by how much the two are apart there."""
_SHORTEST_REST = 0.001


class MediaPublisher:
    """``publish``, then ``run`` until cancelled, then ``aclose``; ``wake`` it when the playout was given something."""

    def __init__(
        self,
        playout: PlayoutQueue,
        renderer: Renderer,
        *,
        clock: Callable[[], float],
        report: Callable[[Started | Finished], None],
    ) -> None:
        self._playout = playout
        self._renderer = renderer
        self._clock = clock
        self._report = report
        self._woken = asyncio.Event()
        self._sources: tuple[rtc.AudioSource, rtc.VideoSource] | None = None
        self.pictures = 0
        """Sent since the start."""
        self.late = 0
        """Pictures that were left out because their time had passed."""

    def wake(self) -> None:
        self._woken.set()

    async def publish(self, participant: rtc.LocalParticipant) -> None:
        """Publishes both tracks under one stream name: a receiver then plays them in step."""
        sound = rtc.AudioSource(RATE, 1, queue_size_ms=SOURCE_QUEUE_MS)
        video = rtc.VideoSource(*self._renderer.size)
        self._sources = sound, video
        await participant.publish_track(
            rtc.LocalAudioTrack.create_audio_track("avatar_audio", sound),
            rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, stream="avatar", dtx=False),
        )
        await participant.publish_track(
            rtc.LocalVideoTrack.create_video_track("avatar_video", video),
            rtc.TrackPublishOptions(
                source=rtc.TrackSource.SOURCE_CAMERA,
                stream="avatar",
                simulcast=False,
                video_encoding=rtc.VideoEncoding(max_framerate=FPS, max_bitrate=MAX_BITRATE),
            ),
        )

    async def run(self) -> None:
        """:raises RuntimeError: it was not published."""
        if self._sources is None:
            raise RuntimeError("the publisher has nowhere to publisher to: publish it first")
        sound, video = self._sources
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_sound(sound))
            tasks.create_task(self._run_pictures(video))

    async def aclose(self) -> None:
        if self._sources is not None:
            sound, video = self._sources
            await sound.aclose()
            await video.aclose()

    async def _run_sound(self, sound: rtc.AudioSource) -> None:
        while True:
            self._woken.clear()
            action = self._playout.act(self._clock())
            for event in self._playout.events():
                self._report(event)
            match action:
                case Capture(samples):
                    self._renderer.audio_queued(self._playout.put - len(samples), samples)
                    await _capture(sound, samples)
                case Cut(keep):
                    sound.clear_queue()
                    self._renderer.audio_cut(self._playout.put - len(keep))
                    if len(keep):
                        self._renderer.audio_queued(self._playout.put - len(keep), keep)
                        await _capture(sound, keep)
                case Rest(seconds):
                    try:
                        async with asyncio.timeout(max(seconds, _SHORTEST_REST)):
                            await self._woken.wait()
                    except TimeoutError:
                        pass  # the rest is over

    async def _run_pictures(self, video: rtc.VideoSource) -> None:
        period = 1 / FPS
        due = self._clock()
        while True:
            now = self._clock()
            if now < due:
                await asyncio.sleep(due - now)
                continue
            behind = int((now - due) / period)
            self.late += behind
            due += (behind + 1) * period
            picture = self._renderer.frame(self._playout.leaving(now - PICTURE_DELAY))
            height, width = picture.shape[:2]
            video.capture_frame(rtc.VideoFrame(width, height, rtc.VideoBufferType.BGRA, picture.data))
            self.pictures += 1


async def _capture(sound: rtc.AudioSource, samples: Samples) -> None:
    await sound.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples)))
