"""The link between the server and a process that runs sessions."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mouthpiece import wire
from mouthpiece.errors import KeyLimitReached, LiveKitRefused, RoomError
from mouthpiece_avatar.processes import supervisor
from mouthpiece_avatar.processes.link import Link, LinkClosed
from mouthpiece_avatar.processes.supervisor import SessionProcesses
from mouthpiece_avatar.token import Claims


class Other:
    """The side that answers."""

    def __init__(self) -> None:
        self.notified: list[tuple[str, dict[str, Any]]] = []
        self.cancelled = asyncio.Event()
        self.waits = asyncio.Event()

    async def answer(self, name: str, arguments: dict[str, Any]) -> Any:
        self.notified.append((name, arguments))
        match name:
            case "refuse":
                raise LiveKitRefused("not this key")
            case "limit":
                raise KeyLimitReached("too many", retry_after=7.5)
            case "fail":
                raise ZeroDivisionError("a secret")
            case "wait":
                self.waits.set()
                try:
                    await asyncio.sleep(60)
                finally:
                    self.cancelled.set()
        return arguments


@pytest.fixture
async def links() -> AsyncIterator[tuple[Link, Link, Other]]:
    ours, theirs = socket.socketpair()
    other = Other()

    async def nothing(_: str, __: dict[str, Any]) -> None: ...

    here, there = await Link.over(ours, nothing), await Link.over(theirs, other.answer)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(link.run()) for link in (here, there)]
        yield here, there, other
        for task in running:
            task.cancel()
        for link in (here, there):
            await link.aclose()


async def test_answers_belong_to_their_calls_whatever_their_order(links: tuple[Link, Link, Other]) -> None:
    here, _, other = links
    slow = asyncio.create_task(here.call("wait"))
    await other.waits.wait()
    assert await asyncio.gather(*(here.call("echo", number=number) for number in range(50))) == [
        {"number": number} for number in range(50)
    ]
    assert not slow.done()
    slow.cancel()
    await asyncio.wait_for(other.cancelled.wait(), 5)
    assert await here.call("echo", text="ä\n") == {"text": "ä\n"}


async def test_what_is_raised_there_is_raised_here(
    links: tuple[Link, Link, Other], caplog: pytest.LogCaptureFixture
) -> None:
    here, _, _ = links
    with pytest.raises(LiveKitRefused, match="not this key"):
        await here.call("refuse")
    with pytest.raises(KeyLimitReached, match="too many") as limited:
        await here.call("limit")
    assert limited.value.retry_after == 7.5
    with pytest.raises(RuntimeError) as raised:
        await here.call("fail")
    assert "secret" not in str(raised.value)
    assert "the call fail failed" in caplog.text


async def test_a_call_whose_other_side_goes_is_over(links: tuple[Link, Link, Other]) -> None:
    here, there, other = links
    waiting = asyncio.create_task(here.call("wait"))
    await other.waits.wait()
    closing = asyncio.create_task(there.aclose())
    with pytest.raises(LinkClosed):
        await waiting
    with pytest.raises(LinkClosed):
        await here.call("echo")
    here.tell("echo")  # nothing happens
    await closing


async def test_where_no_process_can_run_a_start_is_refused_and_the_end_is_quick(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "READY_WITHIN", 3.0)
    async with SessionProcesses(2, limit=1, arguments=["--nonsense"]) as processes:
        with pytest.raises(RoomError, match="no process of the avatar server is ready"):
            await processes.start(wire.StartAvatar("ws://127.0.0.1:1", "t", "any", "mia"), Claims("avatar-mia", "r"))
        assert processes.running == 0
        assert (await processes.figures()).processes == 0
    assert "--nonsense" in capfd.readouterr().err
    assert "died (exit code 2): another one is started" in caplog.text
