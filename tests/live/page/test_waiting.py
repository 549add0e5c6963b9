"""The page in Chromium while no avatar comes: after a minute it says why that may be."""

from __future__ import annotations

import pytest
from livekit import rtc
from playwright.async_api import Page, expect

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.page.fake_avatar import AGENT, FakeAvatar, agent_token
from tests.live.page.fake_service import FakeService
from tests.live.page.watching import SHORT_MINUTE, join

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_says_after_a_minute_that_no_worker_seems_to_run(
    page: Page, service: FakeService, livekit: LiveKit, room_name: str
) -> None:
    await page.add_init_script(SHORT_MINUTE)
    await join(page, service.url, room_name, phase="coming")
    hint = page.locator("#hint")
    await expect(hint).to_be_hidden()
    await expect(hint).to_have_text("No avatar has come for a minute. It seems that no worker is running.")
    await expect(hint).to_be_visible()
    async with FakeAvatar(livekit, room_name):
        await expect(hint).to_be_hidden()


async def test_says_after_a_minute_that_the_agent_is_there_without_its_avatar(
    page: Page, service: FakeService, livekit: LiveKit, room_name: str
) -> None:
    agent = rtc.Room()
    await agent.connect(livekit.url, agent_token(livekit, room_name, AGENT))
    await page.add_init_script(SHORT_MINUTE)
    await join(page, service.url, room_name, phase="coming")
    await expect(page.locator("#hint")).to_have_text(
        "No avatar has come for a minute. Its agent is here: it could not start the avatar, or is still starting it."
    )
    await agent.disconnect()
    await expect(page.locator("#hint")).to_contain_text("no worker is running")
