"""LiveKit refuses a token: the clock is blamed where it is off, and else the key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web
from pydantic import SecretStr

from mouthpiece.errors import LiveKitRefused
from mouthpiece_agents.settings import Settings as WorkerSettings
from mouthpiece_agents.worker import check_livekit
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(120, "clock is 2 min ahead of LiveKit's"), (-28_800, "clock is 8.0 h behind"), (0, "LIVEKIT_API_KEY")],
)
async def test_what_is_wrong_is_named(ahead: float, words: str) -> None:
    async def refuse(request: web.BaseRequest) -> web.Response:
        date = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead), usegmt=True)
        return web.json_response({"code": "unauthenticated", "msg": "no"}, status=401, headers={"Date": date})

    runner = web.ServerRunner(web.Server(refuse), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with LiveKitApi(LiveKitAccess(url, "key", "a-secret-of-thirty-two-characters")) as server:
            with pytest.raises(LiveKitRefused, match=words):
                await server.check()
        secret = SecretStr("a-secret-of-thirty-two-characters")
        worker = SimpleNamespace(livekit_url=url, livekit_api_key="key", livekit_api_secret=secret)
        with pytest.raises(LiveKitRefused, match=words):
            await check_livekit(cast(WorkerSettings, worker))
    finally:
        await runner.cleanup()
