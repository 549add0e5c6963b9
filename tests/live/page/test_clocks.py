"""The page in Chromium when the picture stalls, the avatar leaves or the service is away: no clock runs on."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.page.fake_avatar import FakeAvatar
from tests.live.page.fake_service import FakeService
from tests.live.page.watching import join, picture_comes

pytestmark = pytest.mark.asyncio(loop_scope="module")


def add_playing(service: FakeService) -> None:
    service.add(state="playing", audio={"sample_rate": 16_000, "num_channels": 1, "duration": 600.0}, position=1.0)


async def clock_moves(time: Locator) -> bool:
    before = await time.inner_text()
    await time.page.wait_for_timeout(1_500)
    return await time.inner_text() != before


async def test_the_clock_stops_while_the_picture_stalls(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    add_playing(service)
    await join(page, service.url, room_name)
    time, status = page.locator(".segment .time"), page.get_by_role("status").first
    assert await clock_moves(time)
    await picture_comes(page)
    avatar.draws = False
    await expect(status).to_have_text("The picture has stopped…", timeout=6_000)
    await expect(time).to_contain_text("picture stopped")
    assert not await clock_moves(time)
    avatar.draws = True
    await expect(status).to_have_text("Listening")
    assert await clock_moves(time)


async def test_the_clock_stops_while_the_service_does_not_answer(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    add_playing(service)
    await join(page, service.url, room_name)
    time = page.locator(".segment .time")
    assert await clock_moves(time)
    service.unreachable = True
    await expect(time).to_contain_text("last known", timeout=6_000)
    assert not await clock_moves(time)
    service.unreachable = False
    await expect(time).not_to_contain_text("last known", timeout=15_000)
    assert await clock_moves(time)


async def test_the_clock_stops_while_the_avatar_is_away(
    page: Page, service: FakeService, livekit: LiveKit, room_name: str
) -> None:
    add_playing(service)
    time, status = page.locator(".segment .time"), page.get_by_role("status").first
    async with FakeAvatar(livekit, room_name):
        await join(page, service.url, room_name)
        assert await clock_moves(time)
    await expect(status).to_have_text("The avatar is away…")
    await expect(time).to_contain_text("avatar away")
    assert not await clock_moves(time)
    async with FakeAvatar(livekit, room_name):
        await expect(time).not_to_contain_text("avatar away", timeout=10_000)
        assert await clock_moves(time)
