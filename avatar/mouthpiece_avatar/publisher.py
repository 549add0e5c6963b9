"""Performs what :class:`PlayoutQueue` decides: sound into the audio source; and publishes the pictures beside it.

Nothing else touches the audio source, so a capture that is under way and a cut cannot cross.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from livekit import rtc

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.acknowledgements import Measurement
from mouthpiece_avatar.delivery import DeliveryWatch, read_statistics
from mouthpiece_avatar.picture_track import PictureTrack
from mouthpiece_avatar.playout import Capture, Cut, Finished, PlayoutQueue, Started, Wait
from mouthpiece_avatar.playout_stream import RATE
from mouthpiece_avatar.renderer import Renderer

SOURCE_QUEUE_MS = 1_000
"""More than :class:`PlayoutQueue` ever puts into it, so that a capture returns at once."""
STREAM = "avatar"
"""Name of the stream that both tracks belong to."""
BITRATE = 72_000
"""Of the sound, bits a second. From 66,000 on libopus 1.5 codes mono speech as CELT too, which takes half the processor
time of its mode for lower rates (with silence 0.5 % of a core and not 1.1), and keeps more of the sound."""
PICTURE_DELAY = 0.015
"""Seconds by which a picture follows the sound that it belongs to. Sound is coded 20 ms at a time and so takes longer
to reach a viewer than pictures do; ``bench/latency.py`` measures the difference there."""
NOBODY = "mouthpiece.acknowledge"
"""Topic of data that is sent to be acknowledged."""
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
        self._sound: rtc.AudioSource | None = None
        self._participant: rtc.LocalParticipant | None = None
        self._delivery = DeliveryWatch(
            playout, measure=self._measure, changed=self.wake, clock=clock, ask=self._send_to_nobody
        )
        self._track: rtc.LocalAudioTrack | None = None
        self.pictures = PictureTrack(
            renderer,
            leaving=lambda now: playout.leaving(now - PICTURE_DELAY),
            changed=self._audience_changed,
            clock=clock,
        )

    @property
    def delivery(self) -> Counter[str]:
        """See :attr:`DeliveryWatch.counts`."""
        return self._delivery.counts

    def wake(self) -> None:
        self._woken.set()

    async def publish(self, participant: rtc.LocalParticipant) -> None:
        """Publish both tracks under one stream name: a receiver then plays them in sync."""
        self._participant = participant
        self._sound = rtc.AudioSource(RATE, 1, queue_size_ms=SOURCE_QUEUE_MS)
        self._track = rtc.LocalAudioTrack.create_audio_track("avatar_audio", self._sound)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, stream=STREAM, dtx=False)
        options.audio_encoding.max_bitrate = BITRATE
        await participant.publish_track(self._track, options)
        await self.pictures.publish(participant, stream=STREAM)

    async def run(self) -> None:
        """Publish sound and pictures until cancelled.

        :raises RuntimeError: it was not published.
        :raises ExceptionGroup: the renderer failed.
        """
        if self._sound is None:
            raise RuntimeError("call publish before run")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_sound(self._sound))
            tasks.create_task(self.pictures.run())
            tasks.create_task(self._renderer.run())
            if self._acknowledged:
                tasks.create_task(self._delivery.run())

    async def aclose(self) -> None:
        if self._sound is not None:
            await self._sound.aclose()
        await self.pictures.aclose()

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

    async def _send_to_nobody(self) -> None:
        """Data is acknowledged by the transport (SCTP), whoever it is for; LiveKit passes what is for us to nobody."""
        if self._participant is not None:
            await self._participant.publish_data(
                b"-", reliable=False, destination_identities=[self._participant.identity], topic=NOBODY
            )

    def _audience_changed(self) -> None:
        self._delivery.pictures(sent=self.pictures.drawn)
