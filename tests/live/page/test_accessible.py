"""The page in Chromium in each of its states, in windows of six sizes, light and dark: axe finds nothing wrong, nothing
is cut off at the side.

With ``PAGE_SCREENSHOTS`` set to a folder, a picture of each is left there.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Page, ViewportSize, expect

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.missing import missing
from tests.live.page.fake_avatar import FakeAvatar
from tests.live.page.fake_service import FakeService
from tests.live.page.watching import NOTICES_STAY, SHORT_MINUTE, join, picture_comes

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

AXE: Final = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SIZES: Final[list[ViewportSize]] = [
    {"width": width, "height": height}
    for width, height in ((1440, 900), (1024, 700), (768, 1024), (390, 844), (320, 568), (844, 390))
]
SCHEMES: Final[list[Literal["light", "dark"]]] = ["light", "dark"]
RUN: Final = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    ({id, nodes}) => `${id}: ${nodes.map(({target}) => target.join(" ")).join(", ")}`)"""


async def check(page: Page, state: str) -> None:
    """Assert that the page as it is now is accessible in every size and scheme, and fits."""
    if not AXE.is_file():
        missing("the page's packages are not installed: `make web` installs them")
    await page.evaluate(await asyncio.to_thread(AXE.read_text))
    found: dict[str, Any] = {}
    for size in SIZES:
        await page.set_viewport_size(size)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            name = f"{state} {size['width']}x{size['height']} {scheme}"
            await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            if folder := os.environ.get("PAGE_SCREENSHOTS"):
                await page.screenshot(path=Path(folder) / f"{name}.png")
            if wrong := await page.evaluate(RUN):
                found[name] = wrong
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found[f"{name}, width"] = "wider than the window"
    assert found == {}


async def test_the_landing(page: Page, service: FakeService) -> None:
    await page.goto(service.url)
    await expect(page.locator("#lobby-call code")).to_contain_text("/rooms/ROOM/segments")
    await check(page, "landing")


async def test_a_room_before_it_is_joined(page: Page, service: FakeService, room_name: str) -> None:
    await page.goto(f"{service.url}/?room={room_name}")
    await expect(page.get_by_role("button", name="Join")).to_be_visible()
    await check(page, "lobby")


async def test_the_question_for_a_key_and_the_refusal_without(page: Page, service: FakeService, room_name: str) -> None:
    service.key = "right"
    await page.goto(f"{service.url}/?room={room_name}")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_label("API key")).to_be_visible()
    await check(page, "key")
    await page.keyboard.press("Escape")
    await expect(page.locator("#lobby-text")).to_contain_text("needs a key")
    await check(page, "no key")


async def test_a_key_that_is_for_other_rooms(page: Page, service: FakeService, room_name: str) -> None:
    service.key, service.other_rooms_key = "right", "elsewhere"
    await page.goto(f"{service.url}/?room={room_name}")
    await page.evaluate("sessionStorage.setItem('mouthpiece.key', 'elsewhere')")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("dialog")).to_contain_text("That key is for other rooms.")
    await check(page, "other rooms' key")


async def test_no_avatar_yet_and_none_after_a_minute(page: Page, service: FakeService, room_name: str) -> None:
    await page.add_init_script(SHORT_MINUTE)
    await join(page, service.url, room_name, phase="coming")
    await expect(page.locator("#hint")).to_be_visible()
    await check(page, "no avatar")


async def test_segments_that_play_and_wait_above_the_history(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    service.voices = [{"id": "heart", "name": "Heart"}, {"id": "alto", "name": "Alto"}]
    service.add(state="unknown", error={"type": "avatar-unheard", "detail": "The avatar's track stayed silent."})
    for state in ("finished", "cancelled", "interrupted", "failed", "expired"):
        service.add(state=state, position=1.0)
    service.add(state="playing", source={"kind": "file", "name": "playing.wav"}, position=0.5)
    service.add(source={"kind": "text", "text": "Good morning!", "voice": "heart"})
    await join(page, service.url, room_name)
    await expect(page.locator(".segment").first).to_be_visible()
    await check(page, "segments")
    for heading in await page.locator("summary:visible").all():
        await heading.click()
    await check(page, "segments, all folds open")


async def test_a_picture_that_stopped_and_an_avatar_that_is_away(
    page: Page, service: FakeService, livekit: LiveKit, room_name: str
) -> None:
    service.add(state="playing", audio={"sample_rate": 16_000, "num_channels": 1, "duration": 600.0}, position=1.0)
    status = page.get_by_role("status").first
    async with FakeAvatar(livekit, room_name) as avatar:
        await join(page, service.url, room_name)
        await picture_comes(page)
        avatar.draws = False
        await expect(status).to_have_text("The picture has stopped…", timeout=20_000)
        await check(page, "picture stopped")
    await expect(status).to_have_text("The avatar is away…")
    await check(page, "avatar away")


async def test_a_service_that_is_away_and_actions_that_failed(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    service.voices = [{"id": "heart", "name": "Heart"}]
    service.add(state="playing", source={"kind": "file", "name": "playing.wav"})
    await page.add_init_script(NOTICES_STAY)
    await join(page, service.url, room_name)
    await expect(page.get_by_label("Text to say")).to_be_visible()
    service.refusal = (415, "This is no sound.")
    await page.set_input_files("#file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"RIFF"})
    await expect(page.locator(".upload .error")).to_be_visible()
    service.unreachable = True
    await page.get_by_label("Text to say").fill("Good morning!")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("was not sent")
    await expect(page.locator("#banner")).to_be_visible(timeout=20_000)
    await check(page, "service away")


async def test_a_sentence_that_was_joined_late_a_file_that_is_too_large_and_voices_that_failed(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    service.voices_refusal = (502, "The voice took too long.")
    service.limits = {"max_upload": 1_000, "max_text": 200_000}
    text = "Once every ten seconds the lamp threw its white beam over the sea. Then it was dark again. "
    source = {"kind": "text", "name": None, "text": 10 * text, "voice": "heart"}
    service.add(
        state="playing", source=source, audio={"sample_rate": 24_000, "num_channels": 1, "duration": 6e3}, position=1.0
    )
    await page.add_init_script(NOTICES_STAY)
    await join(page, service.url, room_name)
    await expect(page.locator("#captions")).to_be_visible()
    await page.set_input_files("#file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"RIFF" * 300})
    await expect(page.get_by_role("alert")).to_contain_text("is too large")
    await check(page, "caption, too large, no voices")


async def test_the_keyboard_help(page: Page, service: FakeService, avatar: FakeAvatar, room_name: str) -> None:
    await join(page, service.url, room_name)
    await page.get_by_role("button", name="Keyboard shortcuts").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check(page, "keyboard")


async def test_what_is_wrong_is_found(page: Page, service: FakeService) -> None:
    await page.goto(service.url)
    await page.evaluate("document.querySelector('main').append(new Image())")
    with pytest.raises(AssertionError, match="image-alt"):
        await check(page, "wrong")
