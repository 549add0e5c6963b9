"""A viewer to measure with: joins a room, hears one audio track, sees one video track, and keeps when it did.

Everything is stamped with ``time.monotonic()`` as it reaches Python, so a figure holds the whole way to a viewer: the
network, the jitter buffer, the decoder. Sound is kept as one loudness figure a 10 ms frame, pictures as their times;
:meth:`Viewer.record_sound` and a ``probe`` keep more.

::

    async with Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer:
        await viewer.ready()                       # sound and pictures arrive
        written = time.monotonic()
        ...
        onset = await viewer.onset(after=written)  # first loud frame
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import uuid
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from livekit import api, rtc

from mouthpiece_sender.demo.livekit_server import LiveKit

SAMPLE_RATE = 48_000
FRAME = 0.010
"""Seconds a sound frame lasts."""
PACKET = 0.020
"""Seconds of sound in a packet."""
LOUD = 300.0
"""Root mean square (of int16) from which a frame counts as sound: -41 dBFS, far above what Opus makes of silence."""

Plane = npt.NDArray[np.uint8]


def viewer_token(livekit: LiveKit, room: str, identity: str | None = None) -> str:
    """A token for a person who looks and listens."""
    return (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity(identity or f"viewer-{uuid.uuid4().hex[:6]}")
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )


@dataclass(frozen=True, slots=True)
class Sound:
    """One sound frame of ``FRAME`` seconds."""

    at: float
    """Monotonic seconds when it reached us."""
    rms: float


@dataclass(frozen=True, slots=True)
class Picture:
    """One video frame."""

    at: float
    """Monotonic seconds when it reached us."""
    probed: float | None
    """What the viewer's ``probe`` made of its luma plane."""


@dataclass(frozen=True, slots=True)
class JitterBuffer:
    """What the viewer's own jitter buffer has done to the sound so far, in seconds of sound."""

    shortened: float
    """Left out in order to catch up (``removedSamplesForAcceleration``)."""
    lost: float
    """Never came."""


