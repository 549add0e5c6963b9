"""The page in Chromium when a viewer joins in the middle of a sentence."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.live.page.fake_avatar import FakeAvatar
from tests.live.page.fake_service import FakeService
from tests.live.page.watching import join, picture_comes

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENTENCES = (
    "The lighthouse keeper climbed the stairs every evening.",
    "He lit the lamp and watched the ships go by.",
    "At dawn he put it out and went to sleep.",
)


def add_playing_text(service: FakeService, position: float) -> str:
    text = {"kind": "text", "name": None, "text": " ".join(SENTENCES), "voice": "heart"}
    audio = {"sample_rate": 24_000, "num_channels": 1, "duration": 30.0}
    return str(service.add(state="playing", source=text, audio=audio, position=position)["id"])


async def test_shows_the_sentence_that_is_being_said_until_the_next_caption_arrives(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    segment = add_playing_text(service, position=15.0)
    await join(page, service.url, room_name)
    captions = page.locator("#captions")
    await expect(captions).to_have_text(SENTENCES[1])
    attributes = {"lk.segment_id": f"{segment}-2", "mouthpiece.caption": "playing"}
    await avatar.caption(SENTENCES[2], attributes)
    await expect(captions).to_contain_text(SENTENCES[2])
    await expect(captions).to_have_text(SENTENCES[2], timeout=6_000)  # its unit test holds the bound
    await avatar.caption(SENTENCES[2], attributes | {"mouthpiece.caption": "said"})
    service.segments[segment]["state"] = "finished"
    await expect(captions).to_be_hidden(timeout=8_000)


async def test_a_sentence_that_was_joined_late_goes_with_its_segment(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    segment = add_playing_text(service, position=25.0)
    await join(page, service.url, room_name)
    captions = page.locator("#captions")
    await expect(captions).to_have_text(SENTENCES[2])
    service.segments[segment]["state"] = "interrupted"
    await expect(captions).to_be_hidden(timeout=8_000)


async def test_estimates_a_later_segment_only_when_its_captions_do_not_arrive(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    await page.wait_for_timeout(1_000)
    add_playing_text(service, position=15.0)
    await expect(page.locator(".segment .chip")).to_have_text("Speaking")
    await page.wait_for_timeout(1_000)
    await expect(page.locator("#captions")).to_be_hidden()
    await expect(page.locator("#captions")).to_have_text(SENTENCES[1])


async def test_estimates_nothing_while_the_position_is_not_known(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    add_playing_text(service, position=15.0)
    await join(page, service.url, room_name)
    captions = page.locator("#captions")
    await expect(captions).to_have_text(SENTENCES[1])
    await picture_comes(page)
    avatar.draws = False
    await expect(captions).to_be_hidden(timeout=8_000)
    avatar.draws = True
    await expect(captions).to_be_visible(timeout=8_000)
