"""Performs what :class:`PlayoutQueue` decides: sound into the audio source, pictures into the video source.

Nothing else touches the two sources, so a capture that is under way and a cut cannot cross.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from livekit import rtc

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.acknowledgements import Measurement
from mouthpiece_avatar.delivery import DeliveryWatch, read_statistics
from mouthpiece_avatar.playout import Capture, Cut, Finished, PlayoutQueue, Started, Wait
from mouthpiece_avatar.playout_stream import RATE
from mouthpiece_avatar.renderer import Renderer

SOURCE_QUEUE_MS = 1_000
"""More than :class:`PlayoutQueue` ever puts into it, so that a capture returns at once."""
MAX_BITS_PER_PIXEL = 1_200_000 / (512 * 512 * 25)
"""Of one frame: 1.2 Mbit/s for 512x512 at 25 frames a second. Drawn faces need a third of it."""
PICTURE_DELAY = 0.015
"""Seconds by which a picture follows the sound that it belongs to. Sound is coded 20 ms at a time and so takes longer
to reach a viewer than pictures do; ``bench/latency.py`` measures the difference there."""
_SHORTEST_WAIT = 0.001
"""Seconds."""


class MediaPublisher:
    """``publish``, then ``run`` until cancelled, then ``aclose``; ``wake`` when something was put into the queue."""

    def __init__(
        self,
        playout: PlayoutQueue,
        renderer: Renderer,
        *,
        clock: Callable[[], float],
        report: Callable[[Started | Finished], None],
        track: Callable[[int, Samples], Samples] = lambda _, samples: samples,
        acknowledged: bool = True,
    ) -> None:
        """
        :param track: makes of the samples from an index on, counted as ``PlayoutQueue.next_index`` counts, what is
            published.
        :param acknowledged: what LiveKit takes is watched, as ``playout`` expects it.
        """
        self._playout = playout
        self._renderer = renderer
        self._clock = clock
        self._report = report
        self._published = track
        self._acknowledged = acknowledged
        self._woken = asyncio.Event()
        self._sources: tuple[rtc.AudioSource, rtc.VideoSource] | None = None
        self._delivery = DeliveryWatch(playout, measure=self._measure, changed=self.wake, clock=clock)
        self._track: rtc.LocalAudioTrack | None = None
        self.pictures = 0
        """Pictures sent since the start."""
        self.late = 0
        """Pictures left out because their time had passed."""

    @property
    def delivery(self) -> Counter[str]:
        """See :attr:`DeliveryWatch.counts`."""
        return self._delivery.counts

    def wake(self) -> None:
        self._woken.set()

    async def publish(self, participant: rtc.LocalParticipant) -> None:
        """Publish both tracks under one stream name: a receiver then plays them in sync."""
        sound = rtc.AudioSource(RATE, 1, queue_size_ms=SOURCE_QUEUE_MS)
        width, height = self._renderer.size
        fps = self._renderer.fps
        bitrate = round(MAX_BITS_PER_PIXEL * width * height * fps)
        video = rtc.VideoSource(width, height)
        self._sources = sound, video
        self._track = rtc.LocalAudioTrack.create_audio_track("avatar_audio", sound)
        await participant.publish_track(
            self._track,
            rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, stream="avatar", dtx=False),
        )
        await participant.publish_track(
            rtc.LocalVideoTrack.create_video_track("avatar_video", video),
            rtc.TrackPublishOptions(
                source=rtc.TrackSource.SOURCE_CAMERA,
                stream="avatar",
                simulcast=False,
                video_encoding=rtc.VideoEncoding(max_framerate=fps, max_bitrate=bitrate),
            ),
        )

    async def run(self) -> None:
        """Publish sound and pictures until cancelled.

        :raises RuntimeError: it was not published.
        :raises ExceptionGroup: the renderer failed.
        """
        if self._sources is None:
            raise RuntimeError("call publish before run")
        sound, video = self._sources
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_sound(sound))
            tasks.create_task(self._run_pictures(video))
            tasks.create_task(self._renderer.run())
            if self._acknowledged:
                tasks.create_task(self._delivery.run())

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
                case Capture(samples, speech):
                    if speech:
                        self._delivery.speech()
                    await self._queue(sound, samples, speech=speech)
                case Cut(keep):
                    sound.clear_queue()
                    self._renderer.audio_cut(self._playout.next_index - len(keep))
                    if len(keep):
                        await self._queue(sound, keep, speech=True)
                case Wait(seconds):
                    try:
                        async with asyncio.timeout(max(seconds, _SHORTEST_WAIT)):
                            await self._woken.wait()
                    except TimeoutError:
                        pass  # the wait is over

    async def _queue(self, sound: rtc.AudioSource, samples: Samples, *, speech: bool) -> None:
        index = self._playout.next_index - len(samples)
        self._renderer.audio_queued(index, samples, speech=speech)
        data = self._published(index, samples).tobytes()
        await sound.capture_frame(rtc.AudioFrame(data, RATE, 1, len(samples)))

    async def _measure(self) -> Measurement | None:
        return None if self._track is None else await read_statistics(self._track.get_stats)

    async def _run_pictures(self, video: rtc.VideoSource) -> None:
        period = 1 / self._renderer.fps
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
