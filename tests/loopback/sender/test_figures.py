"""The figures of segments that an avatar says."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator

import pytest

from mouthpiece_sender import service
from mouthpiece_sender.livekit.server_api import RoomFacts
from mouthpiece_sender.livekit.target import LiveKitTarget
from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.fakes import avatar
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.ten_ways.harness import STOCK

QUEUE = "/v1/rooms/demo/segments"


@pytest.fixture
def room(request: pytest.FixtureRequest) -> FakeRoom:
    return FakeRoom(getattr(request, "param", avatar("mia")))


@pytest.fixture
async def speaking(start: Start, room: FakeRoom, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(service, "LiveKitTarget", functools.partial(LiveKitTarget, connect=room.connect))
    async with start() as running:
        running.livekit.rooms_there["demo"] = RoomFacts("demo", "RM_1", 0, 300, 20)
        running.livekit.people["demo"] = [room.avatar]
        yield running


async def figures(running: Running) -> dict[str, float]:
    await running.client.get(QUEUE)  # what has happened is written, and counted, before it is listed
    text = (await running.client.get("/metrics")).text
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


async def test_what_an_avatar_of_ours_says_is_measured_from_the_request_to_the_sound(speaking: Running) -> None:
    wanted: dict[str, str | int] = {"wait": "finished", "timeout": 20}
    answer = await speaking.client.post(QUEUE, content=sound_file(0.5), params=wanted)
    assert answer.json()["state"] == "finished"
    seen = await figures(speaking)
    assert seen['mouthpiece_receipts_total{profile="mouthpiece",receipt="confirmed"}'] == 1
    assert seen["mouthpiece_queue_seconds_count"] == 1
    assert seen["mouthpiece_first_sound_seconds_count"] == 1
    assert 0 < seen["mouthpiece_first_sound_seconds_sum"] < 20
    assert seen["mouthpiece_first_sound_seconds_sum"] >= seen["mouthpiece_queue_seconds_sum"]
    assert seen["mouthpiece_rooms"] == 1
    assert seen["mouthpiece_joins_waiting"] == 0
    assert seen["mouthpiece_reconnects_total"] == 0
    assert seen["mouthpiece_pace_lag_seconds"] >= 0
    assert seen['mouthpiece_segments_ended_early_total{ended_by="caller"}'] == 0


async def test_what_waits_behind_another_is_no_first_sound_and_what_is_cut_says_by_whom(speaking: Running) -> None:
    first = await speaking.speak("demo", sound_file(30.0), wait="queued")
    second = await speaking.speak("demo", sound_file(0.2))
    await speaking.client.get(f"/v1/segments/{first['id']}", params={"wait": "playing", "timeout": 20})
    await speaking.client.post("/v1/rooms/demo/interrupt", json={})
    await speaking.client.get(f"/v1/segments/{second['id']}", params={"wait": "finished", "timeout": 20})
    seen = await figures(speaking)
    assert seen['mouthpiece_segments_ended_early_total{ended_by="caller"}'] == 1
    assert seen["mouthpiece_queue_seconds_count"] == 2
    assert seen["mouthpiece_first_sound_seconds_count"] == 1


@pytest.mark.parametrize("room", [STOCK], indirect=True)
async def test_an_avatar_that_does_not_report_its_beginning_is_not_measured(speaking: Running) -> None:
    await speaking.client.post(QUEUE, content=sound_file(0.5), params={"wait": "finished", "timeout": 20})
    seen = await figures(speaking)
    assert seen["mouthpiece_first_sound_seconds_count"] == 0
    assert sum(value for name, value in seen.items() if name.startswith("mouthpiece_receipts_total")) == 1
