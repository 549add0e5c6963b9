"""Fixtures: the built page in a real Chromium, with a fake service and a real livekit-server.

The browser belongs to the event loop of its module: every test and fixture that uses it runs on that loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo import page as npm
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.demo.toolchain import ToolchainError
from tests.live.chromium import running_chromium
from tests.live.missing import missing
from tests.live.page.fake_avatar import FakeAvatar
from tests.live.page.fake_service import FakeService

FRONT_END = Path(__file__).parent / "front_end"
DIST = Path(__file__).parents[3] / "web" / "dist"


@pytest.fixture(scope="session")
def dist() -> Path:
    if not (DIST / "index.html").is_file():
        missing("the page is not built: `make web` builds it")
    return DIST


@pytest.fixture(scope="session")
def front_end() -> Path:
    """The folder of a built page with LiveKit's own React hook."""
    try:
        code = npm.run_script(FRONT_END, "build", lambda line: None)
    except ToolchainError as error:
        missing(str(error))
    assert code == 0, "the front end's packages could not be installed or built: npm's output says why"
    return FRONT_END / "dist"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def livekit_binary(livekit: LiveKit) -> Path:
    """The binary, for a test that starts its own server."""
    binary = livekit_server.find_binary()
    assert binary is not None
    return binary


@pytest_asyncio.fixture(loop_scope="module")
async def service(livekit: LiveKit, dist: Path) -> AsyncIterator[FakeService]:
    async with FakeService(livekit, dist) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def avatar(livekit: LiveKit, service: FakeService, room_name: str) -> AsyncIterator[FakeAvatar]:
    """An agent and its avatar in the room; the avatar plays what the fake service accepts."""
    async with FakeAvatar(livekit, room_name) as present:
        service.avatar = present
        yield present
        await service.remove_avatar()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A desktop window. A script error or a violation of the content security policy fails the test."""
    window = await browser.new_page(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    window.on("pageerror", lambda error: errors.append(str(error)))
    window.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
    yield window
    await window.close()
    assert errors == []
