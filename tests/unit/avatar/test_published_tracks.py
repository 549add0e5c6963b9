"""How sound and pictures are published."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from livekit import rtc

from mouthpiece_avatar.face.renderer import FaceRenderer
from mouthpiece_avatar.picture_track import as_frame
from mouthpiece_avatar.playout import PlayoutQueue
from mouthpiece_avatar.publisher import MediaPublisher
from mouthpiece_avatar.renderer import Renderer
from mouthpiece_avatar.runtimes.face import FaceRuntime
from mouthpiece_avatar.runtimes.renderer import RuntimeRenderer
from mouthpiece_avatar.testing.still_picture import StillPicture
from tests.unit.avatar.plain_face import plain_face


class Participant:
    """Publishes nothing; keeps what it was given."""

    def __init__(self) -> None:
        self.published: list[tuple[Any, rtc.TrackPublishOptions]] = []

    async def publish_track(self, track: Any, options: rtc.TrackPublishOptions) -> None:
        self.published.append((track, options))


async def options(renderer: Renderer) -> tuple[rtc.TrackPublishOptions, rtc.TrackPublishOptions]:
    """Those of the sound and of the pictures."""
    publisher = MediaPublisher(PlayoutQueue(), renderer, clock=lambda: 0.0, report=lambda event: None)
    participant = Participant()
    try:
        await publisher.publish(cast(rtc.LocalParticipant, participant))
    finally:
        await publisher.aclose()
    (_, sound), (_, pictures) = participant.published
    return sound, pictures


async def test_sound_is_coded_whole_at_a_rate_at_which_speech_costs_little() -> None:
    sound, pictures = await options(FaceRenderer(plain_face()))
    assert sound.audio_encoding.max_bitrate >= 66_000, "below that libopus takes the mode that costs twice as much"
    assert not sound.dtx, "quiet sound is sound"
    assert sound.stream == pictures.stream
    assert not pictures.simulcast


async def test_small_pictures_leave_room_for_the_sound() -> None:
    """libwebrtc sends no faster than all tracks together may be: with 7,500 bits a second the first sound of a room was
    held up for two seconds."""
    _, pictures = await options(StillPicture())
    assert pictures.video_encoding.max_bitrate >= 300_000


async def test_pictures_of_somebody_elses_runtime_may_take_three_times_as_much_as_drawn_ones() -> None:
    face = plain_face()
    _, drawn = await options(FaceRenderer(face))
    _, others = await options(RuntimeRenderer(FaceRuntime(face)))
    assert (drawn.video_encoding.max_bitrate, others.video_encoding.max_bitrate) == (400_000, 1_200_000)


@pytest.mark.parametrize("shape", [(12, 8), (8, 8, 4)], ids=["I420", "BGRA"])
def test_a_picture_is_handed_to_livekit_as_it_is_without_a_copy(shape: tuple[int, ...]) -> None:
    picture = np.zeros(shape, np.uint8)
    frame = as_frame(picture)
    assert (frame.width, frame.height) == (8, 8)
    assert np.shares_memory(np.frombuffer(frame.data, np.uint8), picture)
