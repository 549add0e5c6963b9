"""The documentation page in a real Chromium that can reach nothing but the service."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import expect

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.chromium import running_chromium
from tests.live.sender.test_service import running_service


async def test_the_reference_is_drawn_and_calls_can_be_tried_in_it(livekit: LiveKit, tmp_path: Path) -> None:
    async with running_service(livekit, tmp_path / "data") as client, running_chromium() as browser:
        page = await browser.new_page()
        faults: list[str] = []
        hosts: set[str] = set()
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        await page.goto(f"{client.base_url}/docs".replace("//docs", "/docs"))
        described = (await client.get("/openapi.json")).json()["paths"].values()
        await expect(page.locator(".opblock")).to_have_count(sum(map(len, described)))
        await page.get_by_role("button", name="get /healthz").first.click()
        await page.get_by_role("button", name="Try it out").click()
        await page.get_by_role("button", name="Execute").click()
        await expect(page.locator(".live-responses-table .response-col_status")).to_have_text(["Code", "200"])
    assert faults == []
    assert {host for host in hosts if host} == {urlsplit(str(client.base_url)).netloc}
