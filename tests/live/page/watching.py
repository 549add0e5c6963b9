"""Steps and measurements on the page in a browser, through ``window.mouthpiece`` and what is visible."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from playwright.async_api import Page

SHORT_MINUTE = """
    const { setTimeout } = window;
    window.setTimeout = (call, ms, ...values) => setTimeout(call, ms === 60_000 ? 1_500 : ms, ...values);
"""
"""A script for the page: its minute without an avatar is over after 1.5 s."""

NOTICES_STAY = """
    const { setTimeout } = window;
    window.setTimeout = (call, ms, ...values) => setTimeout(call, ms === 8_000 ? 600_000 : ms, ...values);
"""
"""A script for the page: its notices do not go after their eight seconds."""


async def until(page: Page, expression: str, seconds: float = 20) -> float:
    """Wait until ``expression`` is true in the page; return the seconds that it took.

    It polls from outside: Playwright's ``wait_for_function`` evaluates a string in the page, which the page's content
    security policy forbids.

    :raises AssertionError: not true within ``seconds``.
    """
    began = time.monotonic()
    while not await page.evaluate(expression):
        if time.monotonic() - began > seconds:
            phase = await page.evaluate("window.mouthpiece?.phase")
            raise AssertionError(f"not within {seconds} s: {expression} (the phase is {phase!r})")
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def join(page: Page, url: str, room: str, *, phase: str = "listening") -> None:
    """Open the page for ``room``, press Join and wait for ``phase``."""
    await page.goto(f"{url}/?room={room}")
    await page.get_by_role("button", name="Join").click()
    await until(page, f"mouthpiece.phase === '{phase}'", 30)


async def picture_comes(page: Page) -> None:
    """Wait for the first frame: a picture that has not come yet does not count as one that stands still."""
    await until(page, "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 0")


async def media(page: Page) -> dict[str, Any]:
    """The counters of received media (``MediaFigures`` in web/src/io/player.ts)."""
    figures: dict[str, Any] = await page.evaluate("mouthpiece.media()")
    return figures


async def pictures_move(page: Page) -> None:
    """Assert that the visible picture changes and that frames arrive."""
    before = await media(page)
    shots = [await page.locator("#video").screenshot()]
    for _ in range(20):
        await asyncio.sleep(0.25)
        shots.append(await page.locator("#video").screenshot())
        if len(set(shots)) >= 3:
            break
    after = await media(page)
    assert len(set(shots)) >= 3, "the picture stands still"
    assert after["frames"] > before["frames"]


async def energy_over(page: Page, seconds: float) -> float:
    """Measure the mean power (0…1) of the sound played out in the next ``seconds``."""
    before = await media(page)
    await asyncio.sleep(seconds)
    after = await media(page)
    return float(after["audioEnergy"] - before["audioEnergy"]) / seconds


async def interrupt(page: Page) -> float:
    """Press Interrupt; return how many milliseconds later, by the page's clock, the last sound was heard."""
    await page.evaluate(
        """() => {
            window.silence = new Promise((resolve) => {
                document.querySelector("#interrupt").addEventListener("click", () => {
                    const pressed = performance.now();
                    let loud = pressed;
                    const listen = () => {
                        const now = performance.now();
                        if (mouthpiece.level > 0.001) loud = now;
                        if (now - loud < 600) setTimeout(listen, 5);  // longer than a pause between words
                        else resolve(loud - pressed);
                    };
                    listen();
                }, {once: true});
            });
        }"""
    )
    await page.get_by_role("button", name="Interrupt").click()
    async with asyncio.timeout(10):
        return float(await page.evaluate("window.silence"))
