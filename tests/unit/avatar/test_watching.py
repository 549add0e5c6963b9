"""Pictures are drawn for a new track, so that LiveKit offers it, and then for those who are subscribed."""

from __future__ import annotations

import numpy as np
import pytest
from livekit import rtc
from livekit.rtc._proto import stats_pb2

from mouthpiece_avatar.picture_track import as_frame, read_sending
from mouthpiece_avatar.watching import ANNOUNCED, LOOK_UNWATCHED, Audience, Sending, Watching


def announced() -> Watching:
    watching = Watching()
    watching.looked(Sending(True, 1), 10.0)
    watching.looked(Sending(True, 30), 10.0 + ANNOUNCED)
    return watching


def test_a_new_track_is_begun_with_pictures_until_they_are_out() -> None:
    watching = Watching()
    for now in (1.0, 2.0, 9.0):
        watching.looked(None, now)
        watching.looked(Sending(True, 0), now)  # the connection is not there yet
        assert watching.draws
    watching.looked(Sending(True, 1), 10.0)
    watching.looked(Sending(True, 20), 10.9)
    assert watching.draws
    watching.looked(Sending(True, 30), 11.0)
    assert not watching.draws
    assert watching.audience is Audience.UNSEEN
    assert watching.next_look is None, "the statistics of a track that nobody has seen say nothing"


@pytest.mark.parametrize("watching", [Watching(), announced()], ids=["new", "unseen"])
def test_a_first_subscription_brings_pictures_and_its_end_stops_them(watching: Watching) -> None:
    watching.subscribed()
    watching.looked(Sending(True, 50), 20.0)
    assert watching.draws
    watching.looked(Sending(False, 60), 30.0)
    assert not watching.draws
    watching.looked(Sending(False, 60), 31.0)
    assert not watching.draws


def test_one_who_comes_later_is_noticed_soon() -> None:
    watching = announced()
    watching.subscribed()
    watching.looked(Sending(False, 60), 30.0)
    assert watching.next_look == LOOK_UNWATCHED < 0.1
    watching.looked(None, 30.1)
    assert not watching.draws
    watching.looked(Sending(True, 60), 30.2)
    assert watching.draws


def test_a_track_that_is_published_again_is_a_new_one() -> None:
    watching = announced()
    watching.subscribed()
    watching.looked(Sending(False, 60), 30.0)
    watching.republished()
    watching.looked(Sending(True, 0), 40.0)
    assert watching.draws
    watching.looked(Sending(True, 1), 41.0)
    assert watching.draws
    watching.looked(Sending(True, 30), 42.0)
    assert watching.audience is Audience.UNSEEN


async def test_the_statistics_of_the_track_are_read() -> None:
    sound, video = stats_pb2.RtcStats(), stats_pb2.RtcStats()
    sound.codec.SetInParent()
    video.outbound_rtp.outbound.frames_sent = 7

    async def all_of_them() -> list[stats_pb2.RtcStats]:
        return [sound, video]

    assert await read_sending(all_of_them) == Sending(False, 7)
    video.outbound_rtp.outbound.active = True
    assert await read_sending(all_of_them) == Sending(True, 7)


async def test_without_statistics_nothing_is_said() -> None:
    async def none() -> list[stats_pb2.RtcStats]:
        return []

    async def closed() -> list[stats_pb2.RtcStats]:
        raise RuntimeError("the room is closed")

    assert await read_sending(none) is None
    assert await read_sending(closed) is None


def test_both_kinds_of_pictures_are_sent_as_they_are() -> None:
    bgra = as_frame(np.zeros((48, 64, 4), np.uint8))
    assert (bgra.type, bgra.width, bgra.height) == (rtc.VideoBufferType.BGRA, 64, 48)
    planes = as_frame(np.zeros((72, 64), np.uint8))
    assert (planes.type, planes.width, planes.height) == (rtc.VideoBufferType.I420, 64, 48)
