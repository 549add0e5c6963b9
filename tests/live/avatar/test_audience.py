"""Pictures are drawn for those who are subscribed to them, and for nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from livekit import rtc

from mouthpiece import wire
from mouthpiece_avatar.session import Session
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar.conftest import AVATAR, Join, tone
from tests.live.viewer import Viewer, viewer_token

pytestmark = pytest.mark.timed


async def until(condition: Callable[[], bool], timeout: float) -> float:
    """When it held."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 (statistics change without an event)
            await asyncio.sleep(0.005)
    return time.monotonic()


async def unchanged(session: Session, seconds: float) -> bool:
    before = session.publisher.pictures.sent
    await asyncio.sleep(seconds)
    return session.publisher.pictures.sent == before


async def test_nothing_is_drawn_until_somebody_subscribes_and_after_all_have_left(
    session: Session, livekit: LiveKit, room_name: str
) -> None:
    pictures = session.publisher.pictures
    await until(lambda: not pictures.drawn, 15)
    assert await unchanged(session, 1.0)
    async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer:
        await viewer.ready()
        assert pictures.drawn
        assert not await unchanged(session, 0.5)
    await until(lambda: not pictures.drawn, 20)  # LiveKit says so after 5 s
    assert await unchanged(session, 1.0)


async def test_one_who_subscribes_while_nobody_looks_sees_the_avatar_soon(
    session: Session, livekit: LiveKit, room_name: str
) -> None:
    pictures = session.publisher.pictures
    async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer:
        await viewer.ready()
        [video] = [
            publication
            for publication in viewer.room.remote_participants[AVATAR].track_publications.values()
            if publication.kind == rtc.TrackKind.KIND_VIDEO
        ]
        video.set_subscribed(False)
        await until(lambda: not pictures.drawn, 20)
        sent, asked = pictures.sent, time.monotonic()
        video.set_subscribed(True)
        first = await until(lambda: pictures.sent > sent, 10)
        assert first - asked < 1.0, "a busy machine is given time; docs/figures.md has what was measured"
        await viewer.ready()


async def test_what_nobody_sees_is_spoken_and_its_receipts_come(session: Session, join: Join) -> None:
    await until(lambda: not session.publisher.pictures.drawn, 15)
    async with join() as sender:
        for number in range(3):
            await sender.say(tone(1.5), segment=f"seg_{number}")
        assert await sender.finished(3) == [wire.PlaybackFinished(1.5, False)] * 3
        assert session.publisher.delivery["holds"] == 0
        assert not session.publisher.pictures.drawn
