"""The page in Chromium with the real sender, worker, avatar and LiveKit server, as the demo starts them."""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from playwright.async_api import Page, expect

from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.demo.processes import mouthpiece_processes
from mouthpiece_sender.demo.supervisor import Supervisor
from tests.live.page import lip_sync
from tests.live.page.fake_service import FakeService
from tests.live.page.watching import energy_over, interrupt, join, pictures_move, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASSETS = Path(__file__).parents[3] / "assets"
SILENCE = 1e-6
"""Mean power below which sound counts as silence: -60 dBFS."""


class _DemoServices:
    """Avatar, worker and sender, on a loop in a thread because they outlive the loops of single tests."""

    def __init__(self, livekit: LiveKit, folder: Path) -> None:
        ports = {name: livekit_server.free_port() for name in ("avatar", "worker", "sender")}
        self._services = mouthpiece_processes(livekit, ports, folder / "data", os.environ)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._supervisor = Supervisor(folder / "logs", lambda line: None)
        self.url = f"http://127.0.0.1:{ports['sender']}"

    def __enter__(self) -> _DemoServices:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(180)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._supervisor.__aexit__(), self._loop).result(90)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        try:
            await self._supervisor.start(*self._services)
        except BaseException:
            await self._supervisor.__aexit__()
            raise


@pytest.fixture(scope="module")
def service(livekit: LiveKit, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _DemoServices(livekit, tmp_path_factory.mktemp("services")) as running:
        yield running.url


async def test_sees_hears_and_interrupts(page: Page, service: str, room_name: str) -> None:
    await join(page, service, room_name)
    await pictures_move(page)
    assert await energy_over(page, 0.5) < SILENCE

    await page.set_input_files("#file", ASSETS / "lighthouse_16kHz.wav")
    await until(page, "mouthpiece.phase === 'speaking'")
    assert await energy_over(page, 2.0) > 100 * SILENCE

    row = page.locator(".segment").first
    await expect(row).to_contain_text("lighthouse_16kHz.wav")
    await expect(row.locator(".chip")).to_have_text("Speaking")
    silent_after = await interrupt(page)
    logging.getLogger(__name__).info("silent in the page %.0f ms after the press", silent_after)
    assert silent_after < 1500  # with a jitter buffer, on a machine that may be busy
    await expect(row.locator(".chip")).to_have_text("Interrupted")
    await expect(row.locator(".receipt")).to_have_text("confirmed")
    await until(page, "mouthpiece.phase === 'listening'", 3)
    assert await energy_over(page, 0.5) < SILENCE


async def test_plays_the_sample_to_its_end(page: Page, service: str, room_name: str) -> None:
    await join(page, service, room_name)
    await page.get_by_role("button", name="Play a sample").click()
    row = page.locator(".segment")
    await expect(row.locator(".chip")).to_have_text("Said", timeout=20_000)
    await expect(row.locator(".receipt")).to_have_text("confirmed")
    (segment,) = await page.evaluate("mouthpiece.segments")
    assert segment["position"] == pytest.approx(segment["duration"], abs=0.05)


@pytest.mark.alone
async def test_sound_and_picture_are_in_sync(page: Page, service: str, room_name: str) -> None:
    await join(page, service, room_name)
    await until(page, "document.body.hasAttribute('data-picture')")
    await lip_sync.watch(page)
    await page.set_input_files("#file", {"name": "v.wav", "mimeType": "audio/wav", "buffer": lip_sync.bursts()})
    await until(page, "mouthpiece.segments.some(({state}) => state === 'finished')", 60)
    differences = await lip_sync.differences(page)
    shown = ", ".join(f"{difference:.0f}" for difference in differences)
    logging.getLogger(__name__).info("milliseconds from the voice to the mouth's movement: %s", shown)
    assert len(differences) >= lip_sync.BURSTS / 4, shown
    # finds gross errors: the machine may be busy, and what is measured comes before the browser's delay in displaying
    assert abs(statistics.median(differences)) < 160, shown


async def test_shows_why_a_file_was_refused(page: Page, service: str, room_name: str) -> None:
    await join(page, service, room_name)
    await page.set_input_files("#file", {"name": "noise.wav", "mimeType": "audio/wav", "buffer": b"no sound" * 500})
    error = page.locator(".upload .error, .segment .error").first
    await expect(error).not_to_be_empty()


async def test_any_livekit_client_with_the_token_finds_the_avatar(
    page: Page, service: str, livekit: LiveKit, front_end: Path, room_name: str
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        opened = (await client.post(f"{service}/v1/rooms", json={"room": room_name})).json()
        async with FakeService(livekit, front_end) as host:
            query = urlencode({"url": opened["livekit_url"], "token": opened["token"]})
            await page.goto(f"{host.url}/?{query}")
            await until(page, "window.found?.video && window.found.audio", 30)
            found = await page.evaluate("window.found")
            assert found["video"] == found["audio"]
            assert found["video"].startswith("avatar-")
            sound = (ASSETS / "hello_world_16kHz.wav").read_bytes()
            said = await client.post(
                f"{service}/v1/rooms/{room_name}/segments?wait=finished", content=sound, timeout=60
            )
            assert said.json()["receipt"] == "confirmed"
            assert await page.evaluate("window.found") == found  # the sender was in the room and took neither role
