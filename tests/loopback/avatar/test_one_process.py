"""A server with one process runs sessions itself until it is worn, and then in a process that is replaced."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, Self

import pytest

from mouthpiece import wire
from mouthpiece.errors import QueueFull
from mouthpiece_avatar.conduct import Conduct
from mouthpiece_avatar.hosting import Figures, Totals
from mouthpiece_avatar.processes import one_process, session_process
from mouthpiece_avatar.processes.one_process import OneProcess
from mouthpiece_avatar.processes.wear import SESSIONS
from mouthpiece_avatar.renderer import Renderer
from mouthpiece_avatar.token import Claims
from tests.loopback.avatar.test_supervisor import until


class OwnSessions:
    """In the place of those that join rooms."""

    def __init__(self, _: object, *, on_end: Callable[[str, str], None], **__: object) -> None:
        self.sessions: dict[str, Claims] = {}
        self.ended = 0
        self._on_end = on_end

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> int:
        return len(self.sessions)

    async def start(self, _: wire.StartAvatar, claims: Claims) -> Any:
        name = f"own {claims.room}"
        self.sessions[name] = claims
        return SimpleNamespace(id=name)

    async def end(self, session_id: str) -> bool:
        if self.sessions.pop(session_id, None) is None:
            return False
        self.ended += 1
        self._on_end(session_id, "ended by request")
        return True

    def replaced(self, _: wire.StartAvatar, claims: Claims) -> list[str]:
        return [name for name, there in self.sessions.items() if there == claims]

    def end_replaced(self, older: list[str]) -> None:
        for name in older:
            del self.sessions[name]

    async def figures(self) -> Figures:
        return Figures(totals=Totals(streams=Counter(opened=self.ended)))

    def stop(self) -> None:
        self.sessions.clear()


class NoRenderers:
    preloaded = False

    async def __call__(self, avatar: str) -> Renderer:
        raise AssertionError(avatar)

    async def preload(self) -> None:
        self.preloaded = True


@pytest.fixture
async def host(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OneProcess]:
    monkeypatch.setattr(session_process, "PROGRAM", "tests.loopback.avatar.stand_in_child")
    monkeypatch.setattr(one_process, "Sessions", OwnSessions)
    renderers = NoRenderers()
    async with OneProcess(renderers, limit=2, make_conduct=Conduct, alone=0) as host:
        yield host
    assert renderers.preloaded
    assert host._beside is None or not host._beside._processes


async def start(host: OneProcess, room: str) -> str:
    request = wire.StartAvatar("ws://127.0.0.1:7880", "token", "any", "mia")
    return (await host.start(request, Claims("mia", room))).id


async def worn(host: OneProcess) -> None:
    for _ in range(SESSIONS):
        assert await host.end(await start(host, "one"))
    await until(lambda: host._beside is not None and host._beside.ready)


async def test_before_it_is_worn_there_is_no_other_process(host: OneProcess) -> None:
    for _ in range(SESSIONS - 1):
        assert await host.end(await start(host, "one"))
    await asyncio.sleep(0)
    assert (await start(host, "two")).startswith("own")
    assert (await host.figures()).processes == 1
    assert host._beside is None


async def test_once_it_is_worn_sessions_run_in_another_which_is_replaced_in_turn(host: OneProcess) -> None:
    stays = await start(host, "stays")
    await worn(host)
    first = None
    for _ in range(SESSIONS):
        moved = await start(host, "moves")
        assert not moved.startswith("own")
        assert host._beside is not None
        first = first or host._beside._sessions[moved].process
        assert await host.end(moved)
    assert host._beside is not None
    await until(lambda: host._beside is not None and host._beside._processes not in ([first], []))
    await until(lambda: host._beside is not None and first not in host._beside._processes)
    await start(host, "next")
    figures = await host.figures()
    assert figures.processes == 2
    assert figures.totals.streams["opened"] == 2 * SESSIONS + 1, "what each has counted is kept"
    assert host.running == 2
    assert await host.end(stays)
    assert not await host.end(stays)


async def test_the_limit_counts_both_and_one_that_takes_anothers_place_is_no_more(host: OneProcess) -> None:
    await start(host, "a")
    await worn(host)
    await start(host, "b")
    with pytest.raises(QueueFull):
        await start(host, "c")
    assert host.running == 2
    assert not (await start(host, "a")).startswith("own")
    assert host.running == 2
    host.stop()
    assert host._own.running == 0
