"""Sessions over several processes, which a stand-in is here: placed, counted, lost with a process, and moved on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from mouthpiece import wire
from mouthpiece.errors import QueueFull, RoomError
from mouthpiece_avatar.processes import session_process
from mouthpiece_avatar.processes.supervisor import DIED, SessionProcesses
from mouthpiece_avatar.processes.wear import CLOSED_ROOMS, SESSIONS
from mouthpiece_avatar.token import Claims


@pytest.fixture
async def processes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SessionProcesses]:
    monkeypatch.setattr(session_process, "PROGRAM", "tests.loopback.avatar.stand_in_child")
    async with SessionProcesses(2, limit=4) as processes:
        yield processes


async def start(processes: SessionProcesses, room: str, identity: str = "mia") -> str:
    request = wire.StartAvatar("ws://127.0.0.1:7880", "token", "any", "mia")
    return (await processes.start(request, Claims(identity, room))).id


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (processes come and go without an event for it)
            await asyncio.sleep(0.02)


def ready(processes: SessionProcesses) -> int:
    return sum(process.ready and not process.worn for process in processes._processes)


async def test_one_process_runs_until_a_session_needs_another(processes: SessionProcesses) -> None:
    await until(lambda: ready(processes) == 1)
    one = await start(processes, "one")
    await until(lambda: ready(processes) == 2)
    await start(processes, "two")
    assert len({id(placed.process) for placed in processes._sessions.values()}) == 2
    await start(processes, "three")
    assert (await processes.figures()).processes == 2, "no more than may be"
    await start(processes, "four")
    with pytest.raises(QueueFull):
        await start(processes, "five")
    assert await processes.end(one)
    await until(lambda: processes.running == 3)
    assert not await processes.end(one)


async def test_the_death_of_a_process_is_reported_to_the_one_who_waits_and_another_one_comes(
    processes: SessionProcesses,
) -> None:
    kept = await start(processes, "kept")
    await until(lambda: ready(processes) == 2)
    with pytest.raises(RoomError, match="died: ask again"):
        await start(processes, "lost", "dies")
    assert set(processes._sessions) == {kept}
    await until(lambda: len(processes._processes) == 2 and ready(processes) == 2)
    process = processes._sessions[kept].process
    assert process is not None
    assert process._process is not None
    process._process.kill()
    await until(lambda: processes.running == 0)
    assert (await processes.figures()).totals.ended == {DIED: 1}
    await start(processes, "next")


async def test_a_process_under_which_livekit_closed_many_rooms_is_replaced_once_it_is_empty(
    processes: SessionProcesses, caplog: pytest.LogCaptureFixture
) -> None:
    stays = await start(processes, "stays")
    worn = processes._sessions[stays].process
    assert worn is not None
    worn.wear.closed_rooms = CLOSED_ROOMS - 1
    last = await start(processes, "stays", "room")  # another one in the room, which need not be in that process
    processes._sessions[last].process = worn
    await worn.call("start", session_id=last, request={}, claims={"identity": "room", "room": "stays"})
    assert not worn.worn
    assert await processes.end(last)
    await until(lambda: processes.running == 1)
    assert worn.worn
    assert worn.ready, "it still has a session"
    await until(lambda: processes.ready)
    fresh = await start(processes, "fresh")
    assert processes._sessions[fresh].process is not worn
    assert await processes.end(stays)
    await until(lambda: worn not in processes._processes)
    await until(lambda: ready(processes) == 2)
    assert "died" not in caplog.text
    assert (await processes.figures()).totals.streams["opened"] >= 3, "what it had counted is kept"


async def test_a_worn_process_takes_what_comes_until_the_next_one_is_ready(processes: SessionProcesses) -> None:
    one = await start(processes, "one")
    worn = processes._sessions[one].process
    assert worn is not None
    await until(lambda: ready(processes) == 2)
    for process in processes._processes:
        process.wear.sessions = SESSIONS
    assert not processes.ready
    two = await start(processes, "two")
    assert processes._sessions[two].process in processes._processes
    assert await processes.end(one)
    assert await processes.end(two)
    await until(lambda: processes.running == 0)
    await until(lambda: worn not in processes._processes)
    assert processes.ready


async def test_at_the_end_all_have_ended_and_nothing_new_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_process, "PROGRAM", "tests.loopback.avatar.stand_in_child")
    async with SessionProcesses(2, limit=4) as processes:
        await start(processes, "one")
        processes.stop()
        with pytest.raises(RoomError, match="stops"):
            await start(processes, "two")
    assert processes._processes == []
    assert processes._keepers == set()
