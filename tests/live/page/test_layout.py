"""The page in Chromium in windows of several sizes: what matters is in sight, and nothing wraps or overflows."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.live.page.fake_service import FakeService
from tests.live.page.watching import join

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZES: list[ViewportSize] = [
    {"width": width, "height": height}
    for width, height in (
        (1440, 900),
        (1024, 700),
        (900, 600),
        (390, 844),
        (320, 568),
        (844, 390),
        (667, 375),
        (568, 320),
    )
]
LANDSCAPE_PHONES = [size for size in SIZES if size["height"] < 400]
PANEL = (
    *("#status", "#interrupt", "#leave", "#say-text", "#say-send", "#sample", "#choose", "#cancel-waiting"),
    *(".segment .title", ".segment .time"),
)
COPIED_STAYS = """
    const { setTimeout } = window;
    window.setTimeout = (call, ms, ...values) => setTimeout(call, ms === 2_000 ? 600_000 : ms, ...values);
"""
"""A script for the page: a button says that the link was copied for longer than its two seconds."""


def name(size: ViewportSize) -> str:
    return f"{size['width']}x{size['height']}"


async def lines(page: Page, css: str) -> int:
    """In how many lines the text of ``css`` is set."""
    count: int = await page.locator(css).evaluate(
        "element => { const range = new Range(); range.selectNodeContents(element);"
        " return new Set([...range.getClientRects()].map(({top}) => Math.round(top))).size }"
    )
    return count


async def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    width: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return width


async def test_copy_link_never_wraps_and_nothing_overflows(page: Page, service: FakeService, room_name: str) -> None:
    service.voices = [{"id": "heart", "name": "Heart"}, {"id": "long", "name": "A voice with a long name"}]
    service.add(state="playing")
    await page.add_init_script("navigator.clipboard.writeText = () => Promise.resolve()")
    await page.add_init_script(COPIED_STAYS)
    await join(page, service.url, room_name, phase="coming")
    await expect(page.locator(".segment")).to_be_visible()
    before = {}
    for size in SIZES:
        await page.set_viewport_size(size)
        assert await lines(page, "#copy-link-text") == 1, size
        assert await overflow(page) <= 0, size
        before[name(size)] = await page.locator("#copy-link").bounding_box()
    await page.get_by_role("button", name="Copy link").click()
    await expect(page.locator("#copy-link-text")).to_have_text("Copied")
    for size in SIZES:
        await page.set_viewport_size(size)
        assert await lines(page, "#copy-link-text") == 1, size
        assert await page.locator("#copy-link").bounding_box() == before[name(size)], size


async def test_on_a_phone_in_landscape_everything_that_matters_is_in_sight(
    page: Page, service: FakeService, room_name: str
) -> None:
    service.voices = [{"id": "heart", "name": "Heart"}, {"id": "alto", "name": "Alto"}]
    service.add(state="playing", source={"kind": "file", "name": "playing.wav"})
    for _ in range(12):
        service.add()
    await page.goto(f"{service.url}/?room={room_name}")
    for size in LANDSCAPE_PHONES:
        await page.set_viewport_size(size)
        for part in ("#lobby-title", "#lobby-text", "#join", "#lobby-note"):
            await expect(page.locator(part), name(size)).to_be_in_viewport(ratio=1)
    await page.get_by_role("button", name="Join").click()
    await expect(page.locator(".segment").first).to_be_visible()
    for size in LANDSCAPE_PHONES:
        await page.set_viewport_size(size)
        for part in PANEL:
            await expect(page.locator(part).first, name(size)).to_be_in_viewport(ratio=1)


async def test_the_name_is_shown_whole_or_not_at_all(page: Page, service: FakeService, room_name: str) -> None:
    await join(page, service.url, room_name, phase="coming")
    brand = page.locator(".brand span")
    for size in SIZES:
        await page.set_viewport_size(size)
        needs: float = await brand.evaluate(
            "element => { const range = new Range(); range.selectNodeContents(element);"
            " return range.getBoundingClientRect().right }"
        )
        hidden = await brand.evaluate("element => getComputedStyle(element).clipPath !== 'none'")
        link = await page.locator("#copy-link").bounding_box()
        assert link is not None
        assert hidden or needs <= link["x"], size
        await expect(page.get_by_role("heading", name="Mouthpiece", exact=True), name(size)).to_have_count(1)


async def test_the_help_can_be_closed_without_scrolling_and_nothing_lies_over_it_or_below(
    page: Page, service: FakeService, room_name: str
) -> None:
    await join(page, service.url, room_name, phase="coming")
    close, letters = page.get_by_role("button", name="Close"), page.get_by_text("Single letters work as shortcuts")
    for size in SIZES:
        await page.set_viewport_size(size)
        await page.keyboard.press("?")
        await expect(close, name(size)).to_be_in_viewport(ratio=1)
        await letters.scroll_into_view_if_needed()
        await page.locator("#help-dialog").evaluate("dialog => dialog.scrollTo(0, dialog.scrollHeight)")
        above, below = await letters.bounding_box(), await close.bounding_box()
        assert above is not None
        assert below is not None
        assert above["y"] + above["height"] <= below["y"], size
        dialog = await page.locator("#help-dialog").bounding_box()
        assert dialog is not None
        assert dialog["y"] + dialog["height"] - (below["y"] + below["height"]) < 30, size
        await close.click()
        await expect(close, name(size)).to_be_hidden()
