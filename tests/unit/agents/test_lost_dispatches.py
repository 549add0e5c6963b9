"""Which dispatches have no agent, and how LiveKit is asked for them."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import api

from mouthpiece import wire
from mouthpiece.dispatch import WantedAgent
from mouthpiece_agents import lost_dispatches
from mouthpiece_agents.lost_dispatches import (
    AT_FIRST,
    AT_ONCE,
    EVERY,
    LostDispatch,
    LostDispatches,
    lost_in,
    pause_after,
)
from mouthpiece_agents.settings import Settings

OURS = api.AgentDispatch(id="AD_1", agent_name="mouthpiece", room="demo", metadata="{}")
OTHERS = api.AgentDispatch(id="AD_2", agent_name="support", room="demo")
VIEWER = api.ParticipantInfo(identity="anna")
SETTINGS = Settings.model_validate({"LIVEKIT_URL": "ws://h", "LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s"})


def agent(name: str) -> api.ParticipantInfo:
    return api.ParticipantInfo(identity="agent-1", attributes={"lk.agent.name": name})


def test_a_dispatch_without_its_agent_is_lost() -> None:
    assert lost_in("demo", "mouthpiece", [OURS], []) == {LostDispatch("demo", "AD_1", "{}")}
    assert lost_in("demo", "mouthpiece", [OURS], [VIEWER, agent("support")]) == {LostDispatch("demo", "AD_1", "{}")}


def viewer(name: str, *, asks_for: str) -> api.ParticipantInfo:
    wanted = WantedAgent("mouthpiece", asks_for)
    return api.ParticipantInfo(identity=name, attributes={wire.ATTR_AGENT: wanted.dumps()})


def test_what_a_viewer_asks_for_is_lost_where_livekit_has_forgotten_it() -> None:
    anna = viewer("anna", asks_for="{}")
    assert lost_in("demo", "mouthpiece", [], [anna]) == {LostDispatch("demo", None, "{}")}
    assert lost_in("demo", "mouthpiece", [OTHERS], [anna, VIEWER]) == {LostDispatch("demo", None, "{}")}
    assert lost_in("demo", "mouthpiece", [OURS], [anna]) == {LostDispatch("demo", "AD_1", "{}")}
    assert lost_in("demo", "mouthpiece", [], [anna, agent("mouthpiece")]) == set()
    assert lost_in("demo", "support", [], [anna]) == set()


@pytest.mark.parametrize("attribute", ["", "no JSON", "[]", '{"name": 1}', '{"name": "mouthpiece", "metadata": {}}'])
def test_an_attribute_that_names_no_agent_asks_for_nothing(attribute: str) -> None:
    participant = api.ParticipantInfo(identity="anna", attributes={wire.ATTR_AGENT: attribute})
    assert lost_in("demo", "mouthpiece", [], [participant]) == set()


def test_a_room_with_our_agent_has_lost_nothing() -> None:
    assert lost_in("demo", "mouthpiece", [OURS], [VIEWER, agent("mouthpiece")]) == set()


def test_dispatches_of_other_agents_are_ignored() -> None:
    assert lost_in("demo", "mouthpiece", [OTHERS], [VIEWER]) == set()


class FakeLiveKit:
    """LiveKit's server API with many rooms, each with a dispatch; it counts the rooms that are asked about at once."""

    def __init__(self, rooms: int) -> None:
        self.room = self.agent_dispatch = self
        self.rooms = [f"room-{number}" for number in range(rooms)]
        self.fails: dict[str, BaseException] = {}
        """By room; "" for the list of rooms."""
        self.renewed: list[str] = []
        self.forgotten = False
        """LiveKit has lost its dispatches; in each room a viewer asks for one."""
        self.made: list[api.AgentDispatch] = []
        self.by_others: list[api.AgentDispatch] = []
        self.asked = self.most = 0

    async def list_rooms(self, _: Any) -> Any:
        if "" in self.fails:
            raise self.fails[""]
        return SimpleNamespace(rooms=[SimpleNamespace(name=name) for name in self.rooms])

    async def list_dispatch(self, room: str) -> list[api.AgentDispatch]:
        self.asked += 1
        self.most = max(self.most, self.asked)
        await asyncio.sleep(0)
        if room in self.fails:
            raise self.fails[room]
        if self.forgotten:
            return [each for each in (*self.made, *self.by_others) if each.room == room]
        return [api.AgentDispatch(id=room, agent_name="mouthpiece", room=room)]

    async def list_participants(self, _: Any) -> Any:
        await asyncio.sleep(0)
        self.asked -= 1
        return SimpleNamespace(participants=[viewer("anna", asks_for="a"), viewer("bert", asks_for="b")])

    async def delete_dispatch(self, dispatch: str, _: str) -> None:
        self.renewed.append(dispatch)

    async def create_dispatch(self, request: api.CreateAgentDispatchRequest) -> api.AgentDispatch:
        assert self.forgotten or request.room == self.renewed[-1]
        made = api.AgentDispatch(id=f"AD_{len(self.made) + 1}", agent_name=request.agent_name, room=request.room)
        self.made.append(made)
        return made


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_dispatches, "SETTLE", 0.0)


