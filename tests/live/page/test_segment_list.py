"""The list of segments in Chromium: what plays and waits comes first, the history folds."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.live.page.fake_service import FakeService
from tests.live.page.watching import join

pytestmark = pytest.mark.asyncio(loop_scope="module")


def file(name: str) -> dict[str, str | None]:
    return {"kind": "file", "name": name, "text": None, "voice": None}


async def titles(page: Page, css: str) -> list[str]:
    """The titles of the visible rows below ``css``, from top to bottom."""
    rows = page.locator(f"{css} .segment:visible")
    placed = [(await row.bounding_box(), await row.locator(".title").inner_text()) for row in await rows.all()]
    return [title for _, title in sorted((box["y"], title) for box, title in placed if box is not None)]


async def test_what_plays_and_waits_is_on_top_in_the_order_of_playing(
    page: Page, service: FakeService, room_name: str
) -> None:
    service.add(source=file("said.wav"), state="finished", receipt="confirmed")
    service.add(source=file("playing.wav"), state="playing")
    for name in ("next.wav", "last.wav"):
        service.add(source=file(name))
    await join(page, service.url, room_name, phase="coming")
    await expect(page.locator(".segment")).to_have_count(4)
    assert await titles(page, "#panel") == ["playing.wav", "next.wav", "last.wav", "said.wav"]

    service.segments["seg_0002"]["state"] = "finished"
    service.segments["seg_0003"]["state"] = "playing"
    await expect(page.locator(".segment", has_text="next.wav").locator(".chip")).to_have_text("Speaking")
    assert await titles(page, "#panel") == ["next.wav", "last.wav", "playing.wav", "said.wav"]


async def test_the_history_folds_and_stays_folded(page: Page, service: FakeService, room_name: str) -> None:
    for _ in range(3):
        service.add(state="finished", receipt="confirmed")
    service.add(source=file("waiting.wav"))
    await join(page, service.url, room_name, phase="coming")
    fold = page.locator("#history summary")
    await expect(fold).to_contain_text("3")
    await expect(page.locator(".segment:visible")).to_have_count(4)
    await fold.click()
    assert await titles(page, "#panel") == ["waiting.wav"]
    service.segments["seg_0004"]["state"] = "finished"
    await expect(fold).to_contain_text("4")
    assert await titles(page, "#panel") == []


async def test_cleared_rows_collapse_into_one(page: Page, service: FakeService, room_name: str) -> None:
    service.add(source=file("said.wav"), state="finished", receipt="confirmed")
    for number in range(5):
        service.add(source=file(f"waiting-{number}.wav"))
    await join(page, service.url, room_name, phase="coming")
    await page.get_by_role("button", name="Clear waiting").click()
    collapsed = page.get_by_role("button", name="5 cancelled")
    await expect(collapsed).to_have_attribute("aria-expanded", "false")
    assert await titles(page, "#panel") == ["said.wav"]
    await collapsed.click()
    assert await titles(page, "#panel") == [*(f"waiting-{number}.wav" for number in (4, 3, 2, 1, 0)), "said.wav"]
    await page.wait_for_timeout(1_500)  # over an update of the list
    await expect(page.locator(".segment:visible")).to_have_count(6)
