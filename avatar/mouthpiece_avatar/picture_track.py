"""The video track: asks the renderer for pictures and sends them, as long as somebody sees them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from livekit import rtc

from mouthpiece_avatar.renderer import Image, Renderer
from mouthpiece_avatar.watching import Sending, Watching

LEAST_BITS = 300_000
"""Bits a second that are allowed at least: what all tracks together may send bounds libwebrtc's pace, the sound's too.
With 7,500, for a picture of 64x64, the first sound in a room had a gap of two seconds."""
ANSWER_WITHIN = 1.0
"""Seconds for the SDK to answer."""


class PictureTrack:
    """``publish``, then ``run`` until cancelled, then ``aclose``."""

    def __init__(
        self,
        renderer: Renderer,
        *,
        leaving: Callable[[float], int],
        changed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        """
        :param leaving: returns the sample to whose sound a picture at a moment belongs.
        :param changed: called when pictures begin or end to be sent.
        """
        self._renderer = renderer
        self._leaving = leaving
        self._changed = changed
        self._clock = clock
        self._watching = Watching()
        self._turns = asyncio.Event(), asyncio.Event()
        """For drawing and for looking: set when something may have changed."""
        self._source: rtc.VideoSource | None = None
        self._track: rtc.LocalVideoTrack | None = None
        self.sent = 0
        """Pictures sent since the start."""
        self.late = 0
        """Pictures left out because their time had passed."""

    @property
    def drawn(self) -> bool:
        """Whether pictures are drawn now: a viewer is subscribed, or the track is new."""
        return self._watching.draws

    async def publish(self, participant: rtc.LocalParticipant, *, stream: str) -> None:
        width, height = self._renderer.size
        fps = self._renderer.fps
        self._source = rtc.VideoSource(width, height)
        self._track = rtc.LocalVideoTrack.create_video_track("avatar_video", self._source)
        bitrate = max(LEAST_BITS, round(self._renderer.bits_per_pixel * width * height * fps))
        await participant.publish_track(
            self._track,
            rtc.TrackPublishOptions(
                source=rtc.TrackSource.SOURCE_CAMERA,
                stream=stream,
                simulcast=False,
                video_encoding=rtc.VideoEncoding(max_framerate=fps, max_bitrate=bitrate),
            ),
        )

    def subscribed(self, track: rtc.Track) -> None:
        """LiveKit says that somebody is subscribed to a track of ours."""
        if track is self._track:
            self._change(self._watching.subscribed)

    def republished(self, publication: rtc.LocalTrackPublication) -> None:
        """The SDK has published a track of ours once more."""
        if publication.track is self._track:
            self._change(self._watching.republished)

    async def run(self) -> None:
        """Send pictures until cancelled.

        :raises RuntimeError: it was not published.
        """
        if self._source is None or self._track is None:
            raise RuntimeError("call publish before run")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._draw(self._source))
            tasks.create_task(self._look(self._track))

    async def aclose(self) -> None:
        if self._source is not None:
            await self._source.aclose()

    async def _draw(self, source: rtc.VideoSource) -> None:
        turn, _ = self._turns
        period = 1 / self._renderer.fps
        due = self._clock()
        while True:
            if not self._watching.draws:
                turn.clear()
                await turn.wait()
                due = self._clock()
                continue
            now = self._clock()
            if now < due:
                await asyncio.sleep(due - now)
                continue
            behind = int((now - due) / period)
            self.late += behind
            due += (behind + 1) * period
            source.capture_frame(as_frame(self._renderer.frame(self._leaving(now))))
            self.sent += 1

    async def _look(self, track: rtc.LocalVideoTrack) -> None:
        _, turn = self._turns
        while True:
            wait = self._watching.next_look
            if wait is None:
                turn.clear()
                await turn.wait()
                continue
            await asyncio.sleep(wait)
            sending = await read_sending(track.get_stats)
            self._change(functools.partial(self._watching.looked, sending, self._clock()))

    def _change(self, change: Callable[[], None]) -> None:
        before, drawn = self._watching.audience, self._watching.draws
        change()
        if self._watching.audience is before:
            return
        for turn in self._turns:
            turn.set()
        if drawn != self._watching.draws:
            self._changed()


def as_frame(picture: Image) -> rtc.VideoFrame:
    """Wrap a picture: (height, width, 4) is BGRA, (height * 3 / 2, width) is I420."""
    data = picture.reshape(-1).data  # of more than one dimension the SDK makes a copy
    if picture.ndim == 2:
        rows, width = picture.shape
        return rtc.VideoFrame(width, rows * 2 // 3, rtc.VideoBufferType.I420, data)
    height, width = picture.shape[:2]
    return rtc.VideoFrame(width, height, rtc.VideoBufferType.BGRA, data)


async def read_sending(get_stats: Callable[[], Awaitable[Iterable[Any]]]) -> Sending | None:
    """Read the statistics of a published video track; None if the SDK has none to give."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            statistics = await get_stats()
    except Exception:  # the SDK raises no narrower one (livekit 1.1.21, Track.get_stats)
        return None
    outbound = [entry.outbound_rtp.outbound for entry in statistics if entry.WhichOneof("stats") == "outbound_rtp"]
    if not outbound:
        return None
    return Sending(any(each.active for each in outbound), sum(each.frames_sent for each in outbound))
