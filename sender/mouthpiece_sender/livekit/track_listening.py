"""Listens to a participant's audio track through the LiveKit client SDK."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Literal

import numpy as np
from livekit import rtc

from mouthpiece_sender.livekit.connection import LISTENING_RATE, TrackSink

BLOCK: Final = 50
"""Milliseconds of a block: each is an event of the SDK's."""
SETTLE: Final = 0.1
"""Seconds from the end of a track to the next look for one."""
STATISTICS_WITHIN: Final = 0.5
"""Seconds that the SDK may take to count packets."""
_EVENTS: Final[tuple[Literal["track_published", "track_unpublished", "track_subscribed"], ...]] = (
    "track_published",
    "track_unpublished",
    "track_subscribed",
)


def voice_of(room: rtc.Room, identity: str) -> rtc.RemoteTrackPublication | None:
    """The audio track that a participant publishes, the first if there are several."""
    participant = room.remote_participants.get(identity)
    publications = participant.track_publications.values() if participant else ()
    return next((one for one in publications if one.kind == rtc.TrackKind.KIND_AUDIO), None)


async def listen(room: rtc.Room, speaker: str, sink: TrackSink) -> None:
    """Subscribe to the audio track of ``speaker`` and hand its sound on, from one track to the next, until cancelled.

    The subscription ends with it.
    """
    changed = asyncio.Event()
    publication: rtc.RemoteTrackPublication | None = None

    def note(*_: object) -> None:
        changed.set()

    for event in _EVENTS:
        room.on(event, note)
    try:
        while True:
            changed.clear()
            publication = voice_of(room, speaker)
            if publication is not None and publication.track is not None:
                await _hand_on(publication.track, sink)
                await asyncio.sleep(SETTLE)
                continue
            if publication is not None:
                publication.set_subscribed(True)
            await changed.wait()
    finally:
        for event in _EVENTS:
            room.off(event, note)
        if publication is not None and room.isconnected():
            with contextlib.suppress(Exception):  # the SDK raises bare RuntimeError where the room is gone
                publication.set_subscribed(False)


async def packets(track: rtc.Track) -> int | None:
    """Count the RTP packets that came over a track that is subscribed to; None where its statistics do not say."""
    try:
        async with asyncio.timeout(STATISTICS_WITHIN):
            statistics = await track.get_stats()
    except Exception:  # the SDK raises no narrower one (livekit 1.1.21, Track.get_stats)
        return None
    counts = [one.inbound_rtp.received.packets_received for one in statistics if one.HasField("inbound_rtp")]
    return sum(counts) if counts else None


async def _hand_on(track: rtc.Track, sink: TrackSink) -> None:
    """Returns when the track has ended."""
    stream = rtc.AudioStream(track, sample_rate=LISTENING_RATE, num_channels=1, frame_size_ms=BLOCK)
    sink(None)
    try:
        async for event in stream:
            sink(np.frombuffer(event.frame.data, dtype=np.int16))
    finally:
        await stream.aclose()