async def look(livekit: FakeLiveKit, times: int = 1) -> None:
    lost = LostDispatches(SETTINGS)
    for _ in range(times):
        await lost.look(livekit)  # type: ignore[arg-type]


def test_it_looks_often_while_livekit_may_still_list_the_agent_of_a_killed_worker() -> None:
    looks = [sum(map(pause_after, range(1, number))) for number in range(1, 8)]
    assert sum(15 <= at <= 26 for at in looks) >= 2
    assert looks[-1] - looks[-2] == EVERY


async def test_a_worker_that_starts_dispatches_once_what_livekit_has_forgotten() -> None:
    livekit = FakeLiveKit(2)
    livekit.forgotten = True
    lost = LostDispatches(SETTINGS)
    await lost.look(livekit)  # type: ignore[arg-type]
    assert sorted(made.room for made in livekit.made) == ["room-0", "room-1"]
    livekit.made.clear()  # the jobs have ended for good
    await lost.look(livekit)  # type: ignore[arg-type]
    assert livekit.made == []


async def test_a_worker_that_has_been_there_for_long_leaves_rooms_alone_whose_job_has_ended() -> None:
    livekit, lost = FakeLiveKit(0), LostDispatches(SETTINGS)
    for _ in range(AT_FIRST):
        await lost.look(livekit)  # type: ignore[arg-type]
    livekit.rooms, livekit.forgotten = ["room-0"], True
    await lost.look(livekit)  # type: ignore[arg-type]
    assert livekit.made == []


@pytest.mark.parametrize(("other", "kept"), [("AD_0", False), ("AD_9", True)])
async def test_of_two_workers_that_dispatch_a_room_at_the_same_time_one_takes_it_back(other: str, kept: bool) -> None:
    livekit = FakeLiveKit(1)
    livekit.forgotten = True

    async def create(request: api.CreateAgentDispatchRequest) -> api.AgentDispatch:
        livekit.by_others.append(api.AgentDispatch(id=other, agent_name="mouthpiece", room="room-0"))
        return await FakeLiveKit.create_dispatch(livekit, request)

    livekit.create_dispatch = create  # type: ignore[method-assign]
    await look(livekit)
    assert livekit.renewed == ([] if kept else ["AD_1"])


async def test_of_many_rooms_a_few_are_asked_about_at_once() -> None:
    livekit = FakeLiveKit(40)
    await look(livekit)
    assert sorted(livekit.renewed) == sorted(livekit.rooms)
    assert livekit.most == AT_ONCE


async def test_a_room_that_ends_during_a_look_is_left_out() -> None:
    livekit = FakeLiveKit(3)
    livekit.fails["room-1"] = api.TwirpError(api.TwirpErrorCode.NOT_FOUND, "gone", status=404)
    await look(livekit)
    assert sorted(livekit.renewed) == ["room-0", "room-2"]


@pytest.mark.parametrize(
    ("room", "error"),
    [
        ("", OSError("refused")),
        ("", api.TwirpError(api.TwirpErrorCode.INTERNAL, "no", status=500)),
        ("room-1", api.TwirpError(api.TwirpErrorCode.INTERNAL, "no", status=500)),
    ],
)
async def test_a_livekit_that_fails_ends_nothing(room: str, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    livekit = FakeLiveKit(3)
    livekit.fails[room] = error
    with caplog.at_level(logging.INFO):
        await look(livekit, times=4)
    assert livekit.renewed == []
    assert caplog.records == []


async def test_a_livekit_that_is_too_slow_three_times_in_a_row_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    livekit = FakeLiveKit(3)
    livekit.fails[""] = TimeoutError()
    await look(livekit, times=2)
    assert caplog.records == []
    await look(livekit, times=6)
    [record] = caplog.records
    assert "takes longer than 30 s" in record.getMessage()