@dataclass
class Viewer:
    """See the module. ``identity`` names whom to look at; None takes whoever publishes first."""

    url: str
    token: str
    identity: str | None = None
    probe: Callable[[Plane], float] | None = None
    """Called with the luma plane (height, width) of every picture."""
    sound_only: bool = False
    """Not subscribed to pictures, so that none are drawn, encoded and decoded for it: a third of a core."""
    sounds: list[Sound] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    room: rtc.Room = field(init=False)
    _tasks: dict[int, asyncio.Task[None]] = field(init=False, default_factory=dict)
    _sound_track: rtc.RemoteTrack | None = field(init=False, default=None)
    _frame: rtc.VideoFrame | None = field(init=False, default=None)
    _kept: list[bytes] | None = field(init=False, default=None)
    _changed: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    async def __aenter__(self) -> Viewer:
        self.room = rtc.Room()
        self.room.on("track_subscribed", self._on_track)
        self.room.on("track_published", self._on_published)
        await self.room.connect(self.url, self.token, rtc.RoomOptions(auto_subscribe=not self.sound_only))
        for participant in self.room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._on_published(publication)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.room.off("track_subscribed", self._on_track)
        self.room.off("track_published", self._on_published)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.room.disconnect()

    # -- waiting -----------------------------------------------------------------------------------------------------

    async def ready(self, timeout: float = 15) -> None:
        """Returns once sound frames (silent ones too) and, unless ``sound_only``, pictures arrive.

        :raises TimeoutError:
        """
        sounds, pictures = len(self.sounds), len(self.pictures)

        def arrive() -> bool:
            return len(self.sounds) > sounds + 10 and (self.sound_only or len(self.pictures) > pictures + 2)

        await self.until(arrive, timeout)

    async def onset(self, after: float, timeout: float = 10, loud: float = LOUD) -> float:
        """When the first loud frame after ``after`` reached us.

        :raises TimeoutError:
        """
        await self.until(lambda: self._first_loud(after, loud) is not None, timeout)
        found = self._first_loud(after, loud)
        assert found is not None
        return found

    async def offset(self, after: float, quiet: float = 0.5, timeout: float = 30, loud: float = LOUD) -> float:
        """When the last loud frame reached us, once ``quiet`` seconds without one have followed it (and ``after``).

        Returns ``after`` if nothing loud came after it.

        :raises TimeoutError: it stayed loud.
        """
        await self.until(lambda: self._quiet_since(after, loud) >= quiet, timeout)
        return self._last_loud(after, loud) or after

    async def until(self, condition: Callable[[], bool], timeout: float = 10) -> None:
        """Returns once ``condition`` holds; looked at whenever something arrives.

        :raises TimeoutError:
        """
        async with asyncio.timeout(timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    # -- what arrived ------------------------------------------------------------------------------------------------

    def loud_seconds(self, start: float = 0.0, end: float = float("inf"), loud: float = LOUD) -> float:
        """How much sound (not silence) reached us between two moments."""
        return FRAME * sum(sound.rms >= loud for sound in self._between(start, end))

    def fps(self, start: float, end: float) -> float:
        """Pictures a second between two moments, counted between the first and the last picture in there."""
        times = [picture.at for picture in self.pictures if start <= picture.at <= end]
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0

    def gaps(self, start: float, end: float = float("inf"), loud: float = LOUD) -> list[float]:
        """Lengths of the silences between loud frames, in seconds of sound (not of its arrival, which jitters)."""
        places = [place for place, sound in enumerate(self._between(start, end)) if sound.rms >= loud]
        return [FRAME * (later - earlier - 1) for earlier, later in itertools.pairwise(places) if later - earlier > 1]

    @contextlib.contextmanager
    def record_sound(self) -> Iterator[list[bytes]]:
        """Keeps the sound itself while the block runs: s16le, mono, ``SAMPLE_RATE``."""
        self._kept = []
        try:
            yield self._kept
        finally:
            self._kept = None

    async def jitter_buffer(self) -> JitterBuffer:
        """What the jitter buffer of the sound that is heard now has done since its track came.

        :raises LookupError: there is no sound.
        """
        found = [] if self._sound_track is None else await self._sound_track.get_stats()
        for each in found:
            if each.HasField("inbound_rtp"):
                inbound, received = each.inbound_rtp.inbound, each.inbound_rtp.received
                shortened = inbound.removed_samples_for_acceleration / SAMPLE_RATE
                return JitterBuffer(shortened, PACKET * received.packets_lost)
        raise LookupError("no sound has arrived yet")

    def picture(self) -> npt.NDArray[np.uint8]:
        """The latest picture, RGB, (height, width, 3).

        :raises LookupError: none arrived yet.
        """
        if self._frame is None:
            raise LookupError("no picture has arrived yet")
        rgb = self._frame.convert(rtc.VideoBufferType.RGB24)
        return np.frombuffer(rgb.data, np.uint8).reshape(rgb.height, rgb.width, 3)

    def save_png(self, path: Path) -> None:
        """Writes the latest picture."""
        from PIL import Image  # only the avatar's extra brings it

        Image.fromarray(self.picture()).save(path)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _on_published(self, publication: rtc.RemoteTrackPublication, *_: object) -> None:
        if self.sound_only and publication.kind == rtc.TrackKind.KIND_AUDIO:
            publication.set_subscribed(True)

    def _on_track(
        self, track: rtc.RemoteTrack, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if self.identity not in (None, participant.identity):
            return
        old = self._tasks.pop(track.kind, None)  # an avatar that came back
        if old is not None:
            old.cancel()
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._sound_track = track
        listen = self._hear(track) if track.kind == rtc.TrackKind.KIND_AUDIO else self._see(track)
        self._tasks[track.kind] = asyncio.create_task(listen)

    async def _hear(self, track: rtc.RemoteTrack) -> None:
        stream = rtc.AudioStream.from_track(track=track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=10)
        try:
            async for event in stream:
                samples = np.frombuffer(event.frame.data, np.int16)
                rms = float(np.sqrt(np.mean(np.square(samples.astype(np.float32)))))
                self.sounds.append(Sound(time.monotonic(), rms))
                if self._kept is not None:
                    self._kept.append(samples.tobytes())
                self._changed.set()
        finally:
            await stream.aclose()

    async def _see(self, track: rtc.RemoteTrack) -> None:
        stream = rtc.VideoStream.from_track(track=track, format=rtc.VideoBufferType.I420)
        try:
            async for event in stream:
                now = time.monotonic()
                self._frame = event.frame
                self.pictures.append(Picture(now, self._probed(event.frame)))
                self._changed.set()
        finally:
            await stream.aclose()

    def _probed(self, frame: rtc.VideoFrame) -> float | None:
        if self.probe is None:
            return None
        luma = np.frombuffer(frame.data, np.uint8, count=frame.width * frame.height)
        return self.probe(luma.reshape(frame.height, frame.width))

    def _between(self, start: float, end: float) -> list[Sound]:
        first = bisect_left(self.sounds, start, key=lambda sound: sound.at)
        return [sound for sound in self.sounds[first:] if sound.at <= end]

    def _first_loud(self, after: float, loud: float) -> float | None:
        return next((sound.at for sound in self._between(after, float("inf")) if sound.rms >= loud), None)

    def _last_loud(self, after: float, loud: float) -> float | None:
        return next((sound.at for sound in reversed(self._between(after, float("inf"))) if sound.rms >= loud), None)

    def _quiet_since(self, after: float, loud: float) -> float:
        now = self.sounds[-1].at if self.sounds else after
        return now - (self._last_loud(after, loud) or after)
