"""Takes the README's picture of the page: ``python assets/page/make.py ADDRESS``, with the one that `make demo` prints.

It needs Playwright, which is among the development packages, and a Chromium on PATH.
"""

import asyncio
import shutil
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, async_playwright

HERE = Path(__file__).parent
LONG = HERE.parent / "lighthouse_16kHz.wav"
TEXTS = ("Good morning! Any service can make me speak.", "It learns when I was heard.")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required")


async def take(page: Page, address: str) -> None:
    """Join the room, let the avatar speak with more in its queue, and take the picture."""
    room = parse_qs(urlsplit(address).query)["room"][0]
    page.set_default_timeout(120_000)
    await page.goto(address)
    await page.get_by_role("button", name="Join").click()
    await page.wait_for_function("['listening', 'speaking'].includes(mouthpiece.phase)")
    url = f"{address.partition('?')[0].rstrip('/')}/v1/rooms/{room}"
    for text in TEXTS:
        await page.request.post(f"{url}/segments", data={"text": text})
    sound = await asyncio.to_thread(LONG.read_bytes)
    await page.request.post(f"{url}/segments", data=sound, headers={"Content-Type": "audio/wav"})
    await page.wait_for_function("mouthpiece.level > 0.05")
    await page.wait_for_timeout(1_000)
    await page.screenshot(path=HERE / "page.png")
    await page.request.post(f"{url}/interrupt", data={"queued": "drop"})


async def main(address: str) -> None:
    """Open Chromium and take the picture."""
    async with async_playwright() as playwright:
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        await take(await browser.new_page(viewport={"width": 1200, "height": 720}, bypass_csp=True), address)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
