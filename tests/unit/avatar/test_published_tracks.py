"""How sound and pictures are published."""

from __future__ import annotations

from typing import Any, cast

from livekit import rtc

from mouthpiece_avatar.face.renderer import FaceRenderer
from mouthpiece_avatar.playout import PlayoutQueue
from mouthpiece_avatar.publisher import MediaPublisher
from tests.unit.avatar.plain_face import plain_face


class Participant:
    """Publishes nothing; keeps what it was given."""

    def __init__(self) -> None:
        self.published: list[tuple[Any, rtc.TrackPublishOptions]] = []

    async def publish_track(self, track: Any, options: rtc.TrackPublishOptions) -> None:
        self.published.append((track, options))


async def test_sound_is_coded_whole_at_a_rate_at_which_speech_costs_little() -> None:
    publisher = MediaPublisher(PlayoutQueue(), FaceRenderer(plain_face()), clock=lambda: 0.0, report=lambda event: None)
    participant = Participant()
    try:
        await publisher.publish(cast(rtc.LocalParticipant, participant))
    finally:
        await publisher.aclose()
    (_, sound), (_, pictures) = participant.published
    assert sound.audio_encoding.max_bitrate >= 66_000, "below that libopus takes the mode that costs twice as much"
    assert not sound.dtx, "quiet sound is sound"
    assert sound.stream == pictures.stream
    assert not pictures.simulcast
