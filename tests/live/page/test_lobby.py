"""The landing in Chromium: what this is, and how a program calls it."""

from __future__ import annotations

import asyncio
import os

import pytest
from playwright.async_api import Page, expect

from tests.live.page.fake_service import FakeService
from tests.live.page.watching import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def run(commands: str, **environment: str) -> None:
    """Run ``commands`` in a shell."""
    shell = await asyncio.create_subprocess_shell(
        commands, env=os.environ | environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    assert await shell.wait() == 0


async def test_the_landing_says_what_this_is_and_how_to_call_it(page: Page, service: FakeService) -> None:
    await page.goto(f"{service.url}/?room=it's a room")
    await expect(page.locator("#lobby-text")).to_contain_text("The avatar in the room says it")
    await expect(page.get_by_role("link", name="The whole API")).to_have_attribute("href", "docs")
    command = (await page.locator("#lobby-call code").inner_text()).split("\n\n")[0]
    await run(command)
    assert [body["text"] for body in service.texts] == ["Good morning!"]
    assert service.rooms == ["it's a room"]


async def test_without_a_room_the_example_names_the_one_that_was_opened(page: Page, service: FakeService) -> None:
    await page.goto(service.url)
    await expect(page.locator("#lobby-call code")).to_contain_text("/rooms/ROOM/segments")
    await page.get_by_role("button", name="Join").click()
    await until(page, "mouthpiece.phase === 'coming'")
    await page.get_by_text("Call it from a program").locator("visible=true").click()
    await expect(page.locator("#panel code")).to_contain_text("/rooms/fresh-room/segments")


async def test_a_link_with_the_key_opens_the_room_without_asking_and_does_not_stay_in_the_address(
    page: Page, service: FakeService, room_name: str
) -> None:
    service.key = "right+one"
    await page.goto(f"{service.url}/?room={room_name}#key=right%2Bone")
    await page.get_by_role("button", name="Join").click()
    await until(page, "mouthpiece.phase === 'coming'")
    assert page.url == f"{service.url}/?room={room_name}"
    assert "right" not in str(await page.evaluate("JSON.stringify(history.state) + document.body.innerHTML"))


async def test_the_example_takes_the_key_from_the_shell(page: Page, service: FakeService, room_name: str) -> None:
    service.key = "right"
    await page.goto(f"{service.url}/?room={room_name}")
    await page.get_by_role("button", name="Join").click()
    await page.get_by_label("API key").fill("right")
    await page.keyboard.press("Enter")
    await until(page, "mouthpiece.phase === 'coming'")
    commands = await page.locator("#panel code").text_content()
    assert commands is not None
    assert "right" not in commands
    await run(commands.split("\n\n")[0], KEY="right")
    assert [body["text"] for body in service.texts] == ["Good morning!"]
