"""Avaluma's plugin as it is: its subscriptions are cancelled, its errors become ``AvatarStartFailed``."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
from livekit import rtc

from mouthpiece.errors import AvatarStartFailed
from mouthpiece_agents import avaluma_plugin
from mouthpiece_agents.avaluma_plugin import PluginAvatar, SessionView, find_plugin
from mouthpiece_agents.job_request import read_job_request
from mouthpiece_agents.settings import Settings

GIVEN = {
    "LIVEKIT_URL": "ws://livekit:7880",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "secret",
    "AVALUMA_LICENSE_KEY": "licence",
    "AVATAR_PROVIDER": "avaluma",
    "AVATAR_ID": "kadda",
}


class FakeSession(rtc.EventEmitter[str]):
    output = types.SimpleNamespace(audio=None)

    def changed(self, state: str) -> None:
        self.emit("agent_state_changed", state)


class FakePlugin:
    """Like the older plugin, which reads LiveKit's address from the environment."""

    made: list[FakePlugin] = []  # noqa: RUF012
    error: Exception | None = None
    hangs = False

    _session_id: str | None = None
    _start_atask: asyncio.Task[object] | None = None

    def __init__(self, **given: str) -> None:
        self.given = given
        self.states: list[str] = []
        FakePlugin.made.append(self)

    async def start(self, agent_session: Any, room: rtc.Room) -> None:
        agent_session.on("agent_state_changed", self.states.append)
        agent_session.output.audio = self
        if FakePlugin.hangs:
            await asyncio.Event().wait()
        if FakePlugin.error is not None:
            raise FakePlugin.error


class ClosablePlugin(FakePlugin):
    """Like a plugin on livekit-agents' base class."""

    closed = 0
    close_error: Exception | None = None

    async def aclose(self) -> None:
        self.closed += 1
        if self.close_error is not None:
            raise self.close_error


class NewerPlugin(FakePlugin):
    async def start(self, agent_session: Any, room: rtc.Room, *, livekit_url: str = "") -> None:
        self.given["livekit_url"] = livekit_url
        await super().start(agent_session, room)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    FakePlugin.made, FakePlugin.error, FakePlugin.hangs = [], None, False
    find_plugin.cache_clear()
    yield
    find_plugin.cache_clear()


async def attached(plugin: type[FakePlugin] = FakePlugin, **changes: Any) -> tuple[PluginAvatar, FakeSession]:
    settings = Settings.model_validate(GIVEN | changes)
    avatar, session = PluginAvatar(plugin, read_job_request("", settings), settings, "agent-1"), FakeSession()
    await avatar.attach(session, rtc.Room())  # type: ignore[arg-type]
    return avatar, session


async def test_the_plugin_gets_key_avatar_server_and_the_session_itself() -> None:
    avatar, session = await attached()
    await avatar.restart()
    (plugin,) = FakePlugin.made
    assert plugin.given == {
        "license_key": "licence",
        "avatar_id": "kadda",
        "avatar_server_url": "https://api.avaluma.ai",
    }
    assert session.output.audio is plugin
    session.changed("speaking")
    assert plugin.states == ["speaking"]


async def test_after_a_restart_each_state_is_sent_once() -> None:
    avatar, session = await attached()
    await avatar.restart()
    await avatar.restart()
    session.changed("listening")
    assert [plugin.states for plugin in FakePlugin.made] == [[], ["listening"]]


async def test_a_job_that_ends_asks_the_server_to_stop_and_waits_for_no_video(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    class Server:
        def __init__(self, url: str, secret: str, **options: Any) -> None:
            assert (url, secret, options["has_stop_call"]) == ("https://api.avaluma.ai", "licence", True)

        async def __aenter__(self) -> Server:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def end(self, session_id: str) -> bool:
            ended.append(session_id)
            return False

    async def removed(*_: object) -> None:
        ended.append("removed")

    monkeypatch.setattr(avaluma_plugin, "AvatarServerClient", Server)
    monkeypatch.setattr(avaluma_plugin, "remove_avatar", removed)
    avatar, session = await attached()
    await avatar.restart()
    (plugin,) = FakePlugin.made
    plugin._session_id = "session-1"
    plugin._start_atask = asyncio.create_task(asyncio.Event().wait())
    session.output.audio = None
    await avatar.aclose()
    await asyncio.wait({plugin._start_atask})
    assert plugin._start_atask.cancelled()
    assert ended == ["session-1", "removed"]


async def test_any_error_of_the_plugin_is_a_start_that_may_be_tried_again() -> None:
    FakePlugin.error = KeyError("license")
    avatar, _ = await attached()
    with pytest.raises(AvatarStartFailed, match="Avaluma's plugin could not start the avatar: KeyError") as caught:
        await avatar.restart()
    assert caught.value.retryable


@pytest.mark.parametrize("hangs", [False, True])
async def test_the_session_of_a_failed_start_is_closed(hangs: bool) -> None:
    FakePlugin.error, FakePlugin.hangs = KeyError("license"), hangs
    avatar, session = await attached(ClosablePlugin, MOUTHPIECE_AVATAR_START_TIMEOUT=0.01)
    with pytest.raises(AvatarStartFailed):
        await avatar.restart()
    (plugin,) = FakePlugin.made
    assert isinstance(plugin, ClosablePlugin)
    assert plugin.closed == 1
    session.changed("speaking")
    assert plugin.states == [], "its subscription was not cancelled"


async def test_the_session_of_a_cancelled_start_is_closed_before_the_next() -> None:
    FakePlugin.hangs = True
    avatar, _ = await attached(ClosablePlugin)
    starting = asyncio.create_task(avatar.restart())
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait({starting})
    FakePlugin.hangs = False
    await avatar.restart()
    assert [plugin.closed for plugin in FakePlugin.made if isinstance(plugin, ClosablePlugin)] == [1, 0]


async def test_a_plugin_that_cannot_close_its_session_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClosablePlugin, "close_error", RuntimeError("no"))
    avatar, _ = await attached(ClosablePlugin)
    await avatar.restart()
    await avatar.restart()
    assert len(FakePlugin.made) == 2


async def test_a_start_that_never_ends_fails_at_the_deadline() -> None:
    FakePlugin.hangs = True
    avatar, _ = await attached(MOUTHPIECE_AVATAR_START_TIMEOUT=0.01)
    with pytest.raises(AvatarStartFailed, match="TimeoutError"):
        await avatar.restart()


@pytest.mark.parametrize(("plugin", "url"), [(NewerPlugin, "wss://public"), (FakePlugin, None)])
async def test_only_a_plugin_that_takes_livekits_address_gets_it(plugin: type[FakePlugin], url: str | None) -> None:
    avatar, _ = await attached(plugin, MOUTHPIECE_LIVEKIT_URL_FOR_AVATAR="wss://public")
    await avatar.restart()
    assert FakePlugin.made[0].given.get("livekit_url") == url


async def test_a_view_is_the_session_in_everything_else() -> None:
    session = FakeSession()
    view = SessionView(session)  # type: ignore[arg-type]
    assert view.output is session.output
    heard: list[str] = []
    view.on("agent_state_changed", heard.append)
    session.changed("idle")
    view.release()
    session.changed("speaking")
    assert heard == ["idle"]


def test_the_newer_plugin_goes_before_the_older(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in avaluma_plugin.MODULES:
        module = types.ModuleType(name)
        module.AvatarSession = type(name, (), {})  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    found = find_plugin()
    assert isinstance(found, type)
    assert found.__name__ == "livekit.plugins.avaluma"


def test_without_a_plugin_there_is_none() -> None:
    assert find_plugin() is None
