"""A text typed into the page is said, with captions while it is said; all services are real."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.live.page.test_real_services import service  # noqa: F401 (a fixture)
from tests.live.page.watching import join

pytestmark = pytest.mark.asyncio(loop_scope="module")

ONE = "The lighthouse keeper climbed the stairs every evening."
TWO = "He lit the lamp and watched the ships go by."


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    return tmp_path / "captions.png"


async def test_a_typed_text_is_said_with_captions_in_time(
    page: Page,
    service: str,  # noqa: F811
    room_name: str,
    shot: Path,
) -> None:
    await join(page, service, room_name)
    await expect(page.locator("#say")).to_be_visible(timeout=15_000)
    assert await page.locator("#say-voice").input_value() == "heart"
    await page.fill("#say-text", f"{ONE} {TWO}")
    await page.click("#say-send")
    captions = page.locator("#captions")
    await expect(captions).to_contain_text(ONE, timeout=20_000)
    assert TWO not in await captions.inner_text()
    await expect(captions).to_contain_text(TWO, timeout=10_000)
    await page.screenshot(path=shot)
    row = page.locator(".segment").first
    await expect(row).to_contain_text(ONE)
    await expect(row.locator(".chip")).to_have_text("Said", timeout=20_000)
    await expect(captions).to_be_hidden(timeout=8_000)
