"""A browser on the host, and containers: Chromium hides its addresses (mDNS), so media takes the published ports."""

from __future__ import annotations

import pytest

from tests.live.chromium import running_chromium
from tests.live.compose.conftest import ROOT, Stack
from tests.live.page.watching import energy_over, pictures_move, until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

HEARD = 1e-4
"""Mean power, far above what is left of silence (1e-6)."""


async def test_a_browser_on_the_host_sees_and_hears_the_avatar_once_it_has_the_key(stack: Stack) -> None:
    async with running_chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"{stack.sender}/?room=compose-browser")
        await page.get_by_role("button", name="Join").click()
        await page.get_by_label("API key").fill(stack.key)
        await page.keyboard.press("Enter")
        await until(page, "mouthpiece.phase === 'listening'", 60)
        await pictures_move(page)
        await page.set_input_files("#file", ROOT / "assets" / "lighthouse_16kHz.wav")
        await until(page, "mouthpiece.phase === 'speaking'", 30)
        assert await energy_over(page, 2.0) > HEARD
