"""The page in Chromium with a real sender, as a process: the room's events are followed, over a restart too."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Page, Request, expect

from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.page.watching import until
from tests.loopback.serving import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a-key-of-this-test"
QUIET = 3_000
"""Milliseconds in which the page that polled asked three times."""


async def test_follows_the_room_without_polling_and_over_a_restart_of_the_service(
    page: Page, livekit: LiveKit, dist: Path, room_name: str, tmp_path: Path
) -> None:
    port = livekit_server.free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        "MOUTHPIECE_API_KEYS": KEY,
    }
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if f"/rooms/{room_name}/" in request.url else None)
    rows, banner = page.locator(".segment"), page.locator("#banner")

    async def say() -> None:
        """Queue a text: no avatar comes."""
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as client:
            (await client.post(f"{url}/v1/rooms/{room_name}/segments", json={"text": "Hello."})).raise_for_status()

    def paths(method: str, of: list[Request]) -> list[str]:
        return [urlsplit(one.url).path.rsplit("/", 1)[1] for one in of if one.method == method]

    async with serve(tmp_path, "--port", str(port), **environment) as sender:
        await sender.said("listening on")
        await page.goto(f"{url}/?room={room_name}#key={KEY}")
        await page.get_by_role("button", name="Join").click()
        await until(page, "mouthpiece.phase === 'coming'", 30)
        await say()
        await expect(rows).to_have_count(1)
        asked.clear()
        await page.wait_for_timeout(QUIET)
        await say()
        await expect(rows).to_have_count(2)
        assert asked == []
        sender.process.kill()
        await expect(banner).to_contain_text("does not answer", timeout=15_000)

    asked.clear()
    async with serve(tmp_path, "--port", str(port), **environment) as sender:
        await sender.said("listening on")
        await expect(banner).to_be_hidden(timeout=20_000)
        await say()
        await expect(rows).to_have_count(3)
        answered = [one for one in asked if await one.response() is not None]
        assert paths("POST", answered) == ["tickets"]
        assert paths("GET", answered) == ["events", "segments"]
        (stream,) = [one for one in answered if "/events" in one.url]
        assert parse_qs(urlsplit(stream.url).query).keys() == {"ticket"}
        assert "authorization" not in stream.headers
        assert int(stream.headers["last-event-id"]) > 0
