"""This machine's clock differs from a real LiveKit's: the clock is named and not the key."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from mouthpiece.errors import LiveKitRefused
from mouthpiece_agents.settings import Settings as WorkerSettings
from mouthpiece_agents.worker import check_livekit
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi


def set_clock(patch: pytest.MonkeyPatch, ahead: float) -> None:
    """For the tokens that are made here, and for what is said of the clock."""
    shift = datetime.timedelta(seconds=ahead)

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return datetime.datetime.now(tz) + shift

    module = SimpleNamespace(datetime=Clock, timedelta=datetime.timedelta, timezone=datetime.timezone)
    patch.setattr("livekit.api.access_token.datetime", module)
    for place in ("mouthpiece_sender.livekit.server_api", "mouthpiece_agents.worker"):
        patch.setattr(f"{place}.utc_now", lambda: datetime.datetime.now(datetime.UTC) + shift)


def as_worker(access: LiveKitAccess) -> WorkerSettings:
    given = {"livekit_url": access.url, "livekit_api_key": access.api_key}
    return cast(WorkerSettings, SimpleNamespace(**given, livekit_api_secret=SecretStr(access.api_secret)))


@pytest.mark.parametrize(
    ("ahead", "words"), [(120, "clock is 2 min ahead of LiveKit's"), (-28_800, "clock is 8.0 h behind LiveKit's")]
)
async def test_a_clock_that_is_off_is_named(
    access: LiveKitAccess, monkeypatch: pytest.MonkeyPatch, ahead: float, words: str
) -> None:
    set_clock(monkeypatch, ahead)
    async with LiveKitApi(access) as server:
        with pytest.raises(LiveKitRefused, match=words) as refused:
            await server.check()
    assert "LIVEKIT_API_SECRET" not in str(refused.value)
    with pytest.raises(LiveKitRefused, match=words):
        await check_livekit(as_worker(access))


async def test_half_a_minute_is_no_trouble(access: LiveKitAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, 30)
    async with LiveKitApi(access) as server:
        await server.check()
    await check_livekit(as_worker(access))


async def test_a_wrong_key_is_still_the_key(access: LiveKitAccess) -> None:
    wrong = LiveKitAccess(access.url, access.api_key, "another-secret-of-thirty-two-characters")
    async with LiveKitApi(wrong) as server:
        with pytest.raises(LiveKitRefused, match="LIVEKIT_API_SECRET"):
            await server.check()
    with pytest.raises(LiveKitRefused, match="LIVEKIT_API_SECRET"):
        await check_livekit(as_worker(wrong))
