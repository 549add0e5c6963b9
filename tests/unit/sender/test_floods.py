"""A participant floods a room with data: who counts as one, and what is done about it."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc

from mouthpiece import wire
from mouthpiece.data_rate import DEFAULT_LIMIT
from mouthpiece.errors import LiveKitUnavailable
from mouthpiece.segments import State
from mouthpiece_sender.livekit.connection import Flooded
from mouthpiece_sender.livekit.rtc_connection import RtcConnection
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.fake_rtc import FakeRtcRoom
from tests.unit.sender.ten_ways.harness import OURS, FollowingApi, all_ends, speaking
from tests.virtual_time import in_virtual_time

ACCESS = LiveKitAccess("ws://nowhere", "key", "secret")


class FullRoom(FakeRtcRoom):
    """A viewer, an agent and an avatar are there."""

    def __init__(self) -> None:
        super().__init__()
        agent, person = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
        kinds = {"viewer": person, "agent": agent, "avatar-x": agent}
        self.remote_participants = {
            identity: SimpleNamespace(identity=identity, kind=kind, track_publications={})
            for identity, kind in kinds.items()
        }

    def data(self, identity: str, size: int) -> None:
        self.handlers["data_received"](
            SimpleNamespace(participant=self.remote_participants.get(identity), data=bytes(size))
        )

    def report(self, caller: str, payload: str) -> str:
        return self.rpc[wire.RPC_FLOODED](SimpleNamespace(caller_identity=caller, payload=payload))


def connection(room: FakeRtcRoom, events: list[Any], limit: float = DEFAULT_LIMIT) -> RtcConnection:
    return RtcConnection(ACCESS, "token", events.append, data_limit=limit, new_room=lambda: cast(rtc.Room, room))


@in_virtual_time
async def test_packets_of_a_viewer_count_and_those_of_agents_do_not() -> None:
    room, events = FullRoom(), list[Any]()
    async with connection(room, events):
        for identity in ("agent", "avatar-x", "nobody", "viewer"):
            for _ in range(70):
                room.data(identity, 10_000)
    assert events == [Flooded("viewer")]


@in_virtual_time
async def test_sound_and_receipts_from_a_viewer_count_for_more_than_they_are() -> None:
    room, events = FullRoom(), list[Any]()
    async with connection(room, events):
        for _ in range(7):
            room.rpc[wire.RPC_PLAYBACK](SimpleNamespace(caller_identity="viewer", payload="no receipt"))
    assert events == [Flooded("viewer")]


@in_virtual_time
async def test_an_avatar_is_believed_about_a_viewer_and_about_nobody_else() -> None:
    room, events = FullRoom(), list[Any]()
    async with connection(room, events):
        assert room.report("viewer", wire.Flooded("viewer").dumps()) == "ok"
        assert room.report("avatar-x", wire.Flooded("agent").dumps()) == "ok"
        assert room.report("avatar-x", wire.Flooded("nobody").dumps()) == "ok"
        assert room.report("avatar-x", "[]") == room.report("avatar-x", '{"identity": 1}') == "ok"
        assert events == []
        assert room.report("avatar-x", wire.Flooded("viewer").dumps()) == "ok"
    assert events == [Flooded("viewer")]


@in_virtual_time
async def test_without_a_limit_nobody_floods() -> None:
    room, events = FullRoom(), list[Any]()
    async with connection(room, events, limit=0):
        for _ in range(1_000):
            room.data("viewer", 10_000)
        room.report("avatar-x", wire.Flooded("viewer").dumps())
    assert events == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (True, "has lost the right"),
        (False, ""),
        (LiveKitUnavailable("LiveKit cannot be reached."), "cannot be reached"),
    ],
    ids=["taken", "not there", "failed"],
)
@in_virtual_time
async def test_its_right_is_taken_and_the_log_says_so_without_its_name(
    answer: bool | Exception, said: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbidden: list[tuple[str, str]] = []

    async def forbid_data(self: LiveKitApi, room: str, identity: str) -> bool:
        forbidden.append((room, identity))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(FollowingApi, "forbid_data", forbid_data)
    room = FakeRoom(OURS)
    async with speaking(room, 2.0) as (running, segments):
        with caplog.at_level(logging.WARNING):
            room.connections[-1].listener(Flooded("viewer-jane"))
            (ended,) = await all_ends(running, segments)
    assert ended.state is State.FINISHED
    assert forbidden == [("demo", "viewer-jane")]
    assert said in caplog.text
    assert "jane" not in caplog.text
