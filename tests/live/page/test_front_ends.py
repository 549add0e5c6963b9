"""LiveKit's own front-end hook (components-js, ``useVoiceAssistant``) in our rooms: which roles it finds."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from livekit import rtc
from playwright.async_api import Page

from mouthpiece import wire
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.page.fake_avatar import AGENT, AVATAR, FakeAvatar, agent_token
from tests.live.page.fake_service import FakeService
from tests.live.page.watching import until
from tests.live.viewer import viewer_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENDER = f"{wire.SENDER_IDENTITY_PREFIX}-1-a"


async def test_a_front_end_finds_the_avatar_and_takes_the_sender_for_neither(
    page: Page, livekit: LiveKit, front_end: Path, room_name: str
) -> None:
    sender = rtc.Room()
    await sender.connect(livekit.url, agent_token(livekit, room_name, SENDER, SENDER))
    async with FakeService(livekit, front_end) as service:
        query = urlencode({"url": livekit.url, "token": viewer_token(livekit, room_name)})
        await page.goto(f"{service.url}/?{query}")
        await until(page, "window.found !== undefined")
        assert await page.evaluate("window.found") == {"agent": None, "audio": None, "video": None}
        async with FakeAvatar(livekit, room_name):
            await until(page, "window.found.video !== null && window.found.audio !== null")
            assert await page.evaluate("window.found") == {"agent": AGENT, "audio": AVATAR, "video": AVATAR}
            await until(page, "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 25")
    await sender.disconnect()
