"""The page in Chromium when an action fails: a notice says which one."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.live.page.fake_service import FakeService
from tests.live.page.watching import join

pytestmark = pytest.mark.asyncio(loop_scope="module")


def file(name: str) -> dict[str, str | None]:
    return {"kind": "file", "name": name, "text": None, "voice": None}


async def expect_notice(page: Page, text: str) -> None:
    await expect(page.get_by_role("alert")).to_contain_text(text)


async def test_says_which_action_failed_while_the_service_does_not_answer(
    page: Page, service: FakeService, room_name: str
) -> None:
    service.voices = [{"id": "heart", "name": "Heart"}]
    service.add(source=file("playing.wav"), state="playing")
    service.add(source=file("later.wav"))
    for _ in range(25):
        service.add(state="finished")
    await join(page, service.url, room_name, phase="coming")
    await expect(page.get_by_label("Text to say")).to_be_visible()
    service.segments["seg_0001"]["state"] = service.segments["seg_0002"]["state"] = "finished"
    playing, later = service.add(source=file("playing.wav"), state="playing"), service.add(source=file("later.wav"))
    await expect(page.get_by_role("button", name="Stop playing.wav")).to_be_visible()
    service.unreachable = True

    await page.get_by_label("Text to say").fill("Good morning!")
    await page.keyboard.press("Enter")
    await expect_notice(page, "“Good morning!” was not sent: The service does not answer.")
    await expect(page.get_by_label("Text to say")).to_have_value("Good morning!")
    await page.get_by_role("button", name="Interrupt").click()
    await expect_notice(page, "The interrupt failed: The service does not answer.")
    await page.get_by_role("button", name="Stop playing.wav").click()
    await expect_notice(page, "“playing.wav” was not stopped: The service does not answer.")
    await page.get_by_role("button", name="Cancel later.wav").click()
    await expect_notice(page, "“later.wav” was not cancelled: The service does not answer.")
    await page.get_by_role("button", name="Show earlier").click()
    await expect_notice(page, "Earlier segments were not loaded: The service does not answer.")
    assert (playing["state"], later["state"]) == ("playing", "queued")


async def test_clears_what_it_can_and_says_what_it_could_not(page: Page, service: FakeService, room_name: str) -> None:
    for name in ("one.wav", "two.wav", "three.wav"):
        service.add(source=file(name))
    await join(page, service.url, room_name, phase="coming")
    await expect(page.locator(".segment")).to_have_count(3)
    service.kept = {"seg_0002"}
    await page.get_by_role("button", name="Clear waiting").click()
    await expect_notice(page, "“two.wav” was not cancelled: The store cannot be written.")
    assert [segment["state"] for segment in service.segments.values()] == ["cancelled", "queued", "cancelled"]


async def test_says_that_the_sample_was_not_played(page: Page, service: FakeService, room_name: str) -> None:
    await join(page, service.url, room_name, phase="coming")
    await page.route("**/*.wav", lambda route: route.abort())
    await page.get_by_role("button", name="Play a sample").click()
    await expect_notice(page, "The sample was not played: The service does not answer.")


async def test_says_that_the_link_was_not_copied(page: Page, service: FakeService, room_name: str) -> None:
    await page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    await join(page, service.url, room_name, phase="coming")
    await page.get_by_role("button", name="Copy link").click()
    await expect_notice(page, "The link was not copied: copy it from the browser's address bar.")


async def test_says_that_full_screen_was_refused(page: Page, service: FakeService, room_name: str) -> None:
    await page.add_init_script("Element.prototype.requestFullscreen = () => Promise.reject(new Error())")
    await join(page, service.url, room_name, phase="coming")
    await page.get_by_role("button", name="Full screen").click()
    await expect_notice(page, "The browser refused full screen.")


async def test_refuses_what_is_too_large_before_sending(page: Page, service: FakeService, room_name: str) -> None:
    service.voices = [{"id": "heart", "name": "Heart"}]
    service.limits = {"max_upload": 1_000_000, "max_text": 30_000}
    await join(page, service.url, room_name, phase="coming")
    buffer = b"RIFF" * 300_000
    await page.set_input_files("#file", {"name": "long.wav", "mimeType": "audio/wav", "buffer": buffer})
    await expect_notice(page, "“long.wav” is too large: 1.2 MB. This service accepts at most 1.0 MB")
    await expect(page.locator(".upload")).to_have_count(0)

    await page.get_by_label("Text to say").fill("word " * 6_001)
    await page.keyboard.press("Enter")
    await expect_notice(page, "The text is too long: 30,004 characters. This service accepts at most 30,000")
    assert (service.bodies, service.texts) == ([], [])
    await page.get_by_label("Text to say").fill("x" * 25_000)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Text to say")).to_have_value("")
    assert [len(body["text"]) for body in service.texts] == [25_000]


async def test_messages_for_viewers_name_no_setting(page: Page, service: FakeService, room_name: str) -> None:
    logged: list[str] = []
    page.on("console", lambda line: logged.append(line.text))
    unheard = "The avatar's track stayed silent. Try MOUTHPIECE_SENDER_IDENTITY."
    service.add(state="unknown", error={"type": "avatar-unheard", "detail": unheard})
    await join(page, service.url, room_name, phase="coming")
    await expect(page.locator(".segment .error")).to_have_text("The avatar's track stayed silent.")
    service.refusal = (413, "The body is larger than 1 MB: send less, or raise MOUTHPIECE_MAX_UPLOAD_MB.")
    await page.set_input_files("#file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"RIFF"})
    await expect(page.locator(".upload .error")).to_have_text("Refused.")
    assert "MOUTHPIECE_" not in await page.locator("body").inner_html()
    assert any("MOUTHPIECE_MAX_UPLOAD_MB" in line for line in logged)
