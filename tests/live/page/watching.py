"""Reads what the page in a browser shows and hears, by its hook ``window.mouthpiece`` and by what can be seen."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from playwright.async_api import Page


async def until(page: Page, expression: str, seconds: float = 20) -> float:
    """Waits until ``expression`` holds in the page, and says how many seconds that took.

    By questions from outside: Playwright's own waiting evaluates text within the page, which its policy forbids.
    """
    began = time.monotonic()
    while not await page.evaluate(expression):
        if time.monotonic() - began > seconds:
            stage = await page.evaluate("window.mouthpiece?.stage")
            raise AssertionError(f"not within {seconds} s: {expression} (the page is {stage!r})")
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def join(page: Page, url: str, room: str, *, stage: str = "listening") -> None:
    """Opens the page for ``room``, presses Join and waits for the stage."""
    await page.goto(f"{url}/?room={room}")
    await page.get_by_role("button", name="Join").click()
    await until(page, f"mouthpiece.stage === '{stage}'", 30)


async def media(page: Page) -> dict[str, Any]:
    """The counters of what was received (``MediaFigures`` in web/src/io/player.ts)."""
    figures: dict[str, Any] = await page.evaluate("mouthpiece.media()")
    return figures


async def pictures_move(page: Page) -> None:
    """The picture on the screen itself changes, and frames go on arriving."""
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
    """Mean power (0…1) of the sound that was played out in the next ``seconds``."""
    before = await media(page)
    await asyncio.sleep(seconds)
    after = await media(page)
    return float(after["audioEnergy"] - before["audioEnergy"]) / seconds


async def interrupt(page: Page) -> float:
    """Presses Interrupt, and says how many milliseconds later, by the page's clock, the last sound was heard."""
    await page.evaluate(
        """() => {
            window.silence = new Promise((tell) => {
                document.querySelector("#interrupt").addEventListener("click", () => {
                    const pressed = performance.now();
                    let loud = pressed;
                    const listen = () => {
                        const now = performance.now();
                        if (mouthpiece.level > 0.001) loud = now;
                        if (now - loud < 600) setTimeout(listen, 5);  // longer than a pause between words
                        else tell(loud - pressed);
                    };
                    listen();
                }, {once: true});
            });
        }"""
    )
    await page.get_by_role("button", name="Interrupt").click()
    async with asyncio.timeout(10):
        return float(await page.evaluate("window.silence"))
